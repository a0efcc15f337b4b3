#include "proxy/websocket/reframer.h"

#include "websocket_testing.h"

namespace weir::proxy::websocket {
namespace {

using namespace std::string_literals;
using Frames = std::vector<Frame>;

// What goes out for what comes in, `piece` bytes at a time, as its receiver finds it. The direction stays the same, so
// masking does.
Frames through(Reframer& reframer, Sender from, const Frames& in, std::size_t piece = 1U << 30) {
  auto bytes = bytes_of(in, from);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = reframer.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), out);
    EXPECT_TRUE(fed);
  }
  const auto received = receive(out, from);
  EXPECT_EQ(received.error, "");
  return received.frames;
}

TEST(Reframer, PassesWholeFramesOnAndCountsThem) {
  for (const auto from : {Sender::client, Sender::server}) {
    const Frames frames{{Opcode::text, true, "Hello"},     {Opcode::binary, true, ""},
                        {Opcode::text, false, "a"},        {Opcode::ping, true, "p"},
                        {Opcode::continuation, true, "b"}, {Opcode::close, true, "\x03\xe8"s + "bye"}};
    Reframer reframer(from);
    EXPECT_EQ(through(reframer, from, frames), frames);
    EXPECT_EQ(reframer.frames(), 6U);
    EXPECT_EQ(reframer.messages(), 3U);
    EXPECT_EQ(reframer.payload_bytes(), 13U);
    EXPECT_TRUE(reframer.closed());
    EXPECT_TRUE(reframer.whole());
  }
}

TEST(Reframer, MasksWithAFreshKeyForTheServerAndNotAtAllForTheClient) {
  auto bytes = bytes_of({{Opcode::text, true, "Hello"}}, Sender::client);
  std::string out;
  Reframer to_server(Sender::client, {}, [] { return MaskKey{1, 2, 3, 4}; });
  ASSERT_TRUE(to_server.feed(bytes, out));
  EXPECT_EQ(out.substr(0, 6), "\x81\x85\x01\x02\x03\x04");
  bytes = bytes_of({{Opcode::text, true, "Hello"}}, Sender::server);
  out.clear();
  Reframer to_client(Sender::server, {}, [] { return MaskKey{1, 2, 3, 4}; });
  ASSERT_TRUE(to_client.feed(bytes, out));
  EXPECT_EQ(out, "\x81\x05Hello");
}

TEST(Reframer, MakesAFrameOfEachPieceThatComes) {
  Reframer reframer(Sender::server);
  EXPECT_EQ(through(reframer, Sender::server, {{Opcode::text, true, "Hello"}}, 3),
            (Frames{{Opcode::text, false, "H"}, {Opcode::continuation, false, "ell"}, {Opcode::continuation, true, "o"}}));
}

TEST(Reframer, DropsEmptyFragmentsButNotEmptyMessages) {
  Reframer reframer(Sender::server);
  EXPECT_EQ(through(reframer, Sender::server,
                    {{Opcode::text, false, ""},
                     {Opcode::continuation, false, ""},
                     {Opcode::continuation, true, "a"},
                     {Opcode::binary, false, ""},
                     {Opcode::continuation, true, ""},
                     {Opcode::text, false, "b"},
                     {Opcode::continuation, true, ""}}),
            (Frames{{Opcode::text, true, "a"},
                    {Opcode::binary, true, ""},
                    {Opcode::text, false, "b"},
                    {Opcode::continuation, true, ""}}));
  EXPECT_EQ(reframer.frames(), 7U);
}

TEST(Reframer, PassesControlFramesOnWhenTheyAreWhole) {
  auto bytes = bytes_of({{Opcode::ping, true, "Hello"}}, Sender::server);
  Reframer reframer(Sender::server);
  std::string out;
  ASSERT_TRUE(reframer.feed(std::span(bytes).first(6), out));
  EXPECT_EQ(out, "");
  EXPECT_FALSE(reframer.whole());
  ASSERT_TRUE(reframer.feed(std::span(bytes).subspan(6), out));
  EXPECT_EQ(out, "\x89\x05Hello");
}

// Overwrites "secret" and holds back what may become it, as the mask of credentials does.
std::size_t mask_secret(std::span<char> bytes, bool last) {
  constexpr std::string_view kSecret = "secret";
  const std::string_view text(bytes.data(), bytes.size());
  for (auto at = text.find(kSecret); at != std::string_view::npos; at = text.find(kSecret, at))
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kSecret.size(), '*');
  if (last) return bytes.size();
  for (auto size = std::min(kSecret.size() - 1, text.size()); size > 0; --size)
    if (text.ends_with(kSecret.substr(0, size))) return text.size() - size;
  return text.size();
}

TEST(Reframer, ShowsTheTransformASecretThatIsSplit) {
  for (const auto from : {Sender::client, Sender::server})
    for (std::size_t piece = 1; piece < 40; ++piece) {
      Reframer reframer(from, mask_secret);
      const auto out = through(reframer, from,
                               {{Opcode::text, false, "a sec"},
                                {Opcode::ping, true, "secret?"},
                                {Opcode::continuation, false, ""},
                                {Opcode::continuation, false, "r"},
                                {Opcode::continuation, true, "et secre"},
                                {Opcode::text, true, "t sec"},
                                {Opcode::close, true, "\x03\xe8"s + "secret"}},
                               piece);
      auto pings_aside = messages_of(out);
      std::erase_if(pings_aside, [](const Frame& frame) { return frame.opcode == Opcode::ping; });
      EXPECT_EQ(pings_aside, (Frames{{Opcode::text, true, "a ****** secre"},
                                     {Opcode::text, true, "t sec"},
                                     {Opcode::close, true, "\x03\xe8"s + "******"}}))
          << piece;
      EXPECT_NE(std::find(out.begin(), out.end(), Frame{Opcode::ping, true, "******?"}), out.end());
    }
}

TEST(Reframer, HoldsNothingBackAtAMessagesEnd) {
  Reframer reframer(Sender::server, [](std::span<char>, bool) { return std::size_t{0}; });
  EXPECT_EQ(through(reframer, Sender::server,
                    {{Opcode::text, false, "a"}, {Opcode::continuation, true, ""}, {Opcode::text, true, "b"}}),
            (Frames{{Opcode::text, true, "a"}, {Opcode::text, true, "b"}}));
}

TEST(Reframer, KeepsWhatCameBeforeAnError) {
  auto bytes = bytes_of({{Opcode::text, false, "a"}}, Sender::server) + "\x81\x01z";
  Reframer reframer(Sender::server);
  std::string out;
  const auto fed = reframer.feed(bytes, out);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "frame_continuation");
  EXPECT_EQ(out, "\x01\x01"s + "a");
  append_close(out, 1002, "");  // may follow at any time
  EXPECT_EQ(receive(out, Sender::server).error, "");
}

TEST(Reframer, RefusesABadCloseFrame) {
  for (const std::string payload : {"\x03", "\x03\xee", "\x03\xe8\xff"}) {
    auto bytes = bytes_of({{Opcode::close, true, payload}}, Sender::client);
    Reframer reframer(Sender::client);
    std::string out;
    const auto fed = reframer.feed(bytes, out);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, "frame_close");
    EXPECT_EQ(out, "");
  }
}

}  // namespace
}  // namespace weir::proxy::websocket
