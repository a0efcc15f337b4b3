// What must hold for any messages in any pieces. Seeds are fixed, so a failure can be repeated.
#include <random>

#include "proxy/websocket/reframer.h"
#include "websocket_testing.h"

namespace weir::proxy::websocket {
namespace {

TEST(ReframerProperties, KeepEveryMessageWhateverThePieces) {
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    std::mt19937 engine(seed);
    const auto below = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine); };
    const auto from = below(2) == 0 ? Sender::client : Sender::server;
    const auto payload = [&](std::size_t most) {
      std::string bytes(below(most + 1), '\0');
      for (auto& byte : bytes) byte = static_cast<char>(below(256));
      return bytes;
    };
    std::vector<Frame> frames;
    bool open = false;
    for (auto count = 1 + below(12); count > 0; --count) {
      if (below(4) == 0) {
        frames.push_back({below(2) == 0 ? Opcode::ping : Opcode::pong, true, payload(125)});
        continue;
      }
      const bool fin = below(3) != 0;
      const auto begins = below(2) == 0 ? Opcode::text : Opcode::binary;
      frames.push_back({open ? Opcode::continuation : begins, fin, payload(below(20) == 0 ? 70'000 : 300)});
      open = !fin;
    }
    auto bytes = bytes_of(frames, from);
    // Holds back a random number of bytes each time.
    Reframer reframer(from, [&](std::span<char> piece, bool) { return below(piece.size() + 1); });
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto piece = std::min(1 + below(below(2) == 0 ? 10 : 10'000), bytes.size() - at);
      ASSERT_TRUE(reframer.feed(std::span(bytes).subspan(at, piece), out)) << seed;
      at += piece;
    }
    const auto received = receive(out, from);
    ASSERT_EQ(received.error, "") << seed;
    auto want = messages_of(frames), got = messages_of(received.frames);
    const auto is_data = [](const Frame& frame) { return !is_control(frame.opcode); };
    std::stable_partition(want.begin(), want.end(), is_data);
    std::stable_partition(got.begin(), got.end(), is_data);
    ASSERT_EQ(got, want) << seed;
    ASSERT_EQ(reframer.frames(), frames.size());
    ASSERT_EQ(reframer.whole(), !open);
  }
}

TEST(ReframerProperties, EndWithAWholeFrameAtAnyTime) {
  std::mt19937 engine(7);
  for (int round = 0; round < 20'000; ++round) {
    // Bytes at random, likely enough to be frames.
    std::string bytes;
    for (auto count = 1 + engine() % 60; count > 0; --count) {
      constexpr std::uint8_t kLikely[] = {0x81, 0x01, 0x80, 0x00, 0x82, 0x89, 0x88, 0x02, 0x03, 0xe8, 'a'};
      bytes += static_cast<char>(kLikely[engine() % std::size(kLikely)]);
    }
    Reframer reframer(Sender::server);
    std::string out;
    const auto fed = reframer.feed(bytes, out);
    FrameDecoder decoder(Sender::server);
    auto rest = std::span(out);
    while (!rest.empty()) {
      const auto step = decoder.decode(rest);
      ASSERT_TRUE(step);
      rest = rest.subspan(step->consumed);
    }
    ASSERT_FALSE(decoder.within_frame());
  }
}

}  // namespace
}  // namespace weir::proxy::websocket
