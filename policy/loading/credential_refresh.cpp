// `refresh`: what a credential is exchanged for before it is used.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "policy/loading/credential_reader.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

using Kind = Refresh::Kind;

struct RefreshReader {
  Diagnostics& diagnostics;
  const std::string& file;
  Refresh& refresh;
  std::string_view kind{};
  std::map<std::string, Spot, std::less<>> places{};  // of the keys that are there
};

template <std::string Refresh::* kMember, WordCheck kCheck>
void read_word(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  reader.places[key.text] = key.place;
  read_checked(reader.diagnostics, value, key.text, kCheck, reader.refresh.*kMember);
}

// What a path is put behind.
void read_base_url(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  read_word<&Refresh::url, check_base_url>(reader, key, value);
  while (reader.refresh.url.ends_with('/')) reader.refresh.url.pop_back();
}

template <WordCheck kCheck>
void read_words_into(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  for (auto& word : read_list(reader.diagnostics, value, key.text, fmt::format("for instance: {}: [one, another]", key.text))) {
    if (const auto problem = kCheck(word.text))
      reader.diagnostics.error(word.place, *problem);
    else
      reader.refresh.scopes.push_back(std::move(word.text));
  }
}

template <WordCheck kName, WordCheck kValue>
void read_pairs(RefreshReader& reader, const YamlNode& key, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map || node.entries.empty()) {
    reader.diagnostics.error(node.place, fmt::format("`{}` must be a map from names to values", key.text));
    return;
  }
  for (const auto& [name, value] : node.entries) {
    if (const auto problem = kName(name->text)) {
      reader.diagnostics.error(name->place, *problem);
    } else if (value->kind != YamlNode::Kind::scalar) {
      reader.diagnostics.error(value->place, fmt::format("`{}` in `{}` must be a single value", printable(name->text, 80), key.text));
    } else if (const auto wrong = kValue(value->text)) {
      reader.diagnostics.error(value->place, *wrong);
    } else {
      reader.refresh.parameters.emplace_back(name->text, value->text);
    }
  }
}

void read_client_secret(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  read_word<&Refresh::client_secret, check_plain_source>(reader, key, value);
  reader.refresh.client_secret = resolve_source(reader.refresh.client_secret, reader.file);
}

void read_client_auth(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  constexpr std::array<std::string_view, 2> kWays = {"basic", "body"};
  reader.places[key.text] = key.place;
  const auto word = read_text(reader.diagnostics, value, "client_auth");
  if (!word) return;
  if (std::ranges::find(kWays, word->text) == kWays.end())
    reader.diagnostics.error(word->place, fmt::format("`{}` is not `basic` or `body`", printable(word->text, 60)), suggest(word->text, kWays));
  reader.refresh.secret_in_body = word->text == "body";
}

void read_role_duration(RefreshReader& reader, const YamlNode&, const YamlNode& value) {
  const auto word = read_text(reader.diagnostics, value, "duration");
  if (!word) return;
  const auto seconds = read_duration(word->text);
  if (!seconds)
    reader.diagnostics.error(word->place, seconds.error());
  else if (const auto problem = check_role_duration(*seconds))
    reader.diagnostics.error(word->place, *problem);
  else
    reader.refresh.duration_seconds = *seconds;
}

