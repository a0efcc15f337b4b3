// Messages to HTTP/1.1 bytes: weir's own serialisation, never the peer's bytes. SECURITY: G7.
#pragma once

#include <string>
#include <string_view>

#include "proxy/http1/message.h"

namespace weir::proxy {

// Whether a field is for one hop only and must not be forwarded (RFC 9110 §7.6.1): Connection and what it names,
// Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, TE (except "trailers"), Trailer stays,
// Transfer-Encoding, Upgrade, Content-Length (written anew from the framing), HTTP2-Settings, and Host (written anew) and
// Expect. A Connection header may not name fields the message needs (Host, Content-Length, Authorization …): such names are
// ignored.
class HopByHop {
 public:
  explicit HopByHop(const std::vector<Header>& headers);  // keeps views into the headers' values
  bool drops(std::string_view name) const;

 private:
  std::vector<std::string_view> named_;
  bool keeps_te_ = false;  // TE says "trailers" and nothing else
};

// None of these can be made to write a second line or a second header: SECURITY: G7. What was parsed never needs mending;
// for what was made elsewhere, control characters in a value or a reason become spaces, bytes that a target may not hold are
// percent-encoded, and a header whose name, or a request whose method, is not a token is not written: the function gives
// false and leaves `out` as it was.
bool append_request_line(std::string& out, std::string_view method, std::string_view path_and_query);
void append_status_line(std::string& out, int status, std::string_view reason);
bool append_header(std::string& out, std::string_view name, std::string_view value);
void append_body_length(std::string& out, const BodyLength& body);  // Content-Length or Transfer-Encoding: chunked
void append_end_of_head(std::string& out);
void append_chunk_prefix(std::string& out, std::size_t size);  // size > 0; "1f4\r\n"; the data and "\r\n" follow
// Trailers that are not well-formed are left out.
void append_last_chunk(std::string& out, const std::vector<std::pair<std::string, std::string>>& trailers);

}  // namespace weir::proxy
