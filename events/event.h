// The event model: a type and a flat list of fields. The proxy builds events in this form; the keeper, which trusts
// no byte of it, turns it into JSON. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::events {

// A `data` object under construction, held as an encoded byte string (one allocation, cheap to send). Keys are
// literals of ours, at most kMaxKey characters of [a-z0-9_], each once; values may be hostile. Order is kept. Of a
// string, kMaxValue bytes are kept, and how long it was.
class Fields {
 public:
  static constexpr std::size_t kMaxValue = 8192;
  static constexpr std::size_t kMaxKey = 40;
  static constexpr std::size_t kMaxFields = 64;
  Fields& text(std::string_view key, std::string_view value);
  Fields& number(std::string_view key, std::int64_t value);
  Fields& flag(std::string_view key, bool value);
  std::string_view bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }
  void reserve(std::size_t size) { bytes_.reserve(size); }

 private:
  std::string bytes_;
};

// Appends the JSON object for encoded fields to `out`. Fails (leaving `out` as it was) with "bad_event" on anything
// Fields cannot have written: bad lengths, kinds, keys outside [a-z0-9_] or given twice, too many of them. Values are
// escaped as events/json_text.h says, so that none can forge a line or drive a terminal.
Result<void> append_json(std::string_view encoded_fields, std::string& out);

// The types a proxy may report; any other from there is refused.
bool is_proxy_event(std::string_view type);
// `{domain}.{action}`, lower case letters, digits, underscores; at most 64 characters.
bool is_event_type(std::string_view type);

}  // namespace weir::events
