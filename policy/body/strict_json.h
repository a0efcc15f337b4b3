// JSON read so that every server reads the same: what parsers are known to read differently is refused. SECURITY: G7.
//
// Refused: a key twice in one object (RFC 8259 §4: which of them counts is anybody's guess), invalid UTF-8, a byte order
// mark, NUL (also an escaped one in a key or a kept string), lone surrogates, anything behind the value, numbers that are
// no finite double, nesting deeper than kDeepest. All of the text is checked; only what is asked for is kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::policy {

inline constexpr int kDeepest = 64;  // containers within each other, the outermost counted
inline constexpr std::size_t kLargestBatch = 1000;

enum class JsonKind { null, boolean, number, string, object, array };

struct JsonShape;

struct JsonWanted {
  std::string_view key;
  const JsonShape* inside = nullptr;  // of an object under that key: what of it is kept
};

struct JsonShape {  // of an object: which members are kept
  std::vector<JsonWanted> keys;
};

struct JsonMember;

struct JsonObject {
  std::vector<JsonMember> members;  // those wanted, in order
  std::string other;                // the first key that is not wanted; meaningful when has_other
  bool has_other = false;
  std::string lookalike;  // the first key that equals a wanted one only when letter case is ignored; empty: none

  const JsonMember* find(std::string_view key) const;
};

struct JsonMember {
  std::string key;
  JsonKind kind = JsonKind::null;
  std::string text;   // of a string
  JsonObject object;  // of an object
};

struct JsonMessages {
  bool batch = false;               // an array of them; never empty
  std::vector<JsonObject> objects;  // without batch: one
};

// An object, or an array of 1 to kLargestBatch objects. The error's message is a clause: "the key `method` stands twice".
Result<JsonMessages> read_strict_json(std::string_view text, const JsonShape& shape);

// Whether a server that matches keys without regard to letter case takes `key` for `wanted` (ASCII). Letters that fold to
// ASCII ones count: U+017F and U+212A in Go, U+0130 and U+0131 in Java.
bool looks_like(std::string_view key, std::string_view wanted);

}  // namespace weir::policy
