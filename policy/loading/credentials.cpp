#include <fmt/format.h>

#include "base/text.h"
#include "policy/loading/credential_reader.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

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
  constexpr std::string_view kExec = "exec:";
  if (word->text.starts_with(kExec) && !word->text.starts_with("exec:[")) {
    reader.credential.from = std::string(kExec) + Schema::array({word->text.substr(kExec.size())}).dump();
    return;
  }
  reader.credential.from = resolve_source(word->text, reader.file);
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
         reader.ttl = word->place;
       } else {
         reader.diagnostics.error(word->place, seconds.error());
       }
     }},
    {"hosts", "The only places where the value may ever go", shape::hosts,
     [](CredentialReader& reader, const YamlNode&, const YamlNode& value) {
       reader.credential.hosts = read_hosts(reader.diagnostics, value);
     },
     true},
    {"refresh", "What the value is exchanged for before it is used: a token that lives shortly", refresh_schema, read_refresh},
    {"inject", "How it is put into a request; a credential has this or `substitute`", inject_schema, read_inject},
    {"substitute", "The sandbox holds a placeholder, and the value is put in its place", substitute_schema, read_substitute},
    {"insecure", "true: it may go over plain HTTP too", shape::flag,
     [](CredentialReader& reader, const YamlNode& key, const YamlNode& value) {
       reader.insecure = key.place;
       reader.credential.insecure = read_flag(reader.diagnostics, value, "insecure").value_or(false);
     }},
};

void report_contradictions(const CredentialReader& reader, const YamlNode& node) {
  const Credential& credential = reader.credential;
  if (reader.ttl && !credential.from.empty())
    if (const auto problem = check_ttl(credential)) reader.diagnostics.error(*reader.ttl, *problem);
  const auto place_of = [&](std::string_view key) -> const std::optional<Spot>& {
    return key == "inject" ? reader.inject : key == "substitute" ? reader.substitute : key == "refresh" ? reader.refresh : reader.insecure;
  };
  for (const auto& found : find_contradictions(credential, [&](std::string_view key) { return place_of(key).has_value(); }))
    reader.diagnostics.error(found.key.empty() ? node.place : place_of(found.key).value_or(node.place), found.problem);
}

Credential read_credential(Diagnostics& diagnostics, const YamlNode& name, const YamlNode& node, const std::string& file) {
  Credential credential;
  credential.name = name.text;
  credential.place = name.place;
  if (const auto problem = check_name("credential", name.text)) diagnostics.error(name.place, *problem);
  CredentialReader reader{diagnostics, file, credential};
  read_section(diagnostics, node, fmt::format("credential `{}`", printable(name.text, 80)), kCredentialKeys, reader);
  if (node.kind == YamlNode::Kind::map) report_contradictions(reader, node);
  return credential;
}

}  // namespace

std::string resolve_source(std::string_view source, const std::string& file) {
  constexpr std::string_view kFile = "file:";
  return source.starts_with(kFile) ? std::string(kFile) + resolve_path(source.substr(kFile.size()), file) : std::string(source);
}

void read_credentials(Diagnostics& diagnostics, const YamlNode& node, const std::string& file,
                      std::vector<Credential>& credentials) {
  if (node.kind != YamlNode::Kind::map) {
    diagnostics.error(node.place, "`credentials` must be a map from names to credentials",
                      "for instance: credentials: {my-token: {from: env:MY_TOKEN, …}}");
    return;
  }
  for (const auto& [name, value] : node.entries) credentials.push_back(read_credential(diagnostics, *name, *value, file));
}

Schema credential_schema() {
  Schema schema = section_schema(kCredentialKeys);
  schema["oneOf"] = Schema::array({{{"required", {"inject"}}}, {{"required", {"substitute"}}}});
  return schema;
}

}  // namespace weir::policy
