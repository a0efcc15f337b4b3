#include <array>
#include <vector>

#include "base/text.h"
#include "policy/canonical.h"

namespace weir::policy {

namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_unreserved(unsigned char c) {  // RFC 3986 §2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

bool may_stand_raw(unsigned char c) {  // pchar, RFC 3986 §3.3, and the slash
  return is_unreserved(c) || std::string_view("/!$&'()*+,;=:@").find(static_cast<char>(c)) != std::string_view::npos;
}

void append_escape(std::string& out, unsigned char c) {
  out += '%';
  out += kHexDigits[c >> 4];
  out += kHexDigits[c & 15];
}

// The input with every escape in one form: unreserved octets bare, everything else escaped in upper case.
std::string normalise_escapes(std::string_view path, bool& ambiguous) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto c = static_cast<unsigned char>(path[i]);
    if (c == '%') {
      const int high = i + 1 < path.size() ? hex_value(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
      if (high < 0 || low < 0) {
        ambiguous = true;
        out += "%25";
        continue;
      }
      c = static_cast<unsigned char>(high * 16 + low);
      i += 2;
      if (c < 0x20 || c == 0x7f || c == '\\') ambiguous = true;
      if (is_unreserved(c))
        out += static_cast<char>(c);
      else
        append_escape(out, c);
    } else if (may_stand_raw(c)) {
      out += static_cast<char>(c);
    } else {
      // A query or fragment mark has no place in a path, and a backslash or a control is what parsers disagree on.
      if (c < 0x20 || c == 0x7f || c == '\\' || c == '?' || c == '#') ambiguous = true;
      append_escape(out, c);
    }
  }
  return out;
}

// Every escape undone but the slash's. `wire` is well formed.
std::string decode_all(std::string_view wire, bool& encoded_slash) {
  std::string out;
  out.reserve(wire.size());
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (wire[i] != '%') {
      out += wire[i];
      continue;
    }
    const char c = static_cast<char>(hex_value(wire[i + 1]) * 16 + hex_value(wire[i + 2]));
    i += 2;
    if (c == '/') {
      encoded_slash = true;
      out += "%2F";
    } else {
      out += c;
    }
  }
  return out;
}

// Whether undoing the escapes once more would change the meaning again. The octets that follow "%25" are looked at in
// their normal form, so that %25%32%65 counts as well.
bool is_doubly_encoded(std::string_view wire) {
  for (auto at = wire.find("%25"); at != std::string_view::npos; at = wire.find("%25", at + 3))
    if (at + 4 < wire.size() && hex_value(wire[at + 3]) >= 0 && hex_value(wire[at + 4]) >= 0) return true;
  return false;
}

bool is_dots(std::string_view segment) { return segment == "." || segment == ".."; }

// What a server that cuts off path parameters would take for a dot segment ("..;x"), whichever way the ";" is written.
bool is_dots_with_parameter(std::string_view segment) {
  for (const std::string_view mark : {";", "%3B"})
    if (const auto at = segment.find(mark); at != std::string_view::npos && is_dots(segment.substr(0, at))) return true;
  return false;
}

// Whether a server that undoes %2F would find a dot segment or an empty one here.
bool hides_segments(std::string_view segment) {
  if (segment.find("%2F") == std::string_view::npos) return false;
  for (;;) {
    const auto at = segment.find("%2F");
    const auto piece = segment.substr(0, at);
    if (piece.empty() || is_dots(piece) || is_dots_with_parameter(piece)) return true;
    if (at == std::string_view::npos) return false;
    segment.remove_prefix(at + 3);
  }
}

// RFC 3986 §5.2.4. An escape never hides a dot here: normalise_escapes has undone those.
std::string resolve_dots(const std::string& path, bool& ambiguous) {
  std::vector<std::string_view> kept;
  const auto segments = split(std::string_view(path).substr(1), '/');
  bool ends_with_slash = false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto segment = segments[i];
    const bool last = i + 1 == segments.size();
    if (is_dots_with_parameter(segment) || hides_segments(segment)) ambiguous = true;
    if (segment.empty() && !last) ambiguous = true;
    if (segment == "..") {
      if (kept.empty())
        ambiguous = true;
      else
        kept.pop_back();
    } else if (segment != "." && !(segment.empty() && last)) {
      kept.push_back(segment);
    }
    if (last) ends_with_slash = segment.empty() || is_dots(segment);
  }
  std::string out;
  out.reserve(path.size());
  for (const auto segment : kept) {
    out += '/';
    out += segment;
  }
  if (ends_with_slash || kept.empty()) out += '/';
  return out;
}

}  // namespace

CanonicalPath canonical_path(std::string_view path) {
  CanonicalPath result;
  const bool rooted = path.starts_with('/');
  if (!rooted) result.ambiguous = true;
  std::string escaped = (rooted ? "" : "/") + normalise_escapes(path, result.ambiguous);
  if (is_doubly_encoded(escaped)) result.ambiguous = true;
  std::string resolved = resolve_dots(escaped, result.ambiguous);
  // SECURITY: G7, what two servers could read differently is not rewritten into something that looks clean.
  result.wire = result.ambiguous ? std::move(escaped) : std::move(resolved);
  result.decoded = decode_all(result.wire, result.encoded_slash);
  if (valid_utf8_prefix(result.decoded) != result.decoded.size()) result.ambiguous = true;
  return result;
}

}  // namespace weir::policy
