// What the tests of leaks share: chance that repeats, and encoders written another way than those that are tested.
#pragma once

#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "proxy/leaks/needles.h"

namespace weir::proxy::leaks::testing {

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  std::string text(std::size_t size, std::string_view of) {
    std::string made;
    while (made.size() < size) made += of[below(of.size())];
    return made;
  }
  std::string octets(std::size_t size) {
    std::string made;
    while (made.size() < size) made += static_cast<char>(below(256));
    return made;
  }

 private:
  std::mt19937 engine_;
};

inline constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
inline constexpr std::string_view kUrlSafe = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
inline constexpr std::string_view kBase64 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
inline constexpr std::string_view kHex = "0123456789abcdef";
inline constexpr std::string_view kDigits = "0123456789";
inline constexpr std::string_view kPassword = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"#$%&/()=?{[]}\\ +*~'-_.:,;<>|@\n\t\x01";

inline std::string url_safe(std::string text) {
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

inline std::string percent(std::string_view text, std::string_view kept, bool upper) {
  std::string made;
  for (const char c : text) {
    char octet[4];
    std::snprintf(octet, sizeof octet, upper ? "%%%02X" : "%%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    made += kept.find(c) != std::string_view::npos ? std::string(1, c) : std::string(octet);
  }
  return made;
}

inline std::string json(std::string_view text) {
  std::string made;
  for (const char c : text) switch (c) {
      case '"': made += "\\\""; break;
      case '\\': made += "\\\\"; break;
      case '\n': made += "\\n"; break;
      case '\t': made += "\\t"; break;
      case '\x01': made += "\\u0001"; break;
      default: made += c;
    }
  return made;
}

// The text in one of the forms, within whatever stands around it; `form` is what it must be found as (or as raw, where that is the same).
struct Written {
  Form form;
  std::string bytes;
};
inline std::vector<Written> written_in_all_forms(std::string_view text, Chance& chance) {
  const std::string kept = std::string(kBase62) + "-._~";
  std::vector<Written> all{{Form::raw, std::string(text)}};
  for (std::size_t before = 0; before < 3; ++before) {
    const auto encoded = base64_encode(chance.octets(before) + std::string(text) + chance.octets(chance.below(3)));
    all.push_back({Form::base64, encoded});
    all.push_back({Form::base64url, url_safe(encoded.substr(0, encoded.find('=')))});
  }
  auto hex = hex_encode(text);
  all.push_back({Form::hex, hex});
  for (char& c : hex) c = c >= 'a' ? static_cast<char>(c - 0x20) : c;
  all.push_back({Form::hex, hex});
  for (const bool upper : {false, true}) {
    all.push_back({Form::percent, percent(text, kept, upper)});
    all.push_back({Form::percent, percent(text, "", upper)});
    all.push_back({Form::percent, percent(text, kept + "!'()*", upper)});
  }
  all.push_back({Form::json, json(text)});
  all.push_back({Form::json, json(json(text))});
  return all;
}

inline std::vector<Hit> hits_in(const Needles& needles, std::string_view bytes) {
  std::vector<Hit> hits;
  needles.find(bytes, [&](const Hit& hit) {
    hits.push_back(hit);
    return true;
  });
  return hits;
}

}  // namespace weir::proxy::leaks::testing
