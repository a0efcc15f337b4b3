// `inject`: how a credential is put into a request.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/loading/credential_reader.h"

namespace weir::policy {

namespace {

using Kind = Injection::Kind;

constexpr std::string_view kCertificate = "client_certificate";
constexpr std::string_view kExample = "for instance: inject: {header: Authorization, format: \"Bearer {secret}\"}";

struct InjectReader {
  Diagnostics& diagnostics;
  Injection& inject;
  std::string_view kind{};     // the key that says how
  std::optional<Word> format{};
  std::optional<Spot> format_key{};
};

void read_basic(InjectReader& reader, const YamlNode& value);
void read_signature(InjectReader& reader, const YamlNode& value);

// Of several ways, the first in the file is taken and the others are reported.
bool begin(InjectReader& reader, const YamlNode& key, Kind kind) {
  if (!reader.kind.empty()) {
    reader.diagnostics.error(key.place, fmt::format("`{}` has no place beside `{}`: a credential is put in in one way", key.text, reader.kind),
                             "make it two credentials");
    return false;
  }
  reader.kind = key.text;
  reader.inject.kind = kind;
  return true;
}

template <Kind kKind, WordCheck kCheck>
void read_named(InjectReader& reader, const YamlNode& key, const YamlNode& value) {
  if (begin(reader, key, kKind)) read_checked(reader.diagnostics, value, key.text, kCheck, reader.inject.name);
}

Schema parameter() { return {{"type", {"string", "number", "boolean"}}, {"pattern", "^[^ &=#%+;\\u007f-\\uffff]{1,128}$"}}; }
Schema cookie() { return {{"type", {"string", "number", "boolean"}}, {"pattern", "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$"}}; }
Schema username() { return {{"type", {"string", "number", "boolean"}}, {"pattern", "^[^:]*$"}, {"maxLength", 256}}; }
Schema region() { return {{"type", "string"}, {"pattern", "^[0-9A-Za-z_-]{1,64}$"}}; }
Schema service() { return {{"type", "string"}, {"pattern", "^[0-9A-Za-z._-]{1,64}$"}}; }

// May be empty: some services want the password alone.
void read_username(InjectReader& reader, const YamlNode&, const YamlNode& value) {
  if (value.kind == YamlNode::Kind::scalar && value.text.empty()) return;
  read_checked(reader.diagnostics, value, "username", check_username, reader.inject.username);
}

constexpr Key<InjectReader> kBasicKeys[] = {
    {"username", "As the service wants it; often it is the same for all tokens", username, read_username, true},
    {"password", "{secret} stands for the secret; when left out, the password is the secret", shape::format,
     [](InjectReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "password", check_password, reader.inject.format);
     }},
};

constexpr Key<InjectReader> kSignatureKeys[] = {
    {"region", "Of the signature; when left out, as the client's own says", region,
     [](InjectReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "region", check_region, reader.inject.region);
     }},
    {"service", "Of the signature; when left out, as the client's own says", service,
     [](InjectReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "service", check_service, reader.inject.service);
     }},
};

constexpr Key<InjectReader> kInjectKeys[] = {
    {"header", "The request header that carries the value; what the client sent in it is dropped", shape::header,
     read_named<Kind::header, check_header>},
    {"format", "What stands in the header, parameter or cookie: {secret} stands for the secret", shape::format,
     [](InjectReader& reader, const YamlNode& key, const YamlNode& value) {
       reader.format_key = key.place;
       reader.format = read_text(reader.diagnostics, value, "format");
     }},
    {"basic", "Authorization: Basic, of a user name and a password", [] { return section_schema(kBasicKeys); },
     [](InjectReader& reader, const YamlNode& key, const YamlNode& value) {
       if (begin(reader, key, Kind::basic)) read_basic(reader, value);
     }},
    {"query", "The parameter of the query that carries the value", parameter, read_named<Kind::query, check_query_name>},
    {"cookie", "The cookie that carries the value; the client's others stay", cookie, read_named<Kind::cookie, check_cookie_name>},
    {"aws_sigv4", "The request is signed anew, with AWS Signature Version 4", [] { return section_schema(kSignatureKeys); },
     [](InjectReader& reader, const YamlNode& key, const YamlNode& value) {
       if (begin(reader, key, Kind::aws_sigv4)) read_signature(reader, value);
     }},
};
constexpr std::array<std::string_view, 6> kWays = {"header", "basic", "query", "cookie", "aws_sigv4", kCertificate};

