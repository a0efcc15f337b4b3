#include "websocket_testing.h"

namespace weir::proxy::websocket {
namespace {

using namespace std::string_literals;
using Frames = std::vector<Frame>;

TEST(FrameDecoder, ReadsTheExamplesOfTheSpecification) {  // RFC 6455 §5.7
  EXPECT_EQ(receive("\x81\x05Hello", Sender::server).frames, (Frames{{Opcode::text, true, "Hello"}}));
  EXPECT_EQ(receive("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", Sender::client).frames,
            (Frames{{Opcode::text, true, "Hello"}}));
  EXPECT_EQ(receive("\x01\x03Hel\x80\x02lo", Sender::server).frames,
            (Frames{{Opcode::text, false, "Hel"}, {Opcode::continuation, true, "lo"}}));
  EXPECT_EQ(receive("\x82\x7e\x01\x00"s + std::string(256, 'x'), Sender::server).frames,
            (Frames{{Opcode::binary, true, std::string(256, 'x')}}));
  EXPECT_EQ(receive("\x82\x7f\0\0\0\0\0\x01\0\0"s + std::string(65536, 'x'), Sender::server).frames,
            (Frames{{Opcode::binary, true, std::string(65536, 'x')}}));
}

TEST(FrameDecoder, ReadsTheSameWhateverThePieces) {
  const Frames frames{{Opcode::text, false, ""},
                      {Opcode::ping, true, "p"},
                      {Opcode::continuation, false, std::string(300, 'a')},
                      {Opcode::pong, true, ""},
                      {Opcode::continuation, true, "end"},
                      {Opcode::binary, true, std::string(70'000, 'b')},
                      {Opcode::text, true, ""},
                      {Opcode::close, true, std::string(125, 'c')}};
  for (const auto from : {Sender::client, Sender::server})
    for (const std::size_t piece : {1, 2, 3, 5, 7, 64, 4096, 1 << 20}) {
      const auto received = receive(bytes_of(frames, from), from, piece);
      EXPECT_EQ(received.error, "");
      EXPECT_EQ(received.frames, frames) << piece;
    }
}

TEST(FrameDecoder, GivesPayloadBeforeTheFrameIsWhole) {
  auto bytes = bytes_of({{Opcode::text, true, "Hello"}}, Sender::client);
  FrameDecoder decoder(Sender::client);
  const auto first = decoder.decode(std::span(bytes).first(8)).value();
  EXPECT_TRUE(first.is_piece && first.begins && !first.ends && first.fin && !first.ends_message());
  EXPECT_EQ(first.consumed, 8U);
  EXPECT_EQ(std::string(first.payload.begin(), first.payload.end()), "He");
  EXPECT_TRUE(decoder.within_frame());
  const auto second = decoder.decode(std::span(bytes).subspan(8)).value();
  EXPECT_TRUE(second.is_piece && !second.begins && second.ends_message());
  EXPECT_EQ(std::string(second.payload.begin(), second.payload.end()), "llo");
  EXPECT_FALSE(decoder.within_frame());
}

TEST(FrameDecoder, TellsAContinuationsMessage) {
  auto bytes =
      bytes_of({{Opcode::binary, false, "a"}, {Opcode::ping, true, ""}, {Opcode::continuation, true, "b"}}, Sender::server);
  FrameDecoder decoder(Sender::server);
  std::vector<Opcode> messages;
  for (auto input = std::span(bytes); !input.empty();) {
    const auto step = decoder.decode(input).value();
    input = input.subspan(step.consumed);
    messages.push_back(step.message);
    EXPECT_EQ(decoder.within_message(), !input.empty());
  }
  EXPECT_EQ(messages, (std::vector<Opcode>{Opcode::binary, Opcode::ping, Opcode::binary}));
}

TEST(FrameDecoder, RefusesWhatTheSpecificationForbids) {
  const std::pair<std::string, std::string> from_server[] = {
      {"\xc1", "frame_reserved_bits"},
      {"\xa1", "frame_reserved_bits"},
      {"\x91", "frame_reserved_bits"},
      {"\x83", "frame_opcode"},
      {"\x87", "frame_opcode"},
      {"\x8b", "frame_opcode"},
      {"\x8f", "frame_opcode"},
      {"\x81\x80", "frame_mask"},
      {"\x09", "frame_control"},
      {"\x08", "frame_control"},
      {"\x89\x7e", "frame_control"},
      {"\x88\x7f", "frame_control"},
      {"\x82\x7e\0\x7d"s, "frame_length"},
      {"\x82\x7e\0\0"s, "frame_length"},
      {"\x82\x7f\0\0\0\0\0\0\xff\xff"s, "frame_length"},
      {"\x82\x7f\x80\0\0\0\0\0\0\0"s, "frame_length"},
      {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "frame_length"},
      {"\x80", "frame_continuation"},
      {"\x00"s, "frame_continuation"},
      {"\x01\x01"s + "a\x81", "frame_continuation"},
      {"\x01\x01"s + "a\x02", "frame_continuation"},
      {"\x81\x01"s + "a\x80", "frame_continuation"},
      {"\x88\0\x81"s, "frame_after_close"},
      {"\x88\0\x89"s, "frame_after_close"},
  };
  for (const auto& [bytes, error] : from_server) {
    EXPECT_EQ(receive(bytes, Sender::server).error, error) << ::testing::PrintToString(bytes);
    EXPECT_EQ(receive(bytes, Sender::server, 1).error, error) << ::testing::PrintToString(bytes);
    // As soon as its byte is there, not before.
    EXPECT_EQ(receive(bytes.substr(0, bytes.size() - 1), Sender::server).error, "") << ::testing::PrintToString(bytes);
  }
  EXPECT_EQ(receive("\x81\x05", Sender::client).error, "frame_mask");
}

TEST(FrameDecoder, TakesTheLargestLength) {
  auto bytes = "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s + "abc";
  FrameDecoder decoder(Sender::server);
  const auto step = decoder.decode(bytes).value();
  EXPECT_EQ(step.payload.size(), 3U);
  EXPECT_FALSE(step.ends);
}

TEST(FrameDecoder, GivesAnErrorAgain) {
  std::string bad = "\xc1", good = "\x81\x00"s;
  FrameDecoder decoder(Sender::server);
  EXPECT_FALSE(decoder.decode(bad));
  EXPECT_EQ(decoder.decode(good).error().code, "frame_reserved_bits");
}

}  // namespace
}  // namespace weir::proxy::websocket
