// What package managers say about where they get their packages. Whatever it is: the preset that is made of it loads, its rules
// only read, and nothing of a user name or password in a URL is in it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "launch/package_sources/cargo_config.h"
#include "launch/package_sources/connect_witness.h"
#include "launch/package_sources/findings.h"
#include "launch/package_sources/tools.h"
#include "policy/loader.h"
#include "policy/policy.h"

namespace {

using namespace weir;

void check(const launch::Findings& findings) {
  const auto text = launch::preset_text("tool", findings, [](const std::string&) {
    return std::vector<std::string>{"10.0.0.1", "127.0.0.1", "169.254.169.254"};
  });
  auto loaded = policy::load_text(text, "preset:tool");
  if (!loaded.ok() || !loaded.document.credentials.empty() || loaded.document.default_action != policy::Action::deny) std::abort();
  for (const auto& rule : loaded.document.rules) {
    const bool git = rule.paths.size() == 1 && rule.paths.front().ends_with("/git-upload-pack");
    for (const auto& method : rule.methods)
      if (method != "GET" && method != "HEAD" && !(git && method == "POST")) std::abort();
    if (rule.methods.empty() || rule.hosts.size() != 1 || rule.hosts.front().kind != policy::HostPattern::Kind::exact) std::abort();
    for (const auto& network : rule.addresses)
      if (network != "10.0.0.0/8") std::abort();
  }
  if (!policy::Policy::compile(std::move(loaded.document))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      if (const auto found = launch::read_npm(text)) check({.asked = {}, .origins = found->origins, .notes = {}});
      break;
    case 1:
      if (const auto found = launch::read_pip(text, {"https://index.test.example/simple", "files.test.example"})) check(*found);
      (void)launch::read_pip_files(text);
      break;
    case 2:
      if (const auto found = launch::read_go(text)) check(found->findings);
      break;
    case 3:
      check(launch::read_apt(text).findings);
      break;
    case 4:
      if (const auto found = launch::read_cargo(text, {})) {
        launch::Findings findings{.asked = {}, .origins = {launch::index_origin("index", found->index)}, .notes = found->notes};
        for (const auto& [name, index] : found->registries) findings.origins.push_back(launch::index_origin("index of " + name, index));
        check(findings);
      }
      break;
    case 5:
      if (const auto url = launch::read_download_url(text))
        check({.asked = {}, .origins = {{.role = "downloads", .url = *url, .told_by = "https://index.test.example/"}}, .notes = {}});
      (void)launch::place_asked_for(text);
      break;
    default:
      check({.asked = {std::string(text)}, .origins = {{.role = std::string(text), .url = std::string(text)}}, .notes = {std::string(text)}});
      if (launch::shown_url("https://secretuser:secretword@" + std::string(text)).find("secretword") != std::string::npos) std::abort();
      if (launch::without_passwords("https://secretuser:secretword@host/" + std::string(text)).find("secretword") != std::string::npos) std::abort();
  }
  return 0;
}
