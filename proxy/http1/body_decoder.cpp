#include <algorithm>

#include "proxy/http1/decoder.h"
#include "proxy/http1/field_syntax.h"
#include "proxy/http1/name_set.h"

namespace weir::proxy {
namespace {

constexpr unsigned kMaxDigits = 16;
constexpr std::uint64_t kMaxChunk = UINT64_C(0x7FFFFFFFFFFFFFFF);
constexpr std::size_t kMaxExtension = 1024;
constexpr std::size_t kMaxOverhead = 16 * 1024;
constexpr std::size_t kMaxTrailers = 16 * 1024;
constexpr std::size_t kMaxTrailerFields = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A recipient that merges trailers into the head would frame or route the message anew: nobody sends these in good faith.
constexpr NameSet kRefusedTrailers({"content-length", "transfer-encoding", "host", "connection", "upgrade", "trailer",
                                    "te"});

// Fields for request control, authentication and the content's form come too late here (RFC 9110 §6.5.1).
constexpr NameSet kDroppedTrailers({"age",
                                    "authorization",
                                    "cache-control",
                                    "content-encoding",
                                    "content-range",
                                    "content-type",
                                    "cookie",
                                    "date",
                                    "expect",
                                    "expires",
                                    "forwarded",
                                    "if-match",
                                    "if-none-match",
                                    "keep-alive",
                                    "location",
                                    "max-forwards",
                                    "pragma",
                                    "proxy-authenticate",
                                    "proxy-authorization",
                                    "proxy-connection",
                                    "range",
                                    "retry-after",
                                    "set-cookie",
                                    "vary",
                                    "warning",
                                    "www-authenticate",
                                    "x-api-key",
                                    "x-forwarded-for",
                                    "x-forwarded-host",
                                    "x-forwarded-proto"});

}  // namespace

BodyDecoder::BodyDecoder(BodyLength length) : state_(State::done) {
  switch (length.kind) {
    case BodyLength::Kind::none:
      break;
    case BodyLength::Kind::fixed:
      remaining_ = length.size;
      if (length.size != 0) state_ = State::fixed;
      break;
    case BodyLength::Kind::chunked:
      state_ = State::chunk_size;
      break;
    case BodyLength::Kind::until_close:
      state_ = State::until_close;
      break;
  }
}

std::unexpected<Error> BodyDecoder::refuse(const char* code, const char* message) {
  state_ = State::failed;
  error_ = {code, message};
  return std::unexpected(error_);
}

// One byte of the framing round a chunk's data (RFC 9112 §7.1).
Result<void> BodyDecoder::take_chunk_byte(char byte) {
  switch (state_) {
    case State::chunk_size: {
      if (const int value = hex_value(byte); value >= 0) {
        if (++digits_ > kMaxDigits) return refuse("bad_chunk", "a chunk's size has more than 16 digits");
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(value);
        return {};
      }
      if (digits_ == 0) return refuse("bad_chunk", "a chunk does not begin with its size in hex digits");
      if (remaining_ > kMaxChunk) return refuse("bad_chunk", "a chunk's size is larger than 2^63 - 1");
      if (byte != ';' && byte != '\r')
        return refuse("bad_chunk", "a chunk's size is followed by neither CRLF nor an extension");
      extension_ = 0;
      state_ = byte == ';' ? State::chunk_extension : State::chunk_size_lf;
      return {};
    }
    case State::chunk_extension:
      if (byte == '\r') {
        state_ = State::chunk_size_lf;
        return {};
      }
      if (!is_byte_of(kValueByte, byte))
        return refuse("bad_chunk", "a chunk's extension holds a control character or ends with LF alone");
      if (++extension_ > kMaxExtension || ++overhead_ > kMaxOverhead)
        return refuse("bad_chunk", "the chunks' extensions are too large");
      return {};
    case State::chunk_size_lf:
      if (byte != '\n') return refuse("bad_chunk", "a chunk's size line does not end with CRLF");
      digits_ = 0;
      state_ = remaining_ == 0 ? State::trailers : State::chunk_data;
      overhead_ -= static_cast<std::size_t>(std::min<std::uint64_t>(overhead_, remaining_));
      return {};
    case State::chunk_data_cr:
    case State::chunk_data_lf: {
      const bool cr = state_ == State::chunk_data_cr;
      if (byte != (cr ? '\r' : '\n')) return refuse("bad_chunk", "a chunk's data is not followed by CRLF");
      state_ = cr ? State::chunk_data_lf : State::chunk_size;
      return {};
    }
    default:
      return refuse("bad_chunk", "the chunked body is not framed as RFC 9112 says");  // never reached
  }
}

Result<void> BodyDecoder::take_trailer_line() {
  if (trailer_line_ == "\r\n") {
    state_ = State::done;
    return {};
  }
  const char* at = trailer_line_.data();
  Header field;
  if (const auto taken = take_field_line(at, at + trailer_line_.size(), field); !taken)
    return refuse("bad_trailer", "a trailer is not a well-formed header line");
  if (kRefusedTrailers.contains(field.name)) return refuse("bad_trailer", "a trailer would frame or route the message anew");
  if (trailers_.size() == kMaxTrailerFields) return refuse("trailers_too_large", "there are more than 64 trailers");
  if (!kDroppedTrailers.contains(field.name)) trailers_.emplace_back(field.name, field.value);
  trailer_line_.clear();
  return {};
}

Result<BodyDecoder::Step> BodyDecoder::decode(std::string_view input) {
  Step step;
  while (step.consumed < input.size()) {
    const std::string_view rest = input.substr(step.consumed);
    switch (state_) {
      case State::done:
        step.done = true;
        return step;
      case State::failed:
        return std::unexpected(error_);
      case State::until_close:
        step.payload = rest;
        step.consumed = input.size();
        return step;
      case State::fixed:
      case State::chunk_data: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size()));
        step.payload = rest.substr(0, size);
        step.consumed += size;
        remaining_ -= size;
        if (remaining_ == 0) state_ = state_ == State::fixed ? State::done : State::chunk_data_cr;
        step.done = state_ == State::done;
        return step;
      }
      case State::trailers: {
        const auto line_end = rest.find('\n');
        const std::size_t size = line_end == std::string_view::npos ? rest.size() : line_end + 1;
        // Counted before anything is kept, so that what is held is bounded.
        if (size > kMaxTrailers - trailers_size_) return refuse("trailers_too_large", "the trailers are larger than 16 KiB");
        trailers_size_ += size;
        trailer_line_.append(rest.substr(0, size));
        step.consumed += size;
        if (line_end == std::string_view::npos) return step;
        if (auto taken = take_trailer_line(); !taken) return std::unexpected(taken.error());
        break;
      }
      default:
        if (auto taken = take_chunk_byte(rest.front()); !taken) return std::unexpected(taken.error());
        ++step.consumed;
        break;
    }
  }
  if (state_ == State::failed) return std::unexpected(error_);
  step.done = state_ == State::done;
  return step;
}

bool BodyDecoder::finish() {
  if (state_ == State::until_close) state_ = State::done;
  return state_ == State::done;
}

}  // namespace weir::proxy
