// What looking for leaks costs: 500 secrets in all forms and all tokens' patterns, by what the bytes are.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "proxy/leaks/body_scan.h"
#include "proxy/leaks/needles.h"
#include "proxy/leaks/token_patterns.h"

namespace weir::proxy::leaks {
namespace {

std::mt19937 engine(7);  // NOLINT: the same bytes every time

std::string random_text(std::size_t size, std::string_view of) {
  std::string made;
  while (made.size() < size) made += of[engine() % of.size()];
  return made;
}

Needles secrets(std::size_t count, std::size_t shortest = 20) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i)
    texts.push_back(random_text(shortest + engine() % 40, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"));
  std::vector<Needle> needles;
  for (std::uint32_t i = 0; i < texts.size(); ++i) needles.push_back({.id = i, .text = texts[i]});
  return std::move(Needles::make(needles).value());
}

std::string json_text(std::size_t size) {
  std::string made;
  while (made.size() < size)
    made += "{\"role\":\"user\",\"id\":\"msg_" + random_text(12, "0123456789abcdef") + "\",\"content\":[{\"type\":\"text\",\"text\":\"Please read src/main.cpp, then explain why the " +
            random_text(5, "etaoinshrdlu") + " of the task is slow.\\n\"}],\"max_tokens\":" + std::to_string(engine() % 100000) + "},\n";
  return made.substr(0, size);
}
std::string binary(std::size_t size) {
  std::string made;
  while (made.size() < size) made += static_cast<char>(engine() & 0xFF);
  return made;
}

constexpr std::string_view kHead =
    "POST /v1/messages?beta=true HTTP/1.1\r\nhost: api.example.com\r\naccept: application/json\r\nx-stainless-retry-count: 0\r\nx-stainless-timeout: 600\r\n"
    "x-stainless-lang: js\r\nx-stainless-package-version: 0.60.0\r\nx-stainless-os: Linux\r\nx-stainless-arch: x64\r\nx-stainless-runtime: node\r\n"
    "x-stainless-runtime-version: v22.18.0\r\nanthropic-dangerous-direct-browser-access: true\r\nanthropic-version: 2023-06-01\r\nauthorization: Bearer placeholder\r\n"
    "x-app: cli\r\nuser-agent: claude-cli/1.0.113 (external, cli)\r\ncontent-type: application/json\r\nanthropic-beta: oauth-2025-04-20\r\naccept-encoding: br, gzip\r\n"
    "content-length: 48211\r\n\r\n";

std::string bytes_of(int kind, std::size_t size) { return kind == 0 ? json_text(size) : kind == 1 ? binary(size) : base64_encode(binary(size * 3 / 4)); }
const char* name_of(int kind) { return kind == 0 ? "json" : kind == 1 ? "binary" : "base64"; }

// Pieces as they come from a connection.
void body(benchmark::State& state) {
  constexpr std::size_t kPiece = 65536, kBody = 16 * kPiece;
  const auto needles = secrets(static_cast<std::size_t>(state.range(0)));
  const auto bytes = bytes_of(static_cast<int>(state.range(1)), kBody);
  const ScanOptions options{.needles = &needles, .tokens = state.range(2) != 0};
  std::string out;
  for (auto _ : state) {
    BodyScan scan(options, "");
    for (std::size_t at = 0; at < kBody; at += kPiece) {
      out.clear();
      benchmark::DoNotOptimize(scan.feed(std::string_view(bytes).substr(at, kPiece), at + kPiece == kBody, out));
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(kBody) * state.iterations());
  state.SetLabel(name_of(static_cast<int>(state.range(1))));
  state.counters["locked KiB"] = static_cast<double>(needles.memory()) / 1024;
}
BENCHMARK(body)->ArgsProduct({{3, 500}, {0, 1, 2}, {0, 1}});

void needles_alone(benchmark::State& state) {
  const auto needles = secrets(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(2)));
  const auto bytes = bytes_of(static_cast<int>(state.range(1)), 65536);
  for (auto _ : state) benchmark::DoNotOptimize(needles.scan(bytes, [](const Hit&) { return true; }));
  state.SetBytesProcessed(65536 * state.iterations());
  state.SetLabel(name_of(static_cast<int>(state.range(1))));
}
BENCHMARK(needles_alone)->ArgsProduct({{3, 500}, {0, 1, 2}, {6, 20}});

void tokens_alone(benchmark::State& state) {
  const auto bytes = bytes_of(static_cast<int>(state.range(0)), 65536);
  for (auto _ : state) find_tokens(bytes, [](const TokenHit&) { return true; });
  state.SetBytesProcessed(65536 * state.iterations());
  state.SetLabel(name_of(static_cast<int>(state.range(0))));
}
BENCHMARK(tokens_alone)->DenseRange(0, 2);

void head(benchmark::State& state) {
  const auto needles = secrets(static_cast<std::size_t>(state.range(0)));
  const auto bytes = kHead.substr(0, 600);
  for (auto _ : state) {
    needles.find(bytes, [](const Hit&) { return true; });
    if (state.range(1) != 0) find_tokens(bytes, [](const TokenHit&) { return true; });
  }
}
BENCHMARK(head)->ArgsProduct({{3, 500}, {0, 1}});

void name(benchmark::State& state) {
  const auto needles = secrets(static_cast<std::size_t>(state.range(0)));
  std::uint32_t id = 0;
  for (auto _ : state) benchmark::DoNotOptimize(needles.find_in_name("telemetry.eu-central-1.api.example.com", id));
}
BENCHMARK(name)->Arg(3)->Arg(500);

void make(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(secrets(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(make)->Arg(3)->Arg(500)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::proxy::leaks
