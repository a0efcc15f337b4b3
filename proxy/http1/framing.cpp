#include "proxy/http1/framing.h"

#include <limits>

#include "base/text.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy {
namespace {

Result<void> note_length(std::string_view text, Framing& framing) {
  // Also two that are equal: RFC 9112 §6.3 lets a recipient merge them, and some take the first, some the last.
  if (framing.length) return fail("bad_content_length", "there is more than one Content-Length");
  // Signed 63 bits: what a peer may hold it in.
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return fail("bad_content_length", "Content-Length is not one decimal number");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return fail("bad_content_length", "Content-Length is larger than 2^63 - 1");
    value = value * 10 + digit;
  }
  if (text.empty()) return fail("bad_content_length", "Content-Length is empty");
  framing.length = value;
  return {};
}

Result<void> note_coding(const Header& header, bool http_1_0, Framing& framing) {
  // `chunked` once and nothing else. A second field, another coding, a list, odd white space or HTTP/1.0: each is read
  // differently by some server (RFC 9112 §6.1, §11.2).
  const std::ptrdiff_t gap = header.value.data() - (header.name.data() + header.name.size() + 1);
  const bool plain_gap = gap == 0 || (gap == 1 && header.value.data()[-1] == ' ');
  const bool ends_line = equals_ignoring_case(header.value, "chunked") && header.value.data()[header.value.size()] == '\r';
  if (framing.chunked || http_1_0 || !ends_line || !plain_gap)
    return fail("bad_transfer_encoding", "Transfer-Encoding is not exactly one `chunked` in an HTTP/1.1 message");
  framing.chunked = true;
  return {};
}

void note_connection(std::string_view list, Framing& framing) {
  for (auto option = next_element(list); !option.empty(); option = next_element(list)) {
    if (equals_ignoring_case(option, "close")) framing.close = true;
    if (equals_ignoring_case(option, "keep-alive")) framing.keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) framing.asks_upgrade = true;
  }
}

}  // namespace

Result<void> note_field(const Header& header, bool http_1_0, Framing& framing) {
  // By length first: most fields are none of these.
  switch (header.name.size()) {
    case 4:
      if (!equals_ignoring_case(header.name, "host")) break;
      if (framing.has_host) return fail("multiple_hosts", "there is more than one Host header");
      framing.has_host = true;
      framing.host = header.value;
      break;
    case 6:
      if (equals_ignoring_case(header.name, "expect") && equals_ignoring_case(header.value, "100-continue"))
        framing.expects_continue = true;
      break;
    case 7:
      if (equals_ignoring_case(header.name, "upgrade") && !header.value.empty()) framing.names_protocol = true;
      break;
    case 10:
      if (equals_ignoring_case(header.name, "connection")) note_connection(header.value, framing);
      break;
    case 14:
      if (equals_ignoring_case(header.name, "content-length")) return note_length(header.value, framing);
      break;
    case 17:
      if (equals_ignoring_case(header.name, "transfer-encoding")) return note_coding(header, http_1_0, framing);
      break;
    default:
      break;
  }
  return {};
}

}  // namespace weir::proxy
