// What the HTTP/1.1 codec costs a request: a head of about 400 bytes, as an agent's client sends it.
#include <benchmark/benchmark.h>

#include <string>

#include "proxy/http1/decoder.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

const std::string kRequest =
    "POST /v1/messages?beta=true HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\nAccept-Encoding: gzip, "
    "deflate, br\r\n"
    "Content-Type: application/json\r\nUser-Agent: client/2.1.0 (linux; x64)\r\nX-Api-Key: "
    "sk-placeholder-0123456789abcdef0123456789abcdef\r\n"
    "X-Request-Id: 0f6e2b1c-6a3d-4d2a-9f1f-1d2c3b4a5968\r\nConnection: keep-alive\r\nContent-Length: 75214\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 10:11:12 GMT\r\nContent-Type: text/event-stream; "
    "charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    "Connection: keep-alive\r\nCache-Control: no-cache\r\nServer: x\r\nRequest-Id: req_011CQabcdefghijklmnop\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\nVia: 1.1 google\r\n\r\n";

void FindHead(benchmark::State& state) {
  for (auto _ : state) {
    std::size_t scanned = 0;
    benchmark::DoNotOptimize(find_head(kRequest, {}, scanned));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRequest.size()));
}
BENCHMARK(FindHead);

void ParseRequestHead(benchmark::State& state) {
  HeadParser parser;
  RequestHead head;
  for (auto _ : state) {
    std::size_t scanned = 0;
    const auto size = find_head(kRequest, {}, scanned);
    benchmark::DoNotOptimize(parser.request(std::string_view(kRequest).substr(0, *size), {}, head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRequest.size()));
}
BENCHMARK(ParseRequestHead);

void ParseResponseHead(benchmark::State& state) {
  HeadParser parser;
  ResponseHead head;
  for (auto _ : state) {
    std::size_t scanned = 0;
    const auto size = find_head(kResponse, {}, scanned);
    benchmark::DoNotOptimize(parser.response(std::string_view(kResponse).substr(0, *size), "POST", {}, head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kResponse.size()));
}
BENCHMARK(ParseResponseHead);

void WriteRequestHead(benchmark::State& state) {
  HeadParser parser;
  RequestHead head;
  if (!parser.request(kRequest, {}, head)) return state.SkipWithError("the request is refused");
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_request_line(out, head.method, head.target);
    append_header(out, "Host", head.host);
    const HopByHop hop(head.headers);
    for (const auto& header : head.headers)
      if (!hop.drops(header.name)) append_header(out, header.name, header.value);
    append_body_length(out, head.body);
    append_end_of_head(out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(WriteRequestHead);

// One event of a stream in a chunk, as a model's API sends it, up to whole buffers.
void DecodeChunked(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string body;
  for (int chunk = 0; chunk < 64; ++chunk) {
    append_chunk_prefix(body, size);
    body.append(size, 'x').append("\r\n");
  }
  append_last_chunk(body, {});
  for (auto _ : state) {
    BodyDecoder decoder({BodyLength::Kind::chunked, 0});
    std::string_view rest = body;
    for (bool done = false; !done;) {
      const auto step = decoder.decode(rest);
      if (!step) return state.SkipWithError("the body is refused");
      benchmark::DoNotOptimize(step->payload.data());
      rest.remove_prefix(step->consumed);
      done = step->done;
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(DecodeChunked)->Arg(16)->Arg(150)->Arg(4096);

}  // namespace
}  // namespace weir::proxy
