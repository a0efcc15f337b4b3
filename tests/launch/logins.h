// The logins that come with weir, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "launch/logins/form.h"
#include "launch/profile.h"

namespace weir::launch {

inline const Profile& known(const std::string& name) {
  static const auto all = [] {
    setenv("HOME", "/home/ann", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    return profiles();
  }();
  if (!all) throw std::runtime_error(all.error().message);
  for (const auto& profile : *all)
    if (profile.name == name) return profile;
  throw std::runtime_error("no profile " + name);
}

inline TakenLogin take(const std::string& name, const std::string& text) {
  TakenLogin taken;
  const auto& login = *known(name).login;
  const auto done = take_login(login, login.files.front(), text, taken);
  EXPECT_TRUE(done) << done.error().message;
  return taken;
}

// Made-up secrets only: in tests they may be shown.
inline std::vector<std::pair<std::string, std::string>> plain(const TakenLogin& taken) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [entry, value] : taken.secrets) out.emplace_back(entry, value.reveal());
  return out;
}

// The first file with the secrets back in their places.
inline std::string filled(const TakenLogin& taken) {
  return replace_marks(taken.form.files.at(0).text, [&](const Mark& mark) -> std::string {
    for (std::size_t i = 0; i < taken.form.credentials.size(); ++i) {
      if (taken.form.credentials[i].name != mark.name) continue;
      const std::string value(taken.secrets[i].second.reveal());
      if (mark.kind != Mark::Kind::encoded) return value;
      return encoded_placeholder(mark, value);
    }
    return "?";
  });
}

}  // namespace weir::launch
