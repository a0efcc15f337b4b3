// Where in a login's file which value stands. The text is read in place, no value is copied. Pure. SECURITY: G2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launch/logins/login.h"

namespace weir::launch {

struct FoundValue {
  std::vector<std::string> path;  // names from the top
  std::size_t from = 0;           // in the text, without quotes
  std::size_t size = 0;
  enum class Kind : std::uint8_t {
    text,     // as it stands
    json,     // a string's inside, RFC 8259 §7
    percent,  // percent-encoded, RFC 3986 §2.1
    object,   // all that is between { and }, with them; what is in it follows
    array,
    other     // a number, true, null
  } kind = Kind::text;
};

// All values, in the order in which they stand. Error "login_unreadable": it is not in that form, or a name stands twice in one
// place (readers differ in which of the two they take). It says the line, never a value.
Result<std::vector<FoundValue>> scan(LoginFormat format, std::string_view text);

// One for each format, for scan().
Result<std::vector<FoundValue>> scan_json(std::string_view text);
Result<std::vector<FoundValue>> scan_yaml(std::string_view text);
Result<std::vector<FoundValue>> scan_ini(std::string_view text);
Result<std::vector<FoundValue>> scan_npmrc(std::string_view text);
Result<std::vector<FoundValue>> scan_urls(std::string_view text);

}  // namespace weir::launch
