#include "proxy/leaks/token_match.h"

#include <algorithm>
#include <string>

#include "proxy/leaks/token_patterns.h"

namespace weir::proxy::leaks {
namespace {

using Kind = TokenVerdict::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_word(char c) { return is_digit(c) || is_upper(c) || is_lower(c) || c == '_' || c == '-'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_base64(char c) { return is_word(c) ? c != '_' && c != '-' : c == '+' || c == '/'; }

bool is_mixed(std::string_view token) {
  const int kinds = std::any_of(token.begin(), token.end(), is_digit) + std::any_of(token.begin(), token.end(), is_upper) +
                    std::any_of(token.begin(), token.end(), is_lower);
  return kinds >= (token.size() < 32 ? 2 : 3);
}

// Nothing of a word stands before `at`; an escaped octet (%3D) or character (\n) is no word.
bool begins_word(std::string_view bytes, std::size_t at, std::string_view before) {
  const auto back = [&](std::size_t by) { return by <= at ? bytes[at - by] : by - at <= before.size() ? before[before.size() - (by - at)] : ' '; };
  if (!is_word(back(1)) || back(2) == '\\') return true;
  return back(3) == '%' && is_hex(back(2)) && is_hex(back(1));
}

std::size_t run_of(std::string_view bytes, std::size_t at, bool (*in)(char)) {
  std::size_t end = at;
  while (end < bytes.size() && in(bytes[end])) ++end;
  return end - at;
}

// What is read at an anchor, as every check needs it.
struct Place {
  const TokenShape& shape;
  std::string_view bytes;
  std::size_t at = 0;  // of the anchor
  bool last = false;
  std::string_view before;

  bool begins_word(std::size_t where) const { return leaks::begins_word(bytes, where, before); }
  std::size_t after() const { return at + shape.anchor.size(); }
  TokenVerdict need_more() const { return {.kind = last ? Kind::no : Kind::more, .begin = at}; }
  TokenVerdict yes(std::size_t begin, std::size_t end) const { return {.kind = Kind::yes, .begin = begin, .end = end}; }
};

TokenVerdict by_form(const Place& place) {
  const auto rest = place.bytes.substr(place.after());
  const auto match = match_form(place.shape.form, rest, place.last);
  if (match.kind == FormMatch::Kind::more) return place.need_more();
  if (match.kind == FormMatch::Kind::no) return {};
  const auto token = rest.substr(0, match.size);
  if (place.shape.check == TokenCheck::crc32 ? !ends_in_crc32(token) : looks_made_up(token)) return {};
  if (place.shape.check == TokenCheck::mixed && !is_mixed(token)) return {};
  return place.yes(place.at, place.after() + match.size);
}

// 40 characters of base64 that stand by themselves within `reach` characters behind `from`; only what stands between a name and its
// value may be between.
TokenVerdict aws_secret(const Place& place) {
  constexpr std::size_t kSecret = 40, kReach = 64;
  std::size_t from = place.after();
  const bool id = !place.shape.any_case;
  if (id) {
    const auto match = match_form(place.shape.form, place.bytes.substr(from), place.last);
    if (match.kind == FormMatch::Kind::more) return place.need_more();
    if (match.kind == FormMatch::Kind::no) return {};
    from += match.size;
  }
  std::size_t at = from;
  while (at < place.bytes.size() && at < from + kReach) {
    const std::size_t size = run_of(place.bytes, at, is_base64);
    if (at + size == place.bytes.size() && size <= kSecret && !place.last) return place.need_more();
    if (size == kSecret) {
      const auto token = place.bytes.substr(at, size);
      if (is_mixed(token) && !looks_made_up(token)) return place.yes(at, at + size);
      return {};
    }
    if (size > kSecret || (size > 12 && !id)) return {};
    at += std::max<std::size_t>(size, 1);
  }
  return at == place.bytes.size() && at < from + kReach ? place.need_more() : TokenVerdict{};
}

int base64_value(char c) {
  if (is_upper(c)) return c - 'A';
  if (is_lower(c)) return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '-' || c == '+' ? 62 : 63;
}

std::string decode(std::string_view base64) {
  std::string text;
  unsigned bits = 0, count = 0;
  for (const char c : base64) {
    bits = (bits << 6 | static_cast<unsigned>(base64_value(c))) & 0xFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    text += static_cast<char>(bits >> count & 0xFF);
  }
  return text;
}

// RFC 7515 §3.1. The payload of RFC 7515's own and of jwt.io's example is known; what has no signature proves nothing to anybody.
TokenVerdict jwt(const Place& place) {
  constexpr std::size_t kShortestSignature = 20, kLongestHeader = 1024, kEnough = kLongestRun - 64;
  const auto bytes = place.bytes;
  const std::size_t header = run_of(bytes, place.at, is_word), dot = place.at + header;
  if (header > kLongestHeader) return {};
  if (dot == bytes.size()) return place.need_more();
  if (bytes[dot] != '.') return {};
  const auto head = decode(bytes.substr(place.at, header));
  if (head.find("\"alg\"") == std::string::npos || !head.ends_with('}')) return {};
  const std::size_t payload = run_of(bytes, dot + 1, is_word), second = dot + 1 + payload;
  if (second - place.at >= kEnough) return place.yes(place.at, place.at + kEnough);
  if (second == bytes.size()) return place.need_more();
  if (bytes[second] != '.' || payload < 16) return {};
  const auto claims = decode(bytes.substr(dot + 1, payload));
  if (claims.find("John Doe") != std::string::npos || claims.find("\"iss\":\"joe\"") != std::string::npos) return {};
  const std::size_t signature = run_of(bytes, second + 1, is_word), end = second + 1 + signature;
  if (end - place.at >= kEnough) return place.yes(place.at, place.at + kEnough);
  if (end == bytes.size() && !place.last) return place.need_more();
  if (signature < kShortestSignature || looks_made_up(bytes.substr(second + 1, signature))) return {};
  return place.yes(place.at, end);
}

// "-----BEGIN " … "PRIVATE KEY-----" and a line of base64, behind a line's end in any of the ways that it is written. RFC 1421 §4.6's header fields
// (of an encrypted key) may stand between. A key that is cut short in an example has no such line.
TokenVerdict private_key(const Place& place) {
  constexpr std::string_view kMark = "PRIVATE KEY";
  constexpr std::size_t kLongestLabel = 32, kLine = 40, kReach = 256;
  const auto bytes = place.bytes;
  std::size_t at = place.after();
  while (at < bytes.size() && at < place.after() + kLongestLabel && (is_upper(bytes[at]) || is_digit(bytes[at]) || bytes[at] == ' ')) ++at;
  if (at == bytes.size()) return place.need_more();
  if (bytes.substr(place.after(), at - place.after()).find(kMark) == std::string_view::npos) return {};
  const std::size_t from = at;
  while (at < bytes.size() && at < from + kReach) {
    if (bytes.substr(at).starts_with("-----END")) return {};
    // An escaped line feed's letter is no part of the line.
    if (bytes[at] == '\\' && at + 1 < bytes.size()) {
      at += 2;
      continue;
    }
    const std::size_t size = run_of(bytes, at, is_base64);
    if (size >= kLine) {
      if (looks_made_up(bytes.substr(at, kLine))) return {};
      return place.yes(place.at, at + kLine);
    }
    at += std::max<std::size_t>(size, 1);
  }
  return at >= bytes.size() && at < from + kReach ? place.need_more() : TokenVerdict{};
}

TokenVerdict openai(const Place& place) {
  constexpr std::size_t kLongestFront = 200, kShortestFront = 19;
  std::size_t begin = place.at;
  while (begin > 0 && place.at - begin < kLongestFront && is_word(place.bytes[begin - 1])) --begin;
  const auto front = place.bytes.substr(begin, place.at - begin);
  const std::size_t prefix = front.rfind("sk-");
  if (prefix == std::string_view::npos || front.size() - prefix < kShortestFront) return {};
  auto verdict = by_form(place);
  if (verdict.kind != Kind::no) verdict.begin = begin + prefix;
  return verdict;
}

TokenVerdict telegram(const Place& place) {
  std::size_t digits = 0;
  while (digits < place.at && digits < 11 && is_digit(place.bytes[place.at - digits - 1])) ++digits;
  // A bot's address in the API is …/bot<token>/method.
  const auto front = place.at > digits ? place.bytes.substr(0, place.at - digits) : place.before;
  const bool free = place.begins_word(place.at - digits) || front.ends_with("t");
  if (digits < 8 || digits > 10 || !free) return {};
  auto verdict = by_form(place);
  if (verdict.kind != Kind::no) verdict.begin = place.at - digits;
  return verdict;
}

// 14 characters and a dot come before the mark; in pieces they may have gone.
TokenVerdict terraform(const Place& place) {
  constexpr std::size_t kFront = 14;
  if (place.at > 0 && place.bytes[place.at - 1] != '.') return {};
  auto verdict = by_form(place);
  if (verdict.kind != Kind::yes || place.at == 0) return verdict;
  verdict.begin = place.at - 1;
  while (verdict.begin > 0 && place.at - verdict.begin <= kFront && is_word(place.bytes[verdict.begin - 1])) --verdict.begin;
  return verdict;
}

// The first place within reach behind the anchor where one of `forms` stands by itself.
TokenVerdict near(const Place& place, std::initializer_list<std::string_view> forms) {
  constexpr std::size_t kReach = 128;
  const auto bytes = place.bytes;
  std::size_t at = place.after();
  const std::size_t end = at + kReach;
  for (; at < bytes.size() && at < end; ++at) {
    if (!is_word(bytes[at]) || !place.begins_word(at)) continue;
    for (const auto form : forms) {
      const auto match = match_form(form, bytes.substr(at), place.last);
      if (match.kind == FormMatch::Kind::more) return place.need_more();
      if (match.kind == FormMatch::Kind::yes && !looks_made_up(bytes.substr(at, match.size))) return place.yes(at, at + match.size);
    }
  }
  return at < end ? place.need_more() : TokenVerdict{};
}

}  // namespace

TokenVerdict token_at(const TokenShape& shape, std::string_view bytes, std::size_t at, bool last, std::string_view before) {
  if (!shape.inside && !begins_word(bytes, at, before)) return {};
  const Place place{.shape = shape, .bytes = bytes, .at = at, .last = last, .before = before};
  switch (shape.check) {
    case TokenCheck::random:
    case TokenCheck::mixed:
    case TokenCheck::crc32: return by_form(place);
    case TokenCheck::aws_secret: return aws_secret(place);
    case TokenCheck::jwt: return jwt(place);
    case TokenCheck::private_key: return private_key(place);
    case TokenCheck::openai: return openai(place);
    case TokenCheck::telegram: return telegram(place);
    case TokenCheck::terraform: return terraform(place);
    // A user's id in base64, a time, a signature.
    case TokenCheck::near_discord: return near(place, {"M%w{23,27}.%w{6}.%w{27,40}", "N%w{23,27}.%w{6}.%w{27,40}", "O%w{23,27}.%w{6}.%w{27,40}"});
    case TokenCheck::near_twilio: return near(place, {"SK%h{32}"});
    case TokenCheck::near_mailgun: return near(place, {"key-%h{32}", "%h{32}-%h{8}-%h{8}"});
  }
  return {};
}

}  // namespace weir::proxy::leaks
