#include "proxy/http1/encoder.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy {
namespace {

// Never forwarded, whatever Connection says.
constexpr std::string_view kHopByHop[] = {"connection", "keep-alive",        "proxy-connection", "proxy-authenticate", "proxy-authorization",
                                          "te",         "transfer-encoding", "upgrade",          "content-length"};
// What a Connection header may not take away: a peer could otherwise strip what the next hop decides by.
constexpr std::string_view kNeeded[] = {"host",         "authorization",    "cookie",       "content-type", "content-encoding", "content-range",
                                        "set-cookie",   "www-authenticate", "location",     "x-api-key",    "x-forwarded-for",  "expect"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::any_of(std::begin(names), std::end(names), [&](auto one) { return equals_ignoring_case(one, name); });
}

void append_number(std::string& out, std::uint64_t value, int base) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value, base);
  out.append(digits, end);
}

}  // namespace

HopByHop::HopByHop(const std::vector<Header>& headers) {
  for (const auto& header : headers) {
    if (!equals_ignoring_case(header.name, "connection")) continue;
    std::string_view list = header.value;
    for (auto name = next_element(list); !name.empty(); name = next_element(list))
      if (!is_one_of(name, kNeeded)) named_.push_back(name);
  }
}

bool HopByHop::drops(std::string_view name) const {
  return is_one_of(name, kHopByHop) || std::any_of(named_.begin(), named_.end(), [&](auto one) { return equals_ignoring_case(one, name); });
}

void append_request_line(std::string& out, std::string_view method, std::string_view path_and_query) {
  out.append(method).append(" ").append(path_and_query).append(" HTTP/1.1\r\n");
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status), 10);
  out.append(" ").append(reason).append("\r\n");
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  // Values that were parsed cannot hold these; one that was made here and does must not make a second header of itself.
  for (const char c : value) out.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
  out.append("\r\n");
}

void append_body_length(std::string& out, const BodyLength& body) {
  if (body.kind == BodyLength::Kind::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (body.kind != BodyLength::Kind::fixed) return;
  out.append("Content-Length: ");
  append_number(out, body.size, 10);
  out.append("\r\n");
}

void append_end_of_head(std::string& out) { out.append("\r\n"); }

void append_chunk_prefix(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out.append("\r\n");
}

void append_last_chunk(std::string& out, const std::vector<std::pair<std::string, std::string>>& trailers) {
  out.append("0\r\n");
  for (const auto& [name, value] : trailers) append_header(out, name, value);
  out.append("\r\n");
}

}  // namespace weir::proxy
