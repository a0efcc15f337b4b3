// Any bytes to the HTTP/1.1 codec. The first byte chooses what they are: a request, a response, or a chunked body; the
// second how they are cut. What is accepted must be the same however it arrived, and mean the same when written anew.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/encoder.h"

namespace {

using namespace weir::proxy;

void require(bool holds) {
  if (!holds) std::abort();
}

// The head's size, the same from all bytes at once and from pieces; 0 when there is none.
std::size_t measure(std::string_view bytes, std::size_t piece) {
  const HeadLimits limits{2048, 32};
  std::size_t scanned = 0;
  const auto whole = find_head(bytes, limits, scanned);
  scanned = 0;
  for (std::size_t size = 0;;) {
    size = std::min(bytes.size(), size + piece);
    const auto found = find_head(bytes.substr(0, size), limits, scanned);
    if (!found) {
      require(!whole && whole.error() == found.error());
      return 0;
    }
    if (*found != 0 || size == bytes.size()) {
      require(whole && *whole == *found);
      return *found;
    }
  }
}

bool same(const std::vector<Header>& ours, const std::vector<Header>& theirs) {
  const HopByHop our_hop(ours);
  const HopByHop their_hop(theirs);
  auto other = theirs.begin();
  for (const auto& header : ours) {
    if (our_hop.drops(header.name)) continue;
    while (other != theirs.end() && their_hop.drops(other->name)) ++other;
    if (other == theirs.end() || other->name != header.name || other->value != header.value) return false;
    ++other;
  }
  while (other != theirs.end() && their_hop.drops(other->name)) ++other;
  return other == theirs.end();
}

void append_fields(std::string& out, const std::vector<Header>& headers, const BodyLength& body) {
  const HopByHop hop(headers);
  for (const auto& header : headers)
    if (!hop.drops(header.name)) require(append_header(out, header.name, header.value));
  append_body_length(out, body);
  append_end_of_head(out);
}

HeadParser& parser() {
  static HeadParser instance;
  return instance;
}

void request(std::string_view bytes, std::size_t piece) {
  RequestHead head;
  (void)parser().request(bytes, {2048, 32}, head);  // what find_head never measured
  const std::size_t size = measure(bytes, piece);
  if (size == 0 || !parser().request(bytes.substr(0, size), {2048, 32}, head)) return;
  std::string written;
  require(append_request_line(written, head.method, head.target) && append_header(written, "Host", head.host));
  append_fields(written, head.headers, head.body);
  RequestHead again;
  require(parser().request(written, {}, again).has_value());
  require(again.method == head.method && again.target == head.target && again.host == head.host && again.body == head.body &&
          same(head.headers, again.headers));
}

void response(std::string_view bytes, std::size_t piece, std::string_view method) {
  ResponseHead head;
  (void)parser().response(bytes, method, {2048, 32}, head);
  const std::size_t size = measure(bytes, piece);
  if (size == 0 || !parser().response(bytes.substr(0, size), method, {2048, 32}, head)) return;
  std::string written;
  append_status_line(written, head.status, head.reason);
  append_fields(written, head.headers, head.body);
  ResponseHead again;
  require(parser().response(written, method, {}, again).has_value());
  require(again.status == head.status && again.reason == head.reason && again.body == head.body &&
          same(head.headers, again.headers));
}

struct Decoded {
  std::string payload;
  std::string code;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
  BodyDecoder decoder({BodyLength::Kind::chunked, 0});
  Decoded decoded;
  while (decoded.consumed < bytes.size()) {
    const std::size_t offered = std::min(piece, bytes.size() - decoded.consumed);
    const auto step = decoder.decode(bytes.substr(decoded.consumed, offered));
    if (!step) {
      require(!decoder.finish());
      return {decoded.payload, step.error().code, {}, 0};
    }
    require(step->consumed <= offered && (step->consumed > 0 || step->done));
    decoded.payload += step->payload;
    decoded.consumed += step->consumed;
    if (!step->done) continue;
    return {decoded.payload, "done", decoder.trailers(), decoded.consumed};
  }
  decoded.code = "more";
  return decoded;
}

void body(std::string_view bytes, std::size_t piece) {
  const Decoded whole = decode(bytes, bytes.size());
  require(whole == decode(bytes, piece) && whole == decode(bytes, 1));
  if (whole.code != "done") return;
  std::string written;
  if (!whole.payload.empty()) {
    append_chunk_prefix(written, whole.payload.size());
    written.append(whole.payload).append("\r\n");
  }
  append_last_chunk(written, whole.trailers);
  const Decoded again = decode(written, piece);
  require(again.code == "done" && again.payload == whole.payload && again.trailers == whole.trailers &&
          again.consumed == written.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t piece = 1 + data[1] % 32U;
  switch (data[0] % 5) {
    case 0:
      request(bytes, piece);
      break;
    case 1:
      response(bytes, piece, "GET");
      break;
    case 2:
      response(bytes, piece, "HEAD");
      break;
    case 3:
      response(bytes, piece, "CONNECT");
      break;
    default:
      body(bytes, piece);
      break;
  }
  return 0;
}
