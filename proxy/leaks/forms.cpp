#include "proxy/leaks/forms.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace weir::proxy::leaks {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kShortestBase64 = 8;

unsigned octet(char c) { return static_cast<unsigned char>(c); }
bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Octets in memory that is wiped, as many as there come to be.
class Writer {
 public:
  void put(char c) {
    if (end_ == octets_.size()) grow(1);
    octets_.data()[end_++] = c;
  }
  void put(std::string_view text) {
    if (octets_.size() - end_ < text.size()) grow(text.size());
    if (!text.empty()) std::memcpy(octets_.data() + end_, text.data(), text.size());
    end_ += text.size();
  }
  std::string_view written() const { return octets_.reveal().substr(0, end_); }
  void clear() { end_ = 0; }
  Secret take() {
    octets_.shrink(end_);
    return std::move(octets_);
  }

 private:
  void grow(std::size_t by) {
    Secret larger = Secret::of_size(std::max(end_ + by, 2 * octets_.size() + 4096));
    if (end_ != 0) std::memcpy(larger.data(), octets_.data(), end_);
    octets_ = std::move(larger);
  }

  Secret octets_;
  std::size_t end_ = 0;
};

// RFC 4648 §4: the characters of an encoding in which `before` octets (mod 3) stand before the text, that the text alone decides.
void put_base64(Writer& to, std::string_view text, std::size_t before, std::string_view alphabet) {
  const std::size_t from_bit = 8 * before, to_bit = from_bit + 8 * text.size();
  const auto bit = [&](std::size_t at) { return octet(text[(at - from_bit) / 8]) >> (7 - (at - from_bit) % 8) & 1; };
  for (std::size_t character = (from_bit + 5) / 6; 6 * character + 6 <= to_bit; ++character) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 6; ++i) value = value << 1 | bit(6 * character + i);
    to.put(alphabet[value]);
  }
}

void put_hex(Writer& to, char c) {
  to.put(kDigits[octet(c) >> 4]);
  to.put(kDigits[octet(c) & 15]);
}

// What the encoders that are in use leave as it is.
struct Percent {
  std::string_view kept;  // besides letters and digits
  bool all = false;
  bool plus = false;      // a space becomes '+'
};
constexpr std::array kPercent{
    Percent{.kept = "-._~"},                               // RFC 3986 §2.3
    Percent{.kept = "", .all = true},                      // every octet
    Percent{.kept = "-._~!'()*"},                          // ECMA-262 encodeURIComponent
    Percent{.kept = "*-._", .plus = true},                 // application/x-www-form-urlencoded, WHATWG URL §5.2
    Percent{.kept = "-._~", .plus = true},                 // the same as many languages have it
    Percent{.kept = "-._~/"},                              // a path
    Percent{.kept = "-._~!$&'()*+,;=:@/"},                 // pchar, RFC 3986 §3.3
    Percent{.kept = "-._~!$&'()*+,;=:@/?"},                // query
    Percent{.kept = "-._~!#$&'()*+,/:;=?@"},               // ECMA-262 encodeURI
};

void put_percent(Writer& to, std::string_view text, const Percent& how) {
  for (const char c : text) {
    if (how.plus && c == ' ') {
      to.put('+');
    } else if (!how.all && (is_alnum(c) || is_one_of(c, how.kept))) {
      to.put(c);
    } else {
      to.put('%');
      put_hex(to, c);
    }
  }
}

// What encoders of JSON escape besides what they must: '/', what is not ASCII, what HTML would read.
struct Escaping {
  bool slash = false, ascii = false, html = false;
};

void put_unit(Writer& to, unsigned unit) {
  to.put("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) to.put(kDigits[unit >> shift & 15]);
}

// The code point at the front of `text` in UTF-8 and its length; 0 where there is none that is more than one octet.
std::size_t code_point(std::string_view text, unsigned& point) {
  const unsigned first = octet(text[0]);
  const std::size_t size = first >= 0xF0 && first < 0xF8 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
  if (size == 0 || size > text.size()) return 0;
  point = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(text[i]) & 0xC0) != 0x80) return 0;
    point = point << 6 | (octet(text[i]) & 0x3F);
  }
  return size;
}

void put_escaped(Writer& to, char c, const Escaping& how) {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  const auto found = kPlain.find(c);
  if (found != std::string_view::npos) {
    to.put('\\');
    to.put(kLetters[found]);
  } else if (octet(c) < 0x20 || (how.html && is_one_of(c, "<>&"))) {
    put_unit(to, octet(c));
  } else if (how.slash && c == '/') {
    to.put("\\/");
  } else {
    to.put(c);
  }
}

