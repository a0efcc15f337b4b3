#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "policy/document/check_credential.h"
#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

struct InjectReader {
  Diagnostics& diagnostics;
  Injection& inject;
};

void read_checked(Diagnostics& diagnostics, const YamlNode& value, std::string_view what,
                  std::optional<Problem> (*check)(std::string_view), std::string& out) {
  auto word = read_text(diagnostics, value, what);
  if (!word) return;
  if (const auto problem = check(word->text)) diagnostics.error(word->place, *problem);
  out = std::move(word->text);
}

constexpr Key<InjectReader> kInjectKeys[] = {
    {"header", "The request header that carries the value; what the client sent in it is dropped", shape::header,
     [](InjectReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "header", check_header, reader.inject.name);
     },
     true},
    {"format", "The header's value: {secret} stands for the secret", shape::format,
     [](InjectReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "format", check_format, reader.inject.format);
     },
     true},
};

struct CredentialReader {
  Diagnostics& diagnostics;
  const std::string& file;
  Credential& credential;
  std::optional<Spot> ttl_place{};
};

// {exec: [PROGRAM, ARGUMENT, …]}
constexpr Key<CredentialReader> kFromKeys[] = {
    {"exec", "A program that prints the secret, with its arguments; no shell", shape::words,
     [](CredentialReader& reader, const YamlNode&, const YamlNode& value) {
       auto words = Schema::array();
       const auto command = read_list(reader.diagnostics, value, "exec", "for instance: from: {exec: [/usr/bin/pass, show, github]}",
                                      Empty::allowed);
       if (command.empty()) return;  // told by read_list
       for (const auto& word : command) words.push_back(word.text);
       const std::string from = "exec:" + words.dump(-1, ' ', false, Schema::error_handler_t::replace);
       if (const auto problem = check_source(from))
         reader.diagnostics.error(command.front().place, *problem);
       else
         reader.credential.from = from;
     },
     true},
};

void read_from(CredentialReader& reader, const YamlNode&, const YamlNode& node) {
  if (node.kind == YamlNode::Kind::map) {
    read_section(reader.diagnostics, node, "`from`", kFromKeys, reader);
    return;
  }
  const auto word = read_text(reader.diagnostics, node, "from");
  if (!word) return;
  if (const auto problem = check_source(word->text)) {
    reader.diagnostics.error(word->place, *problem);
    return;
  }
  constexpr std::string_view kFile = "file:";
  constexpr std::string_view kExec = "exec:";
  if (word->text.starts_with(kExec) && !word->text.starts_with("exec:[")) {
    reader.credential.from = std::string(kExec) + Schema::array({word->text.substr(kExec.size())}).dump();
    return;
  }
  reader.credential.from = word->text.starts_with(kFile)
                               ? std::string(kFile) + resolve_path(word->text.substr(kFile.size()), reader.file)
                               : word->text;
}

void read_inject(CredentialReader& reader, const YamlNode&, const YamlNode& node) {
  constexpr std::array<std::string_view, 2> kNotYet = {"basic", "query"};
  reader.credential.inject.kind = Injection::Kind::header;
  InjectReader inject{reader.diagnostics, reader.credential.inject};
  read_section(reader.diagnostics, node, "`inject`", kInjectKeys, inject, kNotYet,
               "for instance: inject: {header: Authorization, format: \"Bearer {secret}\"}");
}

constexpr Key<CredentialReader> kCredentialKeys[] = {
    {"from", "Where the secret is: env:NAME, file:PATH, store:ENTRY, exec:PROGRAM, vault:PATH#FIELD, or {exec: [PROGRAM, ARGUMENT]}",
     [] { return Schema{{"anyOf", {shape::source(), section_schema(kFromKeys)}}}; }, read_from, true},
    {"ttl", "How long a value from exec: or vault: serves before it is fetched anew: 10min", shape::duration,
     [](CredentialReader& reader, const YamlNode&, const YamlNode& value) {
       const auto word = read_text(reader.diagnostics, value, "ttl");
       if (!word) return;
       if (const auto seconds = read_duration(word->text)) {
         reader.credential.ttl_seconds = *seconds;
         reader.ttl_place = word->place;
       } else {
         reader.diagnostics.error(word->place, seconds.error());
       }
     }},
    {"hosts", "The only places where the value may ever go", shape::hosts,
     [](CredentialReader& reader, const YamlNode&, const YamlNode& value) {
       reader.credential.hosts = read_hosts(reader.diagnostics, value);
     },
     true},
    {"inject", "How it is put into a request", [] { return section_schema(kInjectKeys); }, read_inject, true},
    {"insecure", "true: it may go over plain HTTP too", shape::flag,
     [](CredentialReader& reader, const YamlNode&, const YamlNode& value) {
       reader.credential.insecure = read_flag(reader.diagnostics, value, "insecure").value_or(false);
     }},
};

Credential read_credential(Diagnostics& diagnostics, const YamlNode& name, const YamlNode& node, const std::string& file) {
  constexpr std::array<std::string_view, 1> kNotYet = {"substitute"};
  Credential credential;
  credential.name = name.text;
  credential.place = name.place;
  if (const auto problem = check_name("credential", name.text)) diagnostics.error(name.place, *problem);
  CredentialReader reader{diagnostics, file, credential};
  read_section(diagnostics, node, fmt::format("credential `{}`", printable(name.text, 80)), kCredentialKeys, reader,
               kNotYet);
  if (reader.ttl_place && !credential.from.empty())
    if (const auto problem = check_ttl(credential)) diagnostics.error(*reader.ttl_place, *problem);
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

Schema credential_schema() { return section_schema(kCredentialKeys); }

}  // namespace weir::policy
