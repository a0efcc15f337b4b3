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
//   "bad_request_line", "bad_status_line", "bad_version" (only 1.0 and 1.1), "bad_header_name" (also space before the colon),
//   "bad_header_value" (control characters), "obs_fold", "missing_host", "multiple_hosts", "bad_content_length" (repeated, signed,
//   lists, overflow), "length_and_chunked" (CL with TE), "bad_transfer_encoding" (anything but one `chunked`; on 1.0 any),
//   "too_many_headers", "bad_target".
class HeadParser {
 public:
  HeadParser();
  ~HeadParser();
  HeadParser(HeadParser&&) noexcept;
  Result<void> request(std::string_view head, const HeadLimits& limits, RequestHead& out);
  // `request_method` decides whether a body follows (HEAD, CONNECT; RFC 9112 §6.3). 1xx, 204 and 304 have none.
  Result<void> response(std::string_view head, std::string_view request_method, const HeadLimits& limits, ResponseHead& out);

 private:
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

// A body's bytes out of the connection's bytes. Strict: chunk-size is 1 to 16 hex digits, chunk extensions are
// refused beyond 1 KiB and dropped, CRLF exactly; trailers are checked like headers.
class BodyDecoder {
 public:
  explicit BodyDecoder(BodyLength length);
  struct Step {
    std::size_t consumed = 0;   // bytes of the input used up
    std::string_view payload;   // body bytes, a view into the input; may be empty
    bool done = false;          // the body (and its trailers) is complete
  };
  // Takes what is there. Call again with the rest while it consumes. Errors: "bad_chunk", "bad_trailer", "trailers_too_large".
  Result<Step> decode(std::string_view input);
  // The connection ended: true when that is the proper end (until_close) or the body was complete.
  bool finish();
  // Trailer fields received (chunked only), valid when done.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State : unsigned char { fixed, chunk_size, chunk_extension, chunk_size_lf, chunk_data, chunk_data_cr, chunk_data_lf, trailers, until_close, done };
  State state_;
  BodyLength length_;
  std::uint64_t remaining_ = 0;
  unsigned digits_ = 0;
  std::size_t extension_ = 0;
  std::string trailer_bytes_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace weir::proxy
