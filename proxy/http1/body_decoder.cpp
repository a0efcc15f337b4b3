#include <algorithm>

#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy {
namespace {

constexpr unsigned kMaxDigits = 16;
constexpr std::size_t kMaxExtension = 1024;
constexpr std::size_t kMaxTrailers = 16 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Fields that mean something to framing, routing or authentication may not come after the fact (RFC 9110 §6.5.1).
bool may_be_trailer(std::string_view name) {
  static constexpr std::string_view kForbidden[] = {"content-length", "transfer-encoding", "host",          "connection",  "te",
                                                    "trailer",        "upgrade",           "authorization", "cookie",      "set-cookie",
                                                    "content-type",   "content-encoding",  "content-range", "expect",      "proxy-authorization",
                                                    "keep-alive",     "cache-control",     "x-api-key"};
  return std::none_of(std::begin(kForbidden), std::end(kForbidden), [&](auto forbidden) { return equals_ignoring_case(name, forbidden); });
}

}  // namespace

BodyDecoder::BodyDecoder(BodyLength length) : length_(length) {
  switch (length.kind) {
    case BodyLength::Kind::none: state_ = State::done; break;
    case BodyLength::Kind::fixed:
      remaining_ = length.size;
      state_ = length.size == 0 ? State::done : State::fixed;
      break;
    case BodyLength::Kind::chunked: state_ = State::chunk_size; break;
    case BodyLength::Kind::until_close: state_ = State::until_close; break;
  }
}

Result<BodyDecoder::Step> BodyDecoder::decode(std::string_view input) {
  Step step;
  const auto bad = [] { return fail("bad_chunk", "the chunked body is not framed as RFC 9112 says"); };
  while (state_ != State::done) {
    const std::string_view rest = input.substr(step.consumed);
    if (rest.empty()) return step;
    switch (state_) {
      case State::until_close:
        step.payload = rest;
        step.consumed += rest.size();
        return step;
      case State::fixed:
      case State::chunk_data: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size()));
        step.payload = rest.substr(0, size);
        step.consumed += size;
        remaining_ -= size;
        if (remaining_ == 0) state_ = state_ == State::fixed ? State::done : State::chunk_data_cr;
        step.done = state_ == State::done;
        // One piece of payload a step: it is a view into the input, and the next piece is not adjacent.
        return step;
      }
      case State::chunk_size: {
        const int value = hex_value(rest.front());
        if (value >= 0) {
          if (++digits_ > kMaxDigits) return bad();
          remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(value);
        } else if (digits_ == 0) {
          return bad();
        } else if (rest.front() == ';') {
          extension_ = 0;
          state_ = State::chunk_extension;
        } else if (rest.front() == '\r') {
          state_ = State::chunk_size_lf;
        } else {
          return bad();
        }
        ++step.consumed;
        break;
      }
      case State::chunk_extension:
        if (rest.front() == '\r') {
          state_ = State::chunk_size_lf;
        } else if (!is_field_value(rest.substr(0, 1)) || ++extension_ > kMaxExtension) {
          return bad();
        }
        ++step.consumed;
        break;
      case State::chunk_size_lf:
        if (rest.front() != '\n') return bad();
        ++step.consumed;
        digits_ = 0;
        state_ = remaining_ == 0 ? State::trailers : State::chunk_data;
        break;
      case State::chunk_data_cr:
        if (rest.front() != '\r') return bad();
        ++step.consumed;
        state_ = State::chunk_data_lf;
        break;
      case State::chunk_data_lf:
        if (rest.front() != '\n') return bad();
        ++step.consumed;
        remaining_ = 0;
        state_ = State::chunk_size;
        break;
      case State::trailers: {
        const auto end = rest.find('\n');
        const std::string_view part = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
        trailer_bytes_ += part;
        step.consumed += part.size();
        if (trailer_bytes_.size() > kMaxTrailers) return fail("trailers_too_large", "the trailers are larger than 16 KiB");
        if (end == std::string_view::npos) return step;
        if (!trailer_bytes_.ends_with("\r\n")) return fail("bad_trailer", "a trailer line ends with LF alone");
        const std::string_view line = std::string_view(trailer_bytes_).substr(0, trailer_bytes_.size() - 2);
        if (line.empty()) {
          state_ = State::done;
          break;
        }
        const auto field = parse_field_line(line);
        if (!field) return fail("bad_trailer", field.error().message);
        if (trailers_.size() >= 64) return fail("trailers_too_large", "there are more than 64 trailers");
        if (may_be_trailer(field->name)) trailers_.emplace_back(field->name, field->value);
        trailer_bytes_.clear();
        break;
      }
      case State::done: break;
    }
  }
  step.done = true;
  return step;
}

bool BodyDecoder::finish() {
  if (state_ == State::until_close) state_ = State::done;
  return state_ == State::done;
}

}  // namespace weir::proxy