Schema matching(std::string_view pattern) { return {{"type", {"string", "number"}}, {"pattern", pattern}}; }
Schema url() { return matching(R"re(^(https://[^/?#@\\\s]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[1-9][0-9]{0,4})?)([/?][^#\\\s]*)?$)re"); }
Schema base_url() { return matching(R"re(^(https://[^/?#@\\\s]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[1-9][0-9]{0,4})?)(/[^?#\\\s]*)?$)re"); }
Schema grant() { return {{"enum", {"client_credentials", "refresh_token"}}}; }
Schema client_auth() { return {{"enum", {"basic", "body"}}}; }
Schema plain_source() { return matching("^(env:[A-Za-z_][0-9A-Za-z_]*|file:.+|store:[0-9A-Za-z._/-]+(@[1-9][0-9]*)?)$"); }
Schema visible() { return {{"type", {"string", "number", "boolean"}}, {"pattern", "^[!-~]+$"}}; }
Schema number() { return {{"type", {"string", "integer"}}, {"pattern", "^[1-9][0-9]*$"}}; }
Schema texts() { return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}}; }
Schema permissions() { return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", {{"enum", {"read", "write", "admin"}}}}}; }
Schema arn() { return matching("^arn:[0-9A-Za-z-]+:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$"); }
Schema region() { return matching("^[0-9A-Za-z_-]{1,64}$"); }
Schema session() { return matching("^[0-9A-Za-z_+=,.@-]{2,64}$"); }
Schema external_id() { return matching("^[0-9A-Za-z_+=,.@:/-]{2,1224}$"); }

constexpr Key<RefreshReader> kOauth2Keys[] = {
    {"token_url", "https://login.example.com/oauth/token", url, read_word<&Refresh::url, check_endpoint>, true},
    {"grant", "client_credentials: `from` gives the client's secret; refresh_token: it gives the refresh token", grant,
     read_word<&Refresh::grant, check_grant>, true},
    {"client_id", "The client's name with the service", visible, read_word<&Refresh::client_id, check_client_id>, true},
    {"client_secret", "refresh_token: where the client's secret is, env:NAME, file:PATH or store:ENTRY; without it the client is public", plain_source,
     read_client_secret},
    {"client_auth", "How the client's secret is sent: basic (when left out) or in the body", client_auth, read_client_auth},
    {"scopes", "What the token shall be good for", shape::words, read_words_into<check_scope>},
    {"parameters", "More of the form: {audience: …}", texts, read_pairs<check_form_name, check_form_value>},
};

constexpr std::string_view kGithub = "https://api.github.com";
constexpr Key<RefreshReader> kGithubKeys[] = {
    {"app", "The App's id or client id", visible, read_word<&Refresh::client_id, check_client_id>, true},
    {"installation", "The installation's number", number, read_word<&Refresh::account, check_number>, true},
    {"api", "https://api.github.com when left out", base_url, read_base_url},
    {"repositories", "Those alone, by their names without the owner; all of the installation when left out", shape::words,
     read_words_into<check_repository>},
    {"permissions", "Those alone: {contents: read}; all of the installation when left out", permissions,
     read_pairs<check_permission, check_access>},
};

constexpr Key<RefreshReader> kGoogleKeys[] = {
    {"scopes", "What the token shall be good for", shape::words, read_words_into<check_scope>, true},
    {"subject", "The user for whom the service account acts", visible, read_word<&Refresh::account, check_subject>},
    {"token_url", "As the key says when left out", url, read_word<&Refresh::url, check_endpoint>},
};

constexpr Key<RefreshReader> kRoleKeys[] = {
    {"role", "arn:aws:iam::ACCOUNT:role/NAME", arn, read_word<&Refresh::account, check_role>, true},
    {"region", "Whose STS is asked", region, read_word<&Refresh::region, check_region>, true},
    {"session", "The name of the role's session", session, read_word<&Refresh::session, check_session_name>},
    {"external_id", "As the role's trust policy wants it", external_id, read_word<&Refresh::external_id, check_external_id>},
    {"duration", "15min to 12h; 1h when left out", shape::duration, read_role_duration},
    {"web_identity", "true: `from` gives an OIDC token instead of keys", shape::flag,
     [](RefreshReader& reader, const YamlNode&, const YamlNode& value) {
       reader.refresh.web_identity = read_flag(reader.diagnostics, value, "web_identity").value_or(false);
     }},
    {"endpoint", "https://sts.REGION.amazonaws.com when left out", base_url, read_base_url},
};

template <Kind kKind, auto& kKeys>
void read_kind(RefreshReader& reader, const YamlNode& key, const YamlNode& value) {
  if (!reader.kind.empty()) {
    reader.diagnostics.error(key.place, fmt::format("`{}` has no place beside `{}`: a credential is exchanged in one way", key.text, reader.kind),
                             "remove one");
    return;
  }
  reader.kind = key.text;
  reader.refresh.kind = kKind;
  if (kKind == Kind::github_app) reader.refresh.url = kGithub;
  read_section(reader.diagnostics, value, fmt::format("`{}`", key.text), kKeys, reader);
  for (const auto& found : find_contradictions(reader.refresh)) {
    const auto place = reader.places.find(found.key);
    reader.diagnostics.error(place == reader.places.end() ? key.place : place->second, found.problem);
  }
}

constexpr Key<RefreshReader> kRefreshKeys[] = {
    {"oauth2", "A token endpoint (RFC 6749)", [] { return section_schema(kOauth2Keys); }, read_kind<Kind::oauth2, kOauth2Keys>},
    {"github_app", "A GitHub App's installation: `from` gives the App's private key, PEM", [] { return section_schema(kGithubKeys); },
     read_kind<Kind::github_app, kGithubKeys>},
    {"google", "A Google service account: `from` gives its key, JSON", [] { return section_schema(kGoogleKeys); },
     read_kind<Kind::google, kGoogleKeys>},
    {"aws_role", "A role of AWS: `from` gives keys that may assume it, or an OIDC token", [] { return section_schema(kRoleKeys); },
     read_kind<Kind::aws_role, kRoleKeys>},
};

}  // namespace

void read_refresh(CredentialReader& reader, const YamlNode& key, const YamlNode& node) {
  reader.refresh = key.place;
  RefreshReader refresh{reader.diagnostics, reader.file, reader.credential.refresh};
  read_section(reader.diagnostics, node, "`refresh`", kRefreshKeys, refresh, {},
               "for instance: refresh: {github_app: {app: \"12345\", installation: \"678\"}}");
  if (node.kind == YamlNode::Kind::map && node.entries.empty())
    reader.diagnostics.error(node.place, "`refresh` needs the key `oauth2`, `github_app`, `google` or `aws_role`");
}

Schema refresh_schema() {
  Schema schema = section_schema(kRefreshKeys);
  schema["minProperties"] = 1;
  schema["maxProperties"] = 1;
  return schema;
}

}  // namespace weir::policy
