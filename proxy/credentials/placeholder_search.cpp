#include "proxy/credentials/placeholder_search.h"

#include "base/text.h"
#include "proxy/credentials/field_value.h"
#include "proxy/credentials/percent.h"

namespace weir::proxy {
namespace {

char escape_of(Escapes escapes) { return escapes == Escapes::percent ? '%' : '\\'; }

// RFC 8259 §7: what must be escaped, and no more.
void append_json_escaped(std::string_view text, WipedText& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[octet >> 4]);
      out.push_back(kHex[octet & 15]);
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
}

// `\n`, `\"` and the like, of which JSON has many: no character of a placeholder is written so.
bool begins_no_placeholder(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && text[at + 1] != 'u' && text[at + 1] != '/';
}

}  // namespace

PlaceholderSearch::PlaceholderSearch(Escapes escapes) : escapes_(escapes) {
  if (escapes_ != Escapes::none) beginnings_.set_escape(escape_of(escapes_));
}

void PlaceholderSearch::add(const Replacement& replacement) {
  if (replacement.placeholder.empty()) return;
  replacements_.push_back(&replacement);
  beginnings_.add(replacement.placeholder);
}

// `at` is at the escape's first character; it goes behind it where `wanted` is what is written there.
PlaceholderSearch::Match PlaceholderSearch::match_escape(std::string_view text, std::size_t& at, char wanted) const {
  const auto octet = static_cast<unsigned char>(wanted);
  const int high = octet >> 4, low = octet & 15;
  std::size_t digit = at + 1;
  const auto digits_are = [&](std::initializer_list<int> values) {
    for (const int value : values) {
      if (digit >= text.size()) return Match::cut;
      if (hex_value(text[digit++]) != value) return Match::none;
    }
    at = digit;
    return Match::whole;
  };
  if (escapes_ == Escapes::percent) return digits_are({high, low});
  if (digit >= text.size()) return Match::cut;
  const char kind = text[digit++];
  if (kind == 'u') return digits_are({0, 0, high, low});
  if (kind != '/' || wanted != '/') return Match::none;
  at = digit;
  return Match::whole;
}

PlaceholderSearch::Match PlaceholderSearch::match(std::string_view text, std::size_t& at,
                                                  std::string_view placeholder) const {
  for (const char wanted : placeholder) {
    if (at >= text.size()) return Match::cut;
    if (text[at] == wanted) {
      ++at;
      continue;
    }
    if (escapes_ == Escapes::none || text[at] != escape_of(escapes_)) return Match::none;
    if (const Match escape = match_escape(text, at, wanted); escape != Match::whole) return escape;
  }
  return Match::whole;
}

// One character, or an escape with as many of its digits as are there. Where the text ends in it, the rest comes in the next
// piece.
void PlaceholderSearch::pass_unit(std::string_view text, Cursor& cursor) const {
  const char first = text[cursor.at++];
  if (escapes_ == Escapes::none || first != escape_of(escapes_)) return;
  if (escapes_ == Escapes::percent) {
    cursor.open_digits = 2;
  } else if (cursor.at < text.size()) {
    cursor.open_digits = text[cursor.at++] == 'u' ? 4 : 0;
  }
}

PlaceholderSearch::Found PlaceholderSearch::next(std::string_view text, Cursor& cursor, bool last) const {
  auto& at = cursor.at;
  while (at < text.size()) {
    if (cursor.open_digits > 0) {
      const bool digit = hex_value(text[at]) >= 0;
      cursor.open_digits = digit ? static_cast<std::uint8_t>(cursor.open_digits - 1) : std::uint8_t{0};
      if (digit) ++at;
      continue;
    }
    at = beginnings_.find(text, at);
    if (at == text.size()) break;
    if (escapes_ == Escapes::json && begins_no_placeholder(text, at)) {
      at += 2;
      continue;
    }
    Found found;
    bool cut = false;
    for (const auto* replacement : replacements_) {
      std::size_t end = at;
      const Match matched = match(text, end, replacement->placeholder);
      cut = cut || matched == Match::cut;
      if (matched == Match::whole && end > found.end) found = {replacement, at, end};
    }
    if (cut && !last) return {nullptr, at, at};
    if (found.what != nullptr) {
      at = found.end;
      return found;
    }
    pass_unit(text, cursor);
  }
  return {nullptr, text.size(), text.size()};
}

Result<void> PlaceholderSearch::append_value(const Replacement& replacement, WipedText& out) const {
  const auto secret = replacement.secret;
  if (secret.empty()) return unusable("is empty");
  switch (escapes_) {
    case Escapes::none:
      out.append(secret);
      break;
    case Escapes::percent:
      append_percent_encoded(secret, out);
      break;
    case Escapes::json:
      if (valid_utf8_prefix(secret) != secret.size()) return unusable("cannot stand in JSON: it is not UTF-8");
      append_json_escaped(secret, out);
      break;
  }
  return {};
}

Result<std::size_t> PlaceholderSearch::replace_all(std::string_view text, WipedText& out) const {
  std::size_t count = 0, done = 0;
  for (Cursor cursor;;) {
    const auto found = next(text, cursor, true);
    if (found.what == nullptr) break;
    if (count++ == 0) out.reserve(out.size() + text.size() + 3 * found.what->secret.size());
    out.append(text.substr(done, found.begin - done));
    if (auto appended = append_value(*found.what, out); !appended) return std::unexpected(std::move(appended.error()));
    done = found.end;
  }
  if (count != 0) out.append(text.substr(done));
  return count;
}

}  // namespace weir::proxy
