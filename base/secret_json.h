// JSON that holds secrets (RFC 8259): read in place, so that no copy of a value is left anywhere. Pure.
// SECURITY: G2. Libraries copy tokens into buffers that nobody wipes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace weir {

class SecretJson {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  // Checks all of it; views of it are good as long as `text` is. nullopt: it is not JSON, or deeper than 32.
  static std::optional<SecretJson> parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  // The last member of that name: the one that other readers see.
  std::optional<SecretJson> member(std::string_view name) const;
  std::optional<SecretJson> at(std::initializer_list<std::string_view> path) const;
  std::vector<std::string> names() const;  // of an object
  std::vector<std::pair<std::string, SecretJson>> members() const;  // of an object, in order, all that there are
  std::vector<SecretJson> items() const;   // of an array
  Secret text() const;                     // a string's characters; else the JSON as it stands
  std::string_view raw() const { return text_; }  // as it stands in the text, with quotes or brackets
  std::string plain() const;               // the same, for what is no secret; "" for null
  std::int64_t number() const;             // 0 where it is no whole number
  bool boolean() const { return text_ == "true"; }

 private:
  SecretJson(Kind kind, std::string_view text) : kind_(kind), text_(text) {}
  friend struct JsonWalk;
  Kind kind_;
  std::string_view text_;  // with quotes or brackets
};

// `value` as a JSON string, with quotes.
Secret quoted_json(std::string_view value);

}  // namespace weir
