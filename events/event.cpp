#include "events/event.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "events/json_text.h"

namespace weir::events {
namespace {

// One field: u8 key size, key, u8 kind, then for a text u32 kept size, u32 whole size and the kept bytes, for a number
// i64, for a flag u8. Numbers are in the machine's order: both ends are the same program.
enum class Kind : std::uint8_t { text = 1, number = 2, flag = 3 };

constexpr std::array<bool, 256> make_word() {
  std::array<bool, 256> word{};
  for (unsigned c = 'a'; c <= 'z'; ++c) word[c] = true;
  for (unsigned c = '0'; c <= '9'; ++c) word[c] = true;
  word[static_cast<unsigned>('_')] = true;
  return word;
}
constexpr auto kWord = make_word();

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return kWord[static_cast<unsigned char>(c)]; });
}

template <class T>
void put(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

bool take_bytes(std::string_view& in, std::size_t size, std::string_view& bytes) {
  if (in.size() < size) return false;
  bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

void put_key(std::string& out, std::string_view key, Kind kind) {
  if (key.empty() || key.size() > Fields::kMaxKey) throw std::logic_error("an event field's key has a bad length");
  put(out, static_cast<std::uint8_t>(key.size()));
  out.append(key);
  put(out, static_cast<std::uint8_t>(kind));
}

bool append_value(std::string_view& in, Kind kind, std::string& out) {
  switch (kind) {
    case Kind::text: {
      std::uint32_t kept = 0;
      std::uint32_t whole = 0;
      std::string_view value;
      if (!take(in, kept) || !take(in, whole) || whole < kept || !take_bytes(in, kept, value)) return false;
      append_json_string(out, value, Fields::kMaxValue, whole);
      return true;
    }
    case Kind::number: {
      std::int64_t value = 0;
      if (!take(in, value)) return false;
      char digits[24];
      const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
      out.append(digits, end);
      return true;
    }
    case Kind::flag: {
      std::uint8_t value = 0;
      if (!take(in, value) || value > 1) return false;
      out += value == 1 ? "true" : "false";
      return true;
    }
  }
  return false;
}

// The keys of one event. A key that came twice would read one way here and another way there.
class SeenKeys {
 public:
  bool add(std::string_view key) {
    if (count_ == keys_.size()) return false;
    // Most keys differ in length or ends: the full comparison is rare.
    const unsigned mix = static_cast<unsigned char>(key.front()) * 7U + static_cast<unsigned char>(key.back()) * 31U +
                         static_cast<unsigned>(key.size());
    const std::uint64_t bit = 1ULL << (mix & 63U);
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(count_);
    if ((marks_ & bit) != 0 && std::find(keys_.begin(), end, key) != end) return false;
    marks_ |= bit;
    keys_[count_++] = key;
    return true;
  }

 private:
  std::array<std::string_view, Fields::kMaxFields> keys_;
  std::size_t count_ = 0;
  std::uint64_t marks_ = 0;
};

bool append_field(std::string_view& in, SeenKeys& seen, std::string& out) {
  std::uint8_t key_size = 0;
  std::uint8_t kind = 0;
  std::string_view key;
  if (!take(in, key_size) || key_size > Fields::kMaxKey || !take_bytes(in, key_size, key) || !take(in, kind)) return false;
  if (!is_word(key) || !seen.add(key)) return false;
  out.push_back('"');
  out.append(key).append("\":");
  return append_value(in, static_cast<Kind>(kind), out);
}

}  // namespace

Fields& Fields::text(std::string_view key, std::string_view value) {
  put_key(bytes_, key, Kind::text);
  const std::string_view kept = value.substr(0, whole_sequences(value, kMaxValue));
  put(bytes_, static_cast<std::uint32_t>(kept.size()));
  put(bytes_, static_cast<std::uint32_t>(std::min<std::size_t>(value.size(), UINT32_MAX)));
  bytes_.append(kept);
  return *this;
}

Fields& Fields::number(std::string_view key, std::int64_t value) {
  put_key(bytes_, key, Kind::number);
  put(bytes_, value);
  return *this;
}

Fields& Fields::flag(std::string_view key, bool value) {
  put_key(bytes_, key, Kind::flag);
  put(bytes_, static_cast<std::uint8_t>(value ? 1 : 0));
  return *this;
}

Result<void> append_json(std::string_view encoded_fields, std::string& out) {
  const std::size_t before = out.size();
  SeenKeys seen;
  out.push_back('{');
  for (bool first = true; !encoded_fields.empty(); first = false) {
    if (!first) out.push_back(',');
    if (!append_field(encoded_fields, seen, out)) {
      out.resize(before);
      return fail("bad_event", "an event's fields are malformed");
    }
  }
  out.push_back('}');
  return {};
}

bool is_proxy_event(std::string_view type) {
  static constexpr std::string_view kTypes[] = {
      "egress.request", "egress.response", "egress.denied",      "egress.tunnel",        "dns.query",
      "packet.dropped", "credential.used", "credential.blocked", "credential.reflected", "leak.found", "sandbox.limit"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool is_event_type(std::string_view type) {
  const auto dot = type.find('.');
  if (type.size() > 64 || dot == std::string_view::npos) return false;
  return is_word(type.substr(0, dot)) && is_word(type.substr(dot + 1));
}

}  // namespace weir::events
