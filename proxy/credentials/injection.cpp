#include "proxy/credentials/injection.h"

#include <algorithm>

#include "proxy/credentials/base64_text.h"
#include "proxy/credentials/cookies.h"
#include "proxy/credentials/field_value.h"
#include "proxy/credentials/percent.h"

namespace weir::proxy {
namespace {

using Kind = policy::Injection::Kind;
constexpr std::string_view kMark = "{secret}";

// `format` with the secret at each mark; a format that was left out is the secret alone.
void append_filled(std::string_view format, std::string_view secret, WipedText& out) {
  if (format.empty()) format = kMark;
  std::size_t marks = 0;
  for (auto at = format.find(kMark); at != std::string_view::npos; at = format.find(kMark, at + kMark.size())) ++marks;
  out.reserve(out.size() + format.size() + marks * secret.size());
  for (auto at = format.find(kMark); at != std::string_view::npos; at = format.find(kMark)) {
    out.append(format.substr(0, at)).append(secret);
    format.remove_prefix(at + kMark.size());
  }
  out.append(format);
}

Result<void> set_header(std::string_view name, WipedText value, DraftRequest& draft) {
  if (!is_usable_field_value(value.view()))
    return unusable("cannot stand in a header: it has control characters, or white space at an end");
  std::erase_if(draft.headers, [&](const HeaderField& field) { return is_same_field(field.name, name); });
  draft.headers.push_back({name, draft.keep(std::move(value))});
  return {};
}

Result<void> set_basic(const policy::Injection& injection, std::string_view secret, DraftRequest& draft) {
  WipedText pair(injection.username);
  pair.push_back(':');
  append_filled(injection.format, secret, pair);
  if (injection.username.find(':') != std::string::npos || has_controls(pair.view()))
    return unusable("cannot stand in Basic credentials: they have control characters, or the username has a colon");
  WipedText value;
  value.reserve(8 + pair.size() / 3 * 4 + 4);
  value.append("Basic ");
  append_base64(pair.view(), value);
  return set_header("Authorization", std::move(value), draft);
}

// SECURITY: G2, ';' parts parameters for some servers; one of weir's name must not survive behind it either.
void set_query(const policy::Injection& injection, std::string_view secret, DraftRequest& draft) {
  WipedText value, query;
  append_filled(injection.format, secret, value);
  query.reserve(draft.query.size() + 2 + 3 * (injection.name.size() + value.size()));
  std::string_view rest = draft.query;
  bool empty = true;
  for (char before = '&'; !draft.query.empty();) {
    const auto end = rest.find_first_of("&;");
    const auto part = rest.substr(0, end);
    if (!is_name(part.substr(0, part.find('=')), injection.name)) {
      if (!empty) query.push_back(before);
      query.append(part);
      empty = false;
    }
    if (end == std::string_view::npos) break;
    before = rest[end];
    rest.remove_prefix(end + 1);
  }
  if (!empty) query.push_back('&');
  append_percent_encoded(injection.name, query);
  query.push_back('=');
  append_percent_encoded(value.view(), query);
  draft.query = draft.keep(std::move(query));
  draft.has_query = true;
}

}  // namespace

Result<void> inject(const policy::Injection& injection, std::string_view secret, DraftRequest& draft) {
  if (secret.empty()) return unusable("is empty");
  WipedText value;
  switch (injection.kind) {
    case Kind::header:
      append_filled(injection.format, secret, value);
      return set_header(injection.name, std::move(value), draft);
    case Kind::basic:
      return set_basic(injection, secret, draft);
    case Kind::query:
      set_query(injection, secret, draft);
      return {};
    case Kind::cookie:
      append_filled(injection.format, secret, value);
      return set_cookie(injection.name, value.view(), draft);
    case Kind::none:
    case Kind::client_certificate:
    case Kind::aws_sigv4:
      break;
  }
  return {};
}

bool takes_the_place_of(const policy::Injection& injection, std::string_view header, bool trailer) {
  const auto is_any_of = [&](std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return is_same_field(header, name); });
  };
  switch (injection.kind) {
    case Kind::header:
      return is_same_field(header, injection.name);
    case Kind::basic:
      return is_any_of({"authorization"});
    case Kind::aws_sigv4:
      return is_any_of({"authorization"}) ||
             (trailer && is_any_of({"x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}));
    case Kind::cookie:
      return trailer && is_any_of({"cookie"});
    case Kind::none:
    case Kind::query:
    case Kind::client_certificate:
      break;
  }
  return false;
}

std::string place_of(const policy::Credential& credential) {
  switch (credential.inject.kind) {
    case Kind::header:
      return "header " + credential.inject.name;
    case Kind::basic:
      return "basic";
    case Kind::query:
      return "query " + credential.inject.name;
    case Kind::cookie:
      return "cookie " + credential.inject.name;
    case Kind::client_certificate:
      return "client certificate";
    case Kind::aws_sigv4:
      return "aws signature";
    case Kind::none:
      break;
  }
  return credential.substitutes() ? "placeholder" : "";
}

}  // namespace weir::proxy
