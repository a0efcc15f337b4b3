// Files in which tools keep their logins: nothing of a secret may be left in the form, and nothing else may be lost.
#include <cstdlib>
#include <string>

#include "launch/logins/form.h"
#include "launch/logins/policy_text.h"
#include "launch/profile.h"

namespace {

using namespace weir::launch;

const std::vector<Profile>& all() {
  static const auto profiles = [] {
    setenv("HOME", "/home/ann", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    return weir::launch::profiles();
  }();
  if (!profiles) std::abort();
  return *profiles;
}

void check(const Login& login, const LoginFile& file, std::string_view text) {
  TakenLogin taken;
  if (!take_login(login, file, text, taken)) {
    if (!taken.secrets.empty() || !taken.form.files.empty()) std::abort();
    return;
  }
  if (taken.secrets.size() != taken.form.credentials.size() || taken.form.files.size() != 1) std::abort();
  const auto again = form_from_json(to_json(taken.form));
  if (!again || *again != taken.form) std::abort();
  // What was taken once is gone: the form with other values in the marks' places holds none of these long ones.
  const std::string form = replace_marks(taken.form.files[0].text, [](const Mark&) { return std::string("x"); });
  // Only where values stand as they are: not joined, in base64 or escaped.
  const bool raw = taken.form.files[0].text.find("{made-up:") == std::string::npos && taken.form.files[0].text.find(":base64:") == std::string::npos &&
                   text.find_first_of("\\%") == std::string_view::npos;
  for (const auto& [entry, value] : taken.secrets)
    if (raw && value.size() >= 24 && text.find(value.reveal()) == text.rfind(value.reveal()) && form.find(value.reveal()) != std::string::npos) std::abort();
  TakenLogin more;
  if (take_login(login, file, form, more) && more.secrets.size() != taken.secrets.size() && file.format != LoginFormat::npmrc &&
      file.format != LoginFormat::json)
    std::abort();
  (void)login_parts(login, taken.form, "default");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t chosen = data[0];
  std::vector<const Profile*> with;
  for (const auto& profile : all())
    if (profile.login) with.push_back(&profile);
  const auto& login = *with[chosen % with.size()]->login;
  for (const auto& file : login.files) check(login, file, text);
  return 0;
}
