#include "proxy/leaks/body_scan.h"

#include <algorithm>
#include <deque>

#include "proxy/leaks/content_decoders.h"
#include "proxy/leaks/stream_scan.h"

namespace weir::proxy::leaks {
namespace {

constexpr std::size_t kBlock = 4096;          // of a compressed body, the least that is held back
constexpr std::size_t kMostHeld = 128 * 1024;  // of a compressed body; a needle's form in it would have to be stretched to be longer

// The end of a chain of decoders.
class ScanSink final : public Sink {
 public:
  ScanSink(const ScanOptions& options, std::vector<Finding>& findings) : scan_(options.needles, options.tokens), findings_(findings) {}
  void take(std::string_view bytes, bool last) override {
    scan_.feed(bytes, last, findings_, [](std::string_view) {});
    taken_ += bytes.size();
  }
  bool complete(bool) const override { return true; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t passed() const { return scan_.passed(); }

 private:
  StreamScan scan_;
  std::vector<Finding>& findings_;
  std::uint64_t taken_ = 0;
};

}  // namespace

// A compressed body is looked into twice: as it is, and decoded. A block of it goes on when both have done with it.
struct BodyScan::State {
  State(const ScanOptions& options, std::string_view content_encoding) : raw(options.needles, options.tokens), room(options.decoded_limit) {
    if (options.needles == nullptr && !options.tokens) return;
    const auto codings = codings_of(content_encoding);
    known = codings.has_value();
    if (known && !codings->empty()) decoded = chain(options, *codings, 0);
  }

  std::unique_ptr<Sink> chain(const ScanOptions& options, const std::vector<Coding>& codings, std::size_t at) {
    if (at == codings.size()) {
      auto sink = std::make_unique<ScanSink>(options, findings);
      sinks.push_back(sink.get());
      return sink;
    }
    return make_decoder(codings[at], room, [&, at] { return chain(options, codings, at + 1); });
  }

  struct Block {
    std::uint64_t end = 0;              // in the body
    std::vector<std::uint64_t> decoded;  // how much each sink had been given by then
  };
  void feed_plain(std::string_view piece, bool last, std::string& out) {
    raw.feed(piece, last, findings, [&](std::string_view passed) { out.append(passed); });
    taken += piece.size();
  }
  void feed_decoded(std::string_view piece, bool last, std::string& out);
  bool done_with(const Block& block) const;

  StreamScan raw;
  std::vector<Finding> findings;
  std::uint64_t room;
  std::unique_ptr<Sink> decoded;
  std::vector<ScanSink*> sinks;
  std::deque<Block> blocks;
  WipedText waiting;  // passed by `raw`, not yet given out
  std::uint64_t taken = 0, given = 0;
  bool known = true, ended = false;
};

bool BodyScan::State::done_with(const Block& block) const {
  for (std::size_t i = 0; i < sinks.size(); ++i)
    if (sinks[i]->passed() < block.decoded[i]) return false;
  return true;
}

void BodyScan::State::feed_decoded(std::string_view piece, bool last, std::string& out) {
  raw.feed(piece, last, findings, [&](std::string_view passed) { waiting.append(passed); });
  for (std::size_t at = 0; at < piece.size() || (last && at == 0); at += kBlock) {
    const auto block = piece.substr(at, kBlock);
    decoded->take(block, last && at + kBlock >= piece.size());
    taken += block.size();
    blocks.push_back({.end = taken, .decoded = {}});
    for (const auto* sink : sinks) blocks.back().decoded.push_back(sink->taken());
  }
  std::uint64_t free = last ? taken : given;
  while (!blocks.empty() && (done_with(blocks.front()) || taken - blocks.front().end > kMostHeld)) {
    free = std::max(free, blocks.front().end);
    blocks.pop_front();
  }
  const std::size_t now = static_cast<std::size_t>(std::min(free, raw.passed()) - given);
  out.append(waiting.view().substr(0, now));
  waiting.keep_from(now);
  given += now;
}

BodyScan::BodyScan(const ScanOptions& options, std::string_view content_encoding) : state_(std::make_unique<State>(options, content_encoding)) {}
BodyScan::BodyScan(BodyScan&&) noexcept = default;
BodyScan& BodyScan::operator=(BodyScan&&) noexcept = default;
BodyScan::~BodyScan() = default;

std::vector<Finding> BodyScan::feed(std::string_view piece, bool last, std::string& out) {
  auto& state = *state_;
  state.findings.clear();
  state.ended = last;
  if (state.decoded)
    state.feed_decoded(piece, last, out);
  else
    state.feed_plain(piece, last, out);
  return std::move(state.findings);
}

bool BodyScan::looked_at_all() const {
  const auto& state = *state_;
  if (!state.known) return false;
  if (!state.decoded || state.taken == 0) return true;
  return state.decoded->complete(state.ended);
}

}  // namespace weir::proxy::leaks
