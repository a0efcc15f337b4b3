#include "proxy/http1/encoder.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "proxy/http1/field_syntax.h"
#include "proxy/http1/name_set.h"

namespace weir::proxy {
namespace {

// Never forwarded, whatever Connection says. `te` is looked at apart.
constexpr NameSet kHopByHop({"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
                             "transfer-encoding", "upgrade", "content-length", "http2-settings", "host", "expect"});

// What a Connection header may not take away: the message would mean something else without it, and a peer could strip
// what the next hop decides by.
constexpr NameSet kNeeded({"accept",
                           "accept-encoding",
                           "authorization",
                           "cache-control",
                           "content-disposition",
                           "content-encoding",
                           "content-language",
                           "content-location",
                           "content-range",
                           "content-type",
                           "cookie",
                           "date",
                           "etag",
                           "forwarded",
                           "if-match",
                           "if-modified-since",
                           "if-none-match",
                           "if-range",
                           "if-unmodified-since",
                           "location",
                           "origin",
                           "range",
                           "set-cookie",
                           "trailer",
                           "vary",
                           "www-authenticate",
                           "x-api-key",
                           "x-forwarded-for",
                           "x-forwarded-host",
                           "x-forwarded-proto"});
// Options of the connection itself, not names of fields.
constexpr NameSet kOptions({"close", "keep-alive", "upgrade", "te"});

void append_number(std::string& out, std::uint64_t value, int base) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value, base);
  out.append(digits, end);
}

// Text in one line: control characters become spaces.
void append_text(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const control = find_control(at, end);
    out.append(at, control);
    if (control == end) return;
    out.push_back(' ');
    at = control + 1;
  }
}

}  // namespace

HopByHop::HopByHop(const std::vector<Header>& headers) {
  bool te_seen = false;
  for (const auto& header : headers) {
    if (header.name.size() == 2 && equals_ignoring_case(header.name, "te")) {
      keeps_te_ = (keeps_te_ || !te_seen) && equals_ignoring_case(header.value, "trailers");
      te_seen = true;
    }
    if (header.name.size() != 10 || !equals_ignoring_case(header.name, "connection")) continue;
    std::string_view list = header.value;
    for (auto name = next_element(list); !name.empty(); name = next_element(list))
      if (!kOptions.contains(name) && !kHopByHop.contains(name) && !kNeeded.contains(name)) named_.push_back(name);
  }
}

bool HopByHop::drops(std::string_view name) const {
  if (name.size() == 2 && equals_ignoring_case(name, "te")) return !keeps_te_;
  return kHopByHop.contains(name) ||
         std::any_of(named_.begin(), named_.end(), [&](auto one) { return equals_ignoring_case(one, name); });
}

bool append_request_line(std::string& out, std::string_view method, std::string_view path_and_query) {
  if (!is_token(method)) return false;
  out.append(method).append(" ");
  for (std::size_t at = 0; at < path_and_query.size();) {
    std::size_t end = at;
    while (end < path_and_query.size() && is_byte_of(kTargetByte, path_and_query[end])) ++end;
    out.append(path_and_query.substr(at, end - at));
    if (end == path_and_query.size()) break;
    static constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(path_and_query[end]);
    out.append({'%', kHex[byte >> 4], kHex[byte & 0xF]});
    at = end + 1;
  }
  if (path_and_query.empty()) out.push_back('/');
  out.append(" HTTP/1.1\r\n");
  return true;
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(std::clamp(status, 100, 999)), 10);
  out.append(" ");
  append_text(out, reason);
  out.append("\r\n");
}

bool append_header(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name)) return false;
  out.append(name).append(": ");
  append_text(out, value);
  out.append("\r\n");
  return true;
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