void read_basic(InjectReader& reader, const YamlNode& value) {
  reader.inject.format = kWholeSecret;
  read_section(reader.diagnostics, value, "`basic`", kBasicKeys, reader, {}, "for instance: inject: {basic: {username: x-access-token}}");
}

void read_signature(InjectReader& reader, const YamlNode& value) {
  read_section(reader.diagnostics, value, "`aws_sigv4`", kSignatureKeys, reader, {}, "for instance: inject: {aws_sigv4: {region: eu-central-1, service: s3}}");
}

// `format` can be judged when the way is known, whatever their order in the file.
void finish_format(InjectReader& reader, const YamlNode& node) {
  const auto kind = reader.inject.kind;
  if (kind == Kind::basic || kind == Kind::aws_sigv4) {
    if (reader.format_key)
      reader.diagnostics.error(*reader.format_key, fmt::format("`format` has no place beside `{}`", reader.kind),
                               kind == Kind::basic ? "it goes under `basic`, as `password`" : "remove it");
    return;
  }
  if (!reader.format_key) {
    if (kind == Kind::header)
      reader.diagnostics.error(node.place, "`inject` needs the key `format`", std::string(kExample));
    else
      reader.inject.format = kWholeSecret;
  } else if (reader.format) {
    if (const auto problem = (kind == Kind::cookie ? check_cookie_format : check_format)(reader.format->text))
      reader.diagnostics.error(reader.format->place, *problem);
    else
      reader.inject.format = std::move(reader.format->text);
  }
}

bool read_certificate(CredentialReader& reader, const YamlNode& node) {
  auto& diagnostics = reader.diagnostics;
  if (node.kind == YamlNode::Kind::scalar) {
    if (node.text == kCertificate)
      reader.credential.inject.kind = Kind::client_certificate;
    else
      diagnostics.error(node.place, fmt::format("`{}` is no way to put a credential in", printable(node.text, 60)),
                        nearest(node.text, kWays) == kCertificate ? fmt::format("did you mean `{}`?", kCertificate) : std::string(kExample));
    return true;
  }
  for (const auto& [key, value] : node.entries)
    if (key->text == kCertificate) {
      diagnostics.error(key->place, "`client_certificate` is a word of its own: there is nothing to say about it", "write `inject: client_certificate`");
      return true;
    }
  return false;
}

}  // namespace

void read_inject(CredentialReader& reader, const YamlNode& key, const YamlNode& node) {
  reader.inject = key.place;
  if (read_certificate(reader, node)) return;
  InjectReader inject{reader.diagnostics, reader.credential.inject};
  read_section(reader.diagnostics, node, "`inject`", kInjectKeys, inject, {}, kExample);
  if (node.kind != YamlNode::Kind::map) return;
  const bool has_others = std::ranges::any_of(node.entries, [](const auto& entry) { return entry.first->text != "format"; });
  if (inject.kind.empty() && has_others) return;  // told already: they are unknown, or have no value
  if (inject.kind.empty())
    reader.diagnostics.error(node.place, "`inject` needs the key `header`, `basic`, `query`, `cookie` or `aws_sigv4`", std::string(kExample));
  else
    finish_format(inject, node);
}

Schema inject_schema() {
  const auto having = [](std::initializer_list<std::string_view> keys) {
    Schema list = Schema::array();
    for (const auto key : keys) list.push_back(key);
    return Schema{{"required", std::move(list)}};
  };
  const auto without_format = [&](std::string_view key) {
    Schema one = having({key});
    one["not"] = having({"format"});
    return one;
  };
  Schema map = section_schema(kInjectKeys);
  map["oneOf"] = Schema::array({having({"header", "format"}), without_format("basic"), having({"query"}), having({"cookie"}), without_format("aws_sigv4")});
  return {{"anyOf", Schema::array({{{"const", kCertificate}}, std::move(map)})}};
}

}  // namespace weir::policy
