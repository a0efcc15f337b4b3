// HTTP/1.1 bytes to messages: heads through llhttp with every lenient flag off, and through our own check of the raw
// bytes; both must agree or the message is refused. Sans-I/O. SECURITY: G7.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/http1/message.h"

namespace weir::proxy {

struct HeadLimits {
  std::size_t bytes = 64 * 1024;  // the whole head
  std::size_t headers = 200;
};

// Looks for a complete head at the start of `buffer` (a blank line, CRLF CRLF; leading CRLFs before a request line
// are skipped, RFC 9112 §2.2, at most two). Gives its size in bytes, 0 if it is not complete yet, or an error
// ("head_too_large", "bad_line_ending" as soon as a bare CR, bare LF or NUL is seen in the head).
Result<std::size_t> find_head(std::string_view buffer, const HeadLimits& limits, std::size_t& scanned);

// Parse one complete head (the bytes find_head measured). The views in the result point into `head`, which must
// outlive it. `out` is reused: its vectors keep their capacity. Errors have stable codes:
//   "bad_request_line", "bad_status_line", "bad_version" (only 1.0 and 1.1), "bad_header_name" (also space before the
//   colon), "bad_header_value" (control characters), "obs_fold", "missing_host", "multiple_hosts", "bad_content_length"
//   (repeated, signed, lists, overflow), "length_and_chunked" (CL with TE), "bad_transfer_encoding" (anything but one
//   `chunked`; on 1.0 any), "too_many_headers", "bad_target", "bad_host" (not one plain host with an optional port),
//   "bad_line_ending" and "head_too_large" as above, "bad_request" and "bad_response" (llhttp refuses it or read it
//   differently: also methods it does not know). A Host is required of HTTP/1.0 too. After an error `out` is not to be used.
class HeadParser {
 public:
  HeadParser();
  ~HeadParser();
  HeadParser(HeadParser&&) noexcept;
  Result<void> request(std::string_view head, const HeadLimits& limits, RequestHead& out);
  // `request_method` decides whether a body follows (HEAD, CONNECT; RFC 9112 §6.3). 1xx, 204 and 304 have none.
  // keep_alive is false where what follows is not, or may not be, another response: 101, a tunnel, until_close, a 204 that
  // announces a body.
  Result<void> response(std::string_view head, std::string_view request_method, const HeadLimits& limits, ResponseHead& out);

 private:
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

// A body's bytes out of the connection's bytes. Strict: chunk-size is 1 to 16 hex digits and below 2^63, chunk extensions
// are refused beyond 1 KiB (16 KiB in all that is not paid for by data) and dropped, CRLF exactly; trailers are checked like
// headers. Trailers that frame or route (Content-Length, Transfer-Encoding, Host …) are refused, others that RFC 9110 §6.5.1
// forbids are dropped; what is left holds no control character.
class BodyDecoder {
 public:
  explicit BodyDecoder(BodyLength length);
  struct Step {
    std::size_t consumed = 0;  // bytes of the input used up
    std::string_view payload;  // body bytes, a view into the input; may be empty
    bool done = false;         // the body (and its trailers) is complete
  };
  // Takes what is there: up to one piece of payload a step, since the next is not adjacent. Call again with the rest while
  // it consumes. Errors: "bad_chunk", "bad_trailer", "trailers_too_large"; after one, every further call gives it again.
  Result<Step> decode(std::string_view input);
  // The connection ended: true when that is the proper end (until_close) or the body was complete.
  bool finish();
  // Trailer fields received (chunked only), valid when done.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State : unsigned char {
    fixed,
    chunk_size,
    chunk_extension,
    chunk_size_lf,
    chunk_data,
    chunk_data_cr,
    chunk_data_lf,
    trailers,
    until_close,
    done,
    failed
  };
  Result<void> take_chunk_byte(char byte);
  Result<void> take_trailer_line();
  std::unexpected<Error> refuse(const char* code, const char* message);
  State state_;
  std::uint64_t remaining_ = 0;
  unsigned digits_ = 0;
  std::size_t extension_ = 0;  // bytes of this chunk's extension
  std::size_t overhead_ = 0;   // bytes of extensions not yet outweighed by data
  std::size_t trailers_size_ = 0;
  std::string trailer_line_;
  Error error_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace weir::proxy
