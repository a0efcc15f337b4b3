#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/document/check_credential.h"
#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

struct VaultReader {
  Diagnostics& diagnostics;
  const std::string& file;
  VaultServer& vault;
};

constexpr std::array<std::string_view, 6> kMethods = {"token", "approle", "jwt", "kubernetes", "cert", "userpass"};

template <std::string VaultServer::* Member>
void read_word(VaultReader& reader, const YamlNode& key, const YamlNode& value) {
  if (auto word = read_text(reader.diagnostics, value, key.text)) reader.vault.*Member = std::move(word->text);
}
template <std::string VaultServer::* Member>
void read_path(VaultReader& reader, const YamlNode& key, const YamlNode& value) {
  if (const auto word = read_text(reader.diagnostics, value, key.text))
    reader.vault.*Member = resolve_path(word->text, reader.file);
}

void read_address(VaultReader& reader, const YamlNode&, const YamlNode& value) {
  const auto word = read_text(reader.diagnostics, value, "address");
  if (!word) return;
  if (!word->text.starts_with("https://") && !word->text.starts_with("http://"))
    reader.diagnostics.error(word->place, fmt::format("`{}` is not an address of Vault", printable(word->text, 100)),
                             "for instance: address: https://vault.example.com:8200");
  reader.vault.address = word->text;
}

void read_method(VaultReader& reader, const YamlNode&, const YamlNode& value) {
  const auto word = read_text(reader.diagnostics, value, "method");
  if (!word) return;
  if (std::ranges::find(kMethods, word->text) == kMethods.end())
    reader.diagnostics.error(word->place,
                             fmt::format("`{}` is not a method to log in to Vault with", printable(word->text, 60)),
                             suggest(word->text, kMethods));
  reader.vault.method = word->text;
}

// SECURITY: G2, a policy file is read by many and may be in a repository: it says where the secret is, never what it is.
void read_secret(VaultReader& reader, const YamlNode&, const YamlNode& value) {
  constexpr std::string_view kFile = "file:";
  const auto word = read_text(reader.diagnostics, value, "secret");
  if (!word) return;
  if (!word->text.starts_with("env:") && !word->text.starts_with(kFile)) {
    reader.diagnostics.error(word->place, "`secret` says where the login's secret is, never what it is",
                             "write env:NAME or file:PATH");
    return;
  }
  if (const auto problem = check_source(word->text)) reader.diagnostics.error(word->place, *problem);
  reader.vault.secret = word->text.starts_with(kFile)
                            ? std::string(kFile) + resolve_path(word->text.substr(kFile.size()), reader.file)
                            : word->text;
}

Schema methods() {
  Schema names = Schema::array();
  for (const auto name : kMethods) names.push_back(name);
  return {{"enum", std::move(names)}};
}
Schema secret_source() { return {{"type", "string"}, {"pattern", "^(env:[A-Za-z_][0-9A-Za-z_]*|file:.+)$"}}; }
Schema address() { return {{"type", "string"}, {"pattern", "^https?://[^/]+/?$"}}; }

constexpr Key<VaultReader> kLoginKeys[] = {
    {"method", "token, approle, jwt, kubernetes, cert or userpass", methods, read_method, true},
    {"mount", "Where the method is mounted, when it is not under its own name", shape::text, read_word<&VaultServer::mount>},
    {"role", "approle: the role_id; jwt, kubernetes, cert: the role's name", shape::text, read_word<&VaultServer::role>},
    {"user", "userpass: the user's name", shape::text, read_word<&VaultServer::user>},
    {"secret", "Where the token, secret_id, JWT or password is: env:NAME or file:PATH", secret_source, read_secret},
    {"wrapped", "true: the secret is a wrapping token that stands for it", shape::flag,
     [](VaultReader& reader, const YamlNode&, const YamlNode& value) {
       reader.vault.wrapped = read_flag(reader.diagnostics, value, "wrapped").value_or(false);
     }},
};

// What each method cannot do without, and what it would not look at.
void read_login(VaultReader& reader, const YamlNode&, const YamlNode& node) {
  read_section(reader.diagnostics, node, "`auth`", kLoginKeys, reader, {},
               "for instance: auth: {method: approle, role: …, secret: file:secret-id}");
  const auto& vault = reader.vault;
  const auto& method = vault.method;
  if (method.empty() || reader.diagnostics.has_errors()) return;
  const auto refuse = [&](std::string_view key, bool needed) {
    reader.diagnostics.error(node.place,
                             fmt::format("`auth` by {} {} `{}`", method, needed ? "needs" : "has no use for", key),
                             needed ? "add it" : "remove it");
  };
  const bool takes_role = method != "token" && method != "userpass";
  if (takes_role && method != "cert" && vault.role.empty()) refuse("role", true);
  if (!takes_role && !vault.role.empty()) refuse("role", false);
  if ((method == "userpass") != !vault.user.empty()) refuse("user", method == "userpass");
  if (vault.secret.empty() && (method == "approle" || method == "jwt" || method == "userpass" || vault.wrapped))
    refuse("secret", true);
  if (method == "cert" && !vault.secret.empty()) refuse("secret", false);
  if (method == "token" && !vault.mount.empty()) refuse("mount", false);
}

constexpr Key<VaultReader> kVaultKeys[] = {
    {"address", "https://host:port (or $VAULT_ADDR)", address, read_address},
    {"namespace", "Of Vault Enterprise and OpenBao (or $VAULT_NAMESPACE)", shape::text, read_word<&VaultServer::name_space>},
    {"ca_file", "Certificates (PEM) to verify the server with (or $VAULT_CACERT)", shape::text,
     read_path<&VaultServer::ca_file>},
    {"ca_path", "A folder of them (or $VAULT_CAPATH)", shape::text, read_path<&VaultServer::ca_path>},
    {"client_certificate", "weir's own (or $VAULT_CLIENT_CERT)", shape::text, read_path<&VaultServer::client_certificate>},
    {"client_key", "and its key (or $VAULT_CLIENT_KEY)", shape::text, read_path<&VaultServer::client_key>},
    {"server_name", "The name in the server's certificate, and for SNI (or $VAULT_TLS_SERVER_NAME)", shape::text,
     read_word<&VaultServer::server_name>},
    {"auth", "How to log in; without it by $VAULT_TOKEN or ~/.vault-token", [] { return section_schema(kLoginKeys); },
     read_login},
};

}  // namespace

void read_vault(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, VaultServer& vault) {
  VaultReader reader{diagnostics, file, vault};
  read_section(diagnostics, node, "`vault`", kVaultKeys, reader, {},
               "for instance: vault: {address: https://vault.example.com:8200}");
}

Schema vault_schema() { return section_schema(kVaultKeys); }

}  // namespace weir::policy
