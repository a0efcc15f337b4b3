// The event model: a type and a flat list of fields. The proxy builds events in this form; the keeper, which trusts
// no byte of it, turns it into JSON. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::events {

// A `data` object under construction, held as an encoded byte string (one allocation, cheap to send). Keys are
// literals of ours; values may be hostile. Order is kept. Strings over kMaxValue are cut with a mark when written as JSON.
class Fields {
 public:
  static constexpr std::size_t kMaxValue = 8192;
  Fields& text(std::string_view key, std::string_view value);
  Fields& number(std::string_view key, std::int64_t value);
  Fields& flag(std::string_view key, bool value);
  std::string_view bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }
  void reserve(std::size_t size) { bytes_.reserve(size); }

 private:
  std::string bytes_;
};

// Appends the JSON object for encoded fields to `out`. Fails (leaving `out` as it was) on anything Fields cannot
// have written: bad lengths, kinds, or keys outside [a-z0-9_]. Escapes control characters, bidi controls, U+2028/2029 and
// invalid UTF-8 (as \u00XX of the byte with a mark), so that no value can forge a line or drive a terminal.
Result<void> append_json(std::string_view encoded_fields, std::string& out);

// The types a proxy may report; any other from there is refused.
bool is_proxy_event(std::string_view type);
// `{domain}.{action}`, lower case letters, digits, underscores; at most 64 characters.
bool is_event_type(std::string_view type);

}  // namespace weir::events
