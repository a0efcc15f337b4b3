// Short ways to say "this file" and "this request" in tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "policy/loader.h"
#include "policy/policy.h"
#include "policy/target.h"

namespace weir::policy {

inline std::string all_messages(const Loaded& loaded) {
  std::string all;
  for (const auto& diagnostic : loaded.diagnostics) all += format(diagnostic) + "\n";
  return all;
}

// The text must load; "version: 1" is put before it.
inline Document document_of(const std::string& text) {
  auto loaded = load_text("version: 1\n" + text, "/etc/weir/test.yaml");
  EXPECT_TRUE(loaded.ok()) << all_messages(loaded);
  return loaded.document;
}

inline Policy policy_of(const std::string& text) {
  auto policy = Policy::compile(document_of(text));
  if (!policy) throw std::runtime_error(policy.error().message);
  return std::move(*policy);
}

inline Decision decide(const Policy& policy, std::string_view method, std::string_view url) {
  const auto target = parse_target(url);
  if (!target) throw std::runtime_error(target.error().message);
  return policy.decide(target->request(method));
}

inline Action verdict(const Policy& policy, std::string_view method, std::string_view url) {
  return decide(policy, method, url).action;
}

// The messages of errors ("line:column message | hint"), in order.
inline std::vector<std::string> errors_in(const std::string& text) {
  const auto loaded = load_text(text, "test.yaml");
  std::vector<std::string> errors;
  for (const auto& d : loaded.diagnostics) {
    if (d.severity != Diagnostic::Severity::error) continue;
    errors.push_back(std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.message +
                     (d.hint.empty() ? "" : " | " + d.hint));
  }
  return errors;
}

}  // namespace weir::policy
