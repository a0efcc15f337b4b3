#include "base/secret_json.h"

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace weir {

// Walks over a text once. Each step says false where the text is not JSON.
struct JsonWalk {
  std::string_view text;
  std::size_t at = 0;
  int depth = 0;
  static constexpr int kDeepest = 32;

  bool done() const { return at >= text.size(); }
  char peek() const { return done() ? '\0' : text[at]; }
  void blanks() {
    while (!done() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  }
  bool take(char c) {
    if (done() || text[at] != c) return false;
    ++at;
    return true;
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static int hex(char c) {
    return digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }

  bool string() {
    if (!take('"')) return false;
    while (!done()) {
      const char c = text[at++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      const char kind = peek();
      ++at;
      if (kind == 'u') {
        for (int i = 0; i < 4; ++i, ++at)
          if (hex(peek()) < 0) return false;
      } else if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
        return false;
      }
    }
    return false;
  }
  bool digits() {
    const auto from = at;
    while (digit(peek())) ++at;
    return at > from;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at;
      if (peek() == '+' || peek() == '-') ++at;
      return digits();
    }
    return true;
  }
  bool word(std::string_view expected) {
    if (text.substr(at, expected.size()) != expected) return false;
    at += expected.size();
    return true;
  }
  // `each`: called with where an entry's name (or nothing) and its value begin and end.
  template <class Each>
  bool entries(char open, char close, Each&& each) {
    if (!take(open)) return false;
    blanks();
    if (take(close)) return true;
    for (;;) {
      blanks();
      std::string_view name;
      if (open == '{') {
        const auto from = at;
        if (!string()) return false;
        name = text.substr(from, at - from);
        blanks();
        if (!take(':')) return false;
        blanks();
      }
      const auto from = at;
      SecretJson::Kind kind{};
      if (!value(kind)) return false;
      each(name, SecretJson(kind, text.substr(from, at - from)));
      blanks();
      if (take(close)) return true;
      if (!take(',')) return false;
    }
  }
  bool value(SecretJson::Kind& kind) {
    using Kind = SecretJson::Kind;
    const auto nothing = [](std::string_view, const SecretJson&) {};
    switch (peek()) {
      case '{':
      case '[': {
        kind = peek() == '{' ? Kind::object : Kind::array;
        if (++depth > kDeepest) return false;
        const bool good = kind == Kind::object ? entries('{', '}', nothing) : entries('[', ']', nothing);
        --depth;
        return good;
      }
      case '"':
        kind = Kind::string;
        return string();
      case 't':
        kind = Kind::boolean;
        return word("true");
      case 'f':
        kind = Kind::boolean;
        return word("false");
      case 'n':
        kind = Kind::null;
        return word("null");
      default:
        kind = Kind::number;
        return number();
    }
  }
};

namespace {

// RFC 8259 §7. `quoted` was checked by JsonWalk. Writes at most quoted.size() octets; gives how many.
std::size_t unescape(std::string_view quoted, char* out) {
  std::size_t size = 0;
  const auto code_unit = [&](std::size_t at) {
    std::uint32_t unit = 0;
    for (std::size_t i = 0; i < 4; ++i) unit = unit * 16 + static_cast<std::uint32_t>(JsonWalk::hex(quoted[at + i]));
    return unit;
  };
  const auto put = [&](std::uint32_t octet) { out[size++] = static_cast<char>(static_cast<unsigned char>(octet)); };
  for (std::size_t at = 1; at + 1 < quoted.size(); ++at) {
    if (quoted[at] != '\\') {
      out[size++] = quoted[at];
      continue;
    }
    const char kind = quoted[++at];
    if (kind != 'u') {
      out[size++] = kind == 'b'   ? '\b'
                    : kind == 'f' ? '\f'
                    : kind == 'n' ? '\n'
                    : kind == 'r' ? '\r'
                    : kind == 't' ? '\t'
                                  : kind;
      continue;
    }
    std::uint32_t point = code_unit(at + 1);
    at += 4;
    if (point >= 0xd800 && point < 0xdc00 && quoted.substr(at + 1, 2) == "\\u") {
      const std::uint32_t low = code_unit(at + 3);
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    if (point >= 0xd800 && point < 0xe000) point = 0xfffd;  // half a surrogate pair
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6), put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 0x3f)), put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
    }
  }
  return size;
}

std::string unescaped(std::string_view quoted) {
  std::string out(quoted.size(), '\0');
  out.resize(unescape(quoted, out.data()));
  return out;
}

}  // namespace

std::optional<SecretJson> SecretJson::parse(std::string_view text) {
  JsonWalk walk{text};
  walk.blanks();
  const auto from = walk.at;
  Kind kind{};
  if (!walk.value(kind)) return std::nullopt;
  const auto end = walk.at;
  walk.blanks();
  if (!walk.done() || valid_utf8_prefix(text) != text.size()) return std::nullopt;
  return SecretJson(kind, text.substr(from, end - from));
}

std::optional<SecretJson> SecretJson::member(std::string_view name) const {
  std::optional<SecretJson> found;
  if (kind_ == Kind::object)
    JsonWalk{text_}.entries('{', '}', [&](std::string_view quoted, const SecretJson& value) {
      if (unescaped(quoted) == name) found = value;
    });
  return found;
}

std::optional<SecretJson> SecretJson::at(std::initializer_list<std::string_view> path) const {
  std::optional<SecretJson> here = *this;
  for (const auto name : path) {
    here = here->member(name);
    if (!here) return std::nullopt;
  }
  return here;
}

std::vector<std::string> SecretJson::names() const {
  std::vector<std::string> names;
  if (kind_ == Kind::object)
    JsonWalk{text_}.entries('{', '}',
                            [&](std::string_view quoted, const SecretJson&) { names.push_back(unescaped(quoted)); });
  return names;
}

std::vector<std::pair<std::string, SecretJson>> SecretJson::members() const {
  std::vector<std::pair<std::string, SecretJson>> members;
  if (kind_ == Kind::object)
    JsonWalk{text_}.entries('{', '}', [&](std::string_view quoted, const SecretJson& value) {
      members.emplace_back(unescaped(quoted), value);
    });
  return members;
}

std::vector<SecretJson> SecretJson::items() const {
  std::vector<SecretJson> items;
  if (kind_ == Kind::array)
    JsonWalk{text_}.entries('[', ']', [&](std::string_view, const SecretJson& value) { items.push_back(value); });
  return items;
}

Secret SecretJson::text() const {
  if (kind_ != Kind::string) return Secret(text_);
  Secret out = Secret::of_size(text_.size());
  out.shrink(unescape(text_, out.data()));
  return out;
}

std::string SecretJson::plain() const {
  return kind_ == Kind::null ? "" : kind_ == Kind::string ? unescaped(text_) : std::string(text_);
}

std::int64_t SecretJson::number() const {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  return kind_ == Kind::number && error == std::errc() && end == text_.data() + text_.size() ? value : 0;
}

Secret quoted_json(std::string_view value) {
  static constexpr char kHex[] = "0123456789abcdef";
  Secret out = Secret::of_size(value.size() * 6 + 2);
  char* to = out.data();
  *to++ = '"';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *to++ = '\\', *to++ = c;
    } else if (octet < 0x20) {
      std::memcpy(to, "\\u00", 4);
      to[4] = kHex[octet >> 4], to[5] = kHex[octet & 15];
      to += 6;
    } else {
      *to++ = c;
    }
  }
  *to++ = '"';
  out.shrink(static_cast<std::size_t>(to - out.data()));
  return out;
}

}  // namespace weir