void put_json(Writer& to, std::string_view text, const Escaping& how) {
  for (std::size_t at = 0; at < text.size();) {
    unsigned point = 0;
    const std::size_t size = how.ascii ? code_point(text.substr(at), point) : 0;
    if (size == 0) {
      put_escaped(to, text[at++], how);
      continue;
    }
    if (point >= 0x10000) {
      put_unit(to, 0xD800 + ((point - 0x10000) >> 10));
      put_unit(to, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      put_unit(to, point);
    }
    at += size;
  }
}

class Collector {
 public:
  void add(const Needle& needle, std::string_view text) {
    first_ = list_.size();
    keep(needle.id, Form::raw, Comparison::exact, [&] { form_.put(text); });
    if (!needle.other_forms) return;
    for (std::size_t before = 0; before < 3; ++before) {
      keep(needle.id, Form::base64, Comparison::exact, [&] { put_base64(form_, text, before, kBase64); });
      keep(needle.id, Form::base64url, Comparison::exact, [&] { put_base64(form_, text, before, kBase64Url); });
    }
    keep(needle.id, Form::hex, Comparison::hex, [&] {
      for (const char c : text) put_hex(form_, c);
    });
    for (const auto& how : kPercent) keep(needle.id, Form::percent, Comparison::percent, [&] { put_percent(form_, text, how); });
    for (unsigned flags = 0; flags < 8; ++flags) {
      const Escaping how{.slash = (flags & 1) != 0, .ascii = (flags & 2) != 0, .html = (flags & 4) != 0};
      keep(needle.id, Form::json, Comparison::escapes, [&] { put_json(form_, text, how); });
    }
    // A string of JSON within a string of JSON, as tools' results stand in messages to a model.
    Writer once;
    put_json(once, text, {});
    keep(needle.id, Form::json, Comparison::escapes, [&] { put_json(form_, once.written(), {}); });
  }

  Literals take() { return {.list = std::move(list_), .octets = all_.take()}; }

 private:
  template <class Write>
  void keep(std::uint32_t id, Form form, Comparison comparison, const Write& write) {
    form_.clear();
    write();
    const auto octets = form_.written();
    const bool base64 = form == Form::base64 || form == Form::base64url;
    if (octets.size() < (base64 ? kShortestBase64 : Needles::kShortest)) return;
    const bool known = std::any_of(list_.begin() + static_cast<std::ptrdiff_t>(first_), list_.end(), [&](const Literal& other) {
      return all_.written().substr(other.at, other.size) == octets;
    });
    if (known) return;
    list_.push_back({.at = static_cast<std::uint32_t>(all_.written().size()),
                     .size = static_cast<std::uint32_t>(octets.size()),
                     .id = id,
                     .form = form,
                     .comparison = comparison});
    all_.put(octets);
  }

  Writer all_, form_;
  std::vector<Literal> list_;
  std::size_t first_ = 0;  // of this text
};

// The lines of private keys that may be searched for alone: of a long one the second half, since the first holds what the certificate
// has too (RFC 8017 A.1.2: the modulus comes first). Lines end in a line feed, or in one that JSON escaped.
template <class Use>
void for_each_key_line(std::string_view text, const Use& use) {
  constexpr std::string_view kBegin = "PRIVATE KEY-----", kEnd = "-----END ";
  constexpr std::size_t kShortestLine = 24, kFew = 8;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const std::size_t end = text.find(kEnd, at);
    if (end == std::string_view::npos) return;
    std::vector<std::string_view> lines;
    const auto is_inside = [&](std::size_t i) { return is_alnum(text[i]) || is_one_of(text[i], "+/="); };
    for (std::size_t i = at; i < end;) {
      if (text[i] == '\\' && i + 1 < end) {
        i += 2;
        continue;
      }
      std::size_t stop = i;
      while (stop < end && is_inside(stop)) ++stop;
      if (stop - i >= kShortestLine) lines.push_back(text.substr(i, stop - i));
      i = std::max(stop, i + 1);
    }
    for (std::size_t i = lines.size() > kFew ? lines.size() / 2 : 0; i < lines.size(); ++i) use(lines[i]);
    at = end + kEnd.size();
  }
}

}  // namespace

Literals all_forms(std::span<const Needle> needles) {
  Collector collector;
  for (const auto& needle : needles) {
    if (needle.text.size() < Needles::kShortest) continue;
    collector.add(needle, needle.text);
    if (needle.other_forms) for_each_key_line(needle.text, [&](std::string_view line) { collector.add(needle, line); });
  }
  return collector.take();
}

char hex_digit(std::string_view text, std::size_t index) {
  const unsigned value = octet(text[index / 2]);
  return kDigits[index % 2 == 0 ? value >> 4 : value & 15];
}

namespace {
unsigned bits_at(std::string_view text, std::size_t bit, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = 0; i < count; ++i, ++bit) {
    value <<= 1;
    if (bit / 8 < text.size()) value |= octet(text[bit / 8]) >> (7 - bit % 8) & 1;
  }
  return value;
}
}  // namespace

char base32_character(std::string_view text, std::size_t skipped, std::size_t index) {
  return kBase32[bits_at(text, 8 * skipped + 5 * index, 5)];
}

char base64_character(std::string_view text, std::size_t skipped, std::size_t index) {
  return kBase64Url[bits_at(text, 8 * skipped + 6 * index, 6)];
}

}  // namespace weir::proxy::leaks
