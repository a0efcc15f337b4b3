#include "proxy/sigv4/canonical.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace weir::proxy::sigv4 {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

void append_escape(WipedText& out, char c) {
  const auto octet = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kHexDigits[octet >> 4]);
  out.push_back(kHexDigits[octet & 15]);
}

// The octet that stands at `at`, which moves past it; a '%' without two digits behind it stands for itself.
char take_octet(std::string_view text, std::size_t& at, bool& escaped) {
  const char c = text[at++];
  escaped = false;
  if (c != '%' || at + 2 > text.size()) return c;
  const int high = hex_value(text[at]), low = hex_value(text[at + 1]);
  if (high < 0 || low < 0) return c;
  at += 2;
  escaped = true;
  return static_cast<char>(static_cast<unsigned char>(high * 16 + low));
}

void append_encoded_anew(WipedText& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    bool escaped = false;
    char c = take_octet(text, at, escaped);
    if (c == '+' && !escaped) c = ' ';
    if (is_unreserved(c))
      out.push_back(c);
    else
      append_escape(out, c);
  }
}

bool may_stand_in_path(char c) {  // pchar of RFC 3986 §3.3, and the slash
  return is_unreserved(c) || std::string_view("/!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

// Dot segments are resolved and empty ones left out (RFC 3986 §5.2.4, and AWS's own rule for slashes that follow each other).
WipedText normalised(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const auto segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      kept.push_back(segment);
    else if (!kept.empty())
      kept.pop_back();
  }
  WipedText out;
  for (const auto segment : kept) out.append("/").append(segment);
  if (kept.empty() || path.ends_with('/')) out.push_back('/');
  return out;
}

}  // namespace

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_token(char c) { return is_unreserved(c) || std::string_view("!#$%&'*+^`|").find(c) != std::string_view::npos; }

void append_encoded(WipedText& out, std::string_view octets) {
  for (const char c : octets) {
    if (is_unreserved(c))
      out.push_back(c);
    else
      append_escape(out, c);
  }
}

std::vector<Parameter> parse_query(std::string_view query) {
  std::vector<Parameter> parameters;
  for (const auto text : split(query, '&')) {
    if (text.empty()) continue;
    const auto equals = text.find('=');
    Parameter& parameter = parameters.emplace_back();
    append_encoded_anew(parameter.name, text.substr(0, equals));
    parameter.has_value = equals != std::string_view::npos;
    if (parameter.has_value) append_encoded_anew(parameter.value, text.substr(equals + 1));
  }
  return parameters;
}

void append_query(WipedText& out, const std::vector<Parameter>& parameters) {
  for (const auto& parameter : parameters) {
    if (&parameter != &parameters.front()) out.push_back('&');
    out.append(parameter.name.view());
    if (parameter.has_value) out.append("=").append(parameter.value.view());
  }
}

void append_canonical_query(WipedText& out, const std::vector<Parameter>& parameters) {
  std::vector<std::pair<std::string_view, std::string_view>> sorted;
  sorted.reserve(parameters.size());
  for (const auto& parameter : parameters) sorted.emplace_back(parameter.name.view(), parameter.value.view());
  std::sort(sorted.begin(), sorted.end());
  for (bool first = true; const auto& [name, value] : sorted) {
    if (!std::exchange(first, false)) out.push_back('&');
    out.append(name).append("=").append(value);
  }
}

std::string decoded(std::string_view encoded) {
  std::string out;
  bool escaped = false;
  for (std::size_t at = 0; at < encoded.size();) out.push_back(take_octet(encoded, at, escaped));
  return out;
}

bool is_s3(std::string_view service) {
  return service == "s3" || service == "s3express" || service == "s3-outposts" || service == "s3-object-lambda";
}

WipedText wire_path(std::string_view path, bool s3) {
  WipedText out;
  if (!path.starts_with('/')) out.push_back('/');
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t from = at;
    bool escaped = false;
    const char c = take_octet(path, at, escaped);
    if (s3 ? is_unreserved(c) || (c == '/' && !escaped) : may_stand_in_path(c) && !escaped)
      out.push_back(c);
    else if (s3 || !escaped)
      append_escape(out, c);
    else
      out.append(path.substr(from, at - from));
  }
  return out;
}

void append_canonical_path(WipedText& out, std::string_view wire, bool s3) {
  if (s3) {
    out.append(wire);
    return;
  }
  const WipedText path = normalised(wire);
  for (const char c : path.view()) {
    if (c == '/' || is_unreserved(c))
      out.push_back(c);
    else
      append_escape(out, c);
  }
}

std::vector<std::string> names_to_sign(const DraftRequest& draft, std::string_view wanted) {
  std::vector<std::string> names{"host"};
  const auto list = split(wanted, ';');
  const auto usual = [&](std::string_view name) { return wanted.empty() && (name == "content-type" || name == "content-md5"); };
  for (const auto& field : draft.headers) {
    if (field.name.empty() || !std::all_of(field.name.begin(), field.name.end(), is_token)) continue;
    std::string name = to_lower(field.name);
    if (name.starts_with("x-amz-") || usual(name) || std::find(list.begin(), list.end(), name) != list.end()) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out.append(out.empty() ? "" : ";").append(name);
  return out;
}

void append_folded(WipedText& out, std::string_view value) {
  // The encoder of a head makes a space of a control character.
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  bool gap = false, begun = false;
  for (const char c : value) {
    if (blank(c)) {
      gap = begun;
      continue;
    }
    if (std::exchange(gap, false)) out.push_back(' ');
    out.push_back(c);
    begun = true;
  }
}

void append_canonical_headers(WipedText& out, const DraftRequest& draft, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    out.append(name).append(":");
    bool first = true;
    if (name == "host") {
      append_folded(out, draft.authority);
    } else {
      for (const auto& field : draft.headers) {
        if (!equals_ignoring_case(field.name, name)) continue;
        if (!std::exchange(first, false)) out.push_back(',');
        append_folded(out, field.value);
      }
    }
    out.push_back('\n');
  }
}

}  // namespace weir::proxy::sigv4
