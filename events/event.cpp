#include "events/event.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "events/json_text.h"

namespace weir::events {
namespace {

// One field: u8 key size, key, u8 kind, then for text u32 size and the bytes, for a number i64, for a flag u8.
enum class Kind : std::uint8_t { text = 1, number = 2, flag = 3 };

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
  put(out, static_cast<std::uint8_t>(key.size()));
  out.append(key);
  put(out, static_cast<std::uint8_t>(kind));
}

bool is_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool append_field(std::string_view& in, std::string& out) {
  std::uint8_t key_size = 0;
  std::uint8_t kind = 0;
  std::string_view key;
  if (!take(in, key_size) || !take_bytes(in, key_size, key) || !take(in, kind) || !is_key(key)) return false;
  out.push_back('"');
  out.append(key).append("\":");
  switch (static_cast<Kind>(kind)) {
    case Kind::text: {
      std::uint32_t size = 0;
      std::string_view value;
      if (!take(in, size) || !take_bytes(in, size, value)) return false;
      append_json_string(out, value, Fields::kMaxValue);
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

}  // namespace

Fields& Fields::text(std::string_view key, std::string_view value) {
  put_key(bytes_, key, Kind::text);
  // What is far too long is cut here already, so that it costs nothing on its way; append_json cuts again and says so.
  value = value.substr(0, kMaxValue + 4096);
  put(bytes_, static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
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
  out.push_back('{');
  for (bool first = true; !encoded_fields.empty(); first = false) {
    if (!first) out.push_back(',');
    if (!append_field(encoded_fields, out)) {
      out.resize(before);
      return fail("bad_event", "an event's fields are malformed");
    }
  }
  out.push_back('}');
  return {};
}

bool is_proxy_event(std::string_view type) {
  static constexpr std::string_view kTypes[] = {"egress.request",     "egress.response",     "egress.denied",
                                                "egress.tunnel",      "dns.query",           "packet.dropped",
                                                "credential.blocked", "credential.reflected", "sandbox.limit"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool is_event_type(std::string_view type) {
  const auto dot = type.find('.');
  if (type.size() > 64 || dot == std::string_view::npos) return false;
  return is_key(type.substr(0, dot)) && is_key(type.substr(dot + 1));
}

}  // namespace weir::events
