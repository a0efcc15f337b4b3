#include "proxy/websocket/close.h"
#include "websocket_testing.h"

namespace weir::proxy::websocket {
namespace {

using namespace std::string_literals;

std::string encoded(Opcode opcode, bool fin, std::string_view payload, const std::optional<MaskKey>& key = {}) {
  std::string out;
  append_frame(out, opcode, fin, payload, key);
  return out;
}

TEST(FrameEncoder, WritesTheExamplesOfTheSpecification) {  // RFC 6455 §5.7
  EXPECT_EQ(encoded(Opcode::text, true, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(encoded(Opcode::text, true, "Hello", kTestKey), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(encoded(Opcode::text, false, "Hel") + encoded(Opcode::continuation, true, "lo"), "\x01\x03Hel\x80\x02lo");
  EXPECT_EQ(encoded(Opcode::ping, true, "Hello"), "\x89\x05Hello");
  EXPECT_EQ(encoded(Opcode::pong, true, "Hello", kTestKey), "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(encoded(Opcode::binary, true, std::string(256, 'x')).substr(0, 5), "\x82\x7e\x01\x00x"s);
  EXPECT_EQ(encoded(Opcode::binary, true, std::string(65536, 'x')).substr(0, 11), "\x82\x7f\0\0\0\0\0\x01\0\0x"s);
}

TEST(FrameEncoder, WritesTheShortestLength) {
  const std::pair<std::size_t, std::size_t> sizes[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};
  for (const auto& [payload, header] : sizes) {
    EXPECT_EQ(encoded(Opcode::binary, true, std::string(payload, 'x')).size(), header + payload);
    EXPECT_EQ(encoded(Opcode::binary, true, std::string(payload, 'x'), kTestKey).size(), header + 4 + payload);
  }
}

TEST(FrameEncoder, AppendsToWhatIsThere) {
  std::string out = "before";
  append_frame(out, Opcode::text, true, "Hello", kTestKey);
  EXPECT_EQ(out, "before" + encoded(Opcode::text, true, "Hello", kTestKey));
}

TEST(FrameEncoder, MasksTheSameWhateverThePieces) {
  std::string plain;
  for (int i = 0; i < 100; ++i) plain += static_cast<char>(i * 7);
  auto whole = plain;
  apply_mask(whole, kTestKey);
  for (std::size_t i = 0; i < plain.size(); ++i)
    ASSERT_EQ(static_cast<std::uint8_t>(whole[i]), static_cast<std::uint8_t>(plain[i]) ^ kTestKey[i % 4]);
  for (std::size_t cut = 0; cut <= plain.size(); ++cut) {
    auto pieces = plain;
    apply_mask(std::span(pieces).first(cut), kTestKey);
    apply_mask(std::span(pieces).subspan(cut), kTestKey, cut);
    ASSERT_EQ(pieces, whole) << cut;
  }
}

TEST(FrameEncoder, TakesAnotherRandomKeyForEveryFrame) {
  auto keys = random_mask_keys();
  std::vector<MaskKey> seen;
  for (int i = 0; i < 1000; ++i) seen.push_back(keys());
  std::sort(seen.begin(), seen.end());
  EXPECT_LE(seen.end() - std::unique(seen.begin(), seen.end()), 2);
}

TEST(Close, IsWrittenAndReadBack) {
  std::string out;
  append_close(out, kPolicyViolation, "no rule allows it");
  const auto frames = receive(out, Sender::server).frames;
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].opcode, Opcode::close);
  const auto close = read_close(frames[0].payload);
  ASSERT_TRUE(close);
  EXPECT_EQ(close->code, 1008);
  EXPECT_EQ(close->reason, "no rule allows it");
}

TEST(Close, CutsALongReasonBetweenCharacters) {
  std::string reason, out;
  for (int i = 0; i < 100; ++i) reason += "ü";
  append_close(out, kGoingAway, "x" + reason);
  EXPECT_EQ(receive(out, Sender::server).frames.at(0).payload.size(), 125U);
  out.clear();
  append_close(out, kGoingAway, reason);
  const auto payload = receive(out, Sender::server).frames.at(0).payload;
  EXPECT_EQ(payload.size(), 124U);
  EXPECT_TRUE(read_close(payload));
}

TEST(Close, MayHaveNoCodeButNoBadOne) {
  EXPECT_EQ(read_close("").value().code, kNoStatus);
  const auto with = [](int code) { return std::string{static_cast<char>(code >> 8), static_cast<char>(code)}; };
  for (const int code : {1000, 1003, 1007, 1011, 1014, 3000, 4999}) EXPECT_TRUE(read_close(with(code))) << code;
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
    EXPECT_FALSE(read_close(with(code))) << code;
  EXPECT_FALSE(read_close("\x03"));
  EXPECT_FALSE(read_close(with(1000) + "\xff"));
}

}  // namespace
}  // namespace weir::proxy::websocket
