// One field of an HTTP message (RFC 9110 §5), as every layer passes it on. Views into the message's bytes.
#pragma once

#include <string_view>

namespace weir {

struct HeaderField {
  std::string_view name;   // as received; compared without case
  std::string_view value;  // without surrounding white space
};

}  // namespace weir
