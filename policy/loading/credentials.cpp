#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

void read_inject(Diagnostics& diagnostics, const YamlNode& node, InjectHeader& inject) {
  constexpr std::array<std::string_view, 2> kNotYet = {"basic", "query"};
  const auto checked = [&](const YamlNode& value, std::string_view what, auto check, std::string& out) {
    auto word = read_text(diagnostics, value, what);
    if (!word) return;
    if (const auto problem = check(word->text)) diagnostics.error(word->place, *problem);
    out = std::move(word->text);
  };
  const SectionKey keys[] = {
      {"header", [&](const auto&, const auto& value) { checked(value, "header", check_header, inject.header); }, true},
      {"format", [&](const auto&, const auto& value) { checked(value, "format", check_format, inject.format); }, true},
  };
  read_section(diagnostics, node, "`inject`", keys, kNotYet,
               "for instance: inject: {header: Authorization, format: \"Bearer {secret}\"}");
}

void read_from(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, std::string& from) {
  const auto word = read_text(diagnostics, node, "from");
  if (!word) return;
  if (const auto problem = check_source(word->text)) {
    diagnostics.error(word->place, *problem);
    return;
  }
  constexpr std::string_view kFile = "file:";
  from =
      word->text.starts_with(kFile) ? std::string(kFile) + resolve_path(word->text.substr(kFile.size()), file) : word->text;
}

Credential read_credential(Diagnostics& diagnostics, const YamlNode& name, const YamlNode& node, const std::string& file) {
  constexpr std::array<std::string_view, 1> kNotYet = {"substitute"};
  Credential credential;
  credential.name = name.text;
  credential.place = name.place;
  if (const auto problem = check_name("credential", name.text)) diagnostics.error(name.place, *problem);
  const SectionKey keys[] = {
      {"from", [&](const auto&, const auto& value) { read_from(diagnostics, value, file, credential.from); }, true},
      {"hosts", [&](const auto&, const auto& value) { credential.hosts = read_hosts(diagnostics, value); }, true},
      {"inject", [&](const auto&, const auto& value) { read_inject(diagnostics, value, credential.inject); }, true},
      {"insecure",
       [&](const auto&, const auto& value) {
         credential.insecure = read_flag(diagnostics, value, "insecure").value_or(false);
       }},
  };
  read_section(diagnostics, node, fmt::format("credential `{}`", printable(name.text, 80)), keys, kNotYet);
  return credential;
}

}  // namespace

void read_credentials(Diagnostics& diagnostics, const YamlNode& node, const std::string& file,
                      std::vector<Credential>& credentials) {
  if (node.kind != YamlNode::Kind::map) {
    diagnostics.error(node.place, "`credentials` must be a map from names to credentials",
                      "for instance: credentials: {my-token: {from: env:MY_TOKEN, …}}");
    return;
  }
  for (const auto& [name, value] : node.entries) credentials.push_back(read_credential(diagnostics, *name, *value, file));
}

}  // namespace weir::policy
