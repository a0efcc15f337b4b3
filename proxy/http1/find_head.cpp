#include <cstring>

#include "proxy/http1/decoder.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kMaxLeadingLines = 2;

}  // namespace

// What is seen is the same however the bytes arrive: nothing beyond the limit is looked at, and `scanned` stands before a CR
// whose LF has not come yet.
Result<std::size_t> find_head(std::string_view buffer, const HeadLimits& limits, std::size_t& scanned) {
  const std::string_view view = buffer.substr(0, limits.bytes);
  const char* const begin = view.data();
  const char* const end = begin + view.size();
  const char* at = begin + (scanned < view.size() ? scanned : view.size());
  for (;;) {
    at = find_control(at, end);
    if (at == end) break;
    if (*at == '\n' || *at == '\0') return fail("bad_line_ending", "the head holds a bare LF or a NUL");
    if (*at != '\r') {  // for the parser to name
      ++at;
      continue;
    }
    if (at + 1 == end) break;
    if (at[1] != '\n') return fail("bad_line_ending", "the head holds a bare CR");
    const auto offset = static_cast<std::size_t>(at - begin);
    at += 2;
    if (offset != 0 && begin[offset - 1] != '\n') continue;
    // An empty line ends the head, unless nothing but empty lines came before it (RFC 9112 §2.2).
    const bool leading =
        offset == 0 || (offset == 2 && begin[1] == '\n') || (offset == 4 && begin[1] == '\n' && begin[3] == '\n');
    if (!leading) return static_cast<std::size_t>(at - begin);
    if (offset >= 2 * kMaxLeadingLines)
      return fail("bad_request_line", "there are empty lines where a request should begin");
  }
  scanned = static_cast<std::size_t>(at - begin);
  if (buffer.size() > limits.bytes)
    return fail("head_too_large", "the head is larger than " + std::to_string(limits.bytes) + " bytes");
  return 0;
}

}  // namespace weir::proxy
