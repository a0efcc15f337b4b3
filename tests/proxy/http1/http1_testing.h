// What the tests of the HTTP/1.1 codec share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {

inline std::string code_of(const Result<void>& result) { return result ? "accepted" : result.error().code; }

// The codec as a connection uses it: find_head, then the parser. "accepted", "incomplete" or the error's code.
struct RequestReader {
  HeadParser parser;
  RequestHead head;
  std::string bytes;
  HeadLimits limits;

  std::string read(std::string_view text) {
    bytes = text;
    std::size_t scanned = 0;
    const auto size = find_head(bytes, limits, scanned);
    if (!size) return size.error().code;
    if (*size == 0) return "incomplete";
    return code_of(parser.request(std::string_view(bytes).substr(0, *size), limits, head));
  }
};

struct ResponseReader {
  HeadParser parser;
  ResponseHead head;
  std::string bytes;
  HeadLimits limits;

  std::string read(std::string_view text, std::string_view method = "GET") {
    bytes = text;
    std::size_t scanned = 0;
    const auto size = find_head(bytes, limits, scanned);
    if (!size) return size.error().code;
    if (*size == 0) return "incomplete";
    return code_of(parser.response(std::string_view(bytes).substr(0, *size), method, limits, head));
  }
};

// What a body decoder made of some input, however it was cut.
struct Decoded {
  std::string payload;
  std::string rest;  // what came after the body
  std::string code;  // "done", "more" or the error's code
  std::vector<std::pair<std::string, std::string>> trailers;
  bool operator==(const Decoded&) const = default;
};

inline Decoded decode_pieces(BodyLength length, const std::vector<std::string_view>& pieces) {
  BodyDecoder decoder(length);
  Decoded decoded;
  bool done = false;
  if (pieces.empty()) {
    const auto step = decoder.decode({});
    decoded.code = step && step->done ? "done" : "more";
    return decoded;
  }
  for (std::string_view piece : pieces) {
    while (!done) {
      const auto step = decoder.decode(piece);
      if (!step) {
        decoded.code = step.error().code;
        return decoded;
      }
      decoded.payload += step->payload;
      piece.remove_prefix(step->consumed);
      done = step->done;
      if (piece.empty()) break;
      if (step->consumed == 0 && !done) {
        decoded.code = "stuck";
        return decoded;
      }
    }
    decoded.rest += piece;
  }
  decoded.code = done ? "done" : "more";
  if (done) decoded.trailers = decoder.trailers();
  return decoded;
}

inline std::vector<std::string_view> cut(std::string_view text, std::size_t size) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
  return pieces;
}

inline Decoded decode_at_once(BodyLength length, std::string_view text) {
  return decode_pieces(length, cut(text, text.empty() ? 1 : text.size()));
}

inline std::optional<std::string> header_of(const std::vector<Header>& headers, std::string_view name) {
  for (const auto& header : headers)
    if (equals_ignoring_case(header.name, name)) return std::string(header.value);
  return std::nullopt;
}

}  // namespace weir::proxy
