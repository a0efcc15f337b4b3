#include "proxy/websocket/handshake.h"

#include <gtest/gtest.h>

namespace weir::proxy::websocket {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 §1.3

RequestHead request() {
  RequestHead head;
  head.method = "GET";
  head.target = "/chat";
  head.headers = {{"Host", "a.com"},
                  {"Upgrade", "WebSocket"},
                  {"Connection", "keep-alive, Upgrade"},
                  {"Sec-WebSocket-Key", kKey},
                  {"Sec-WebSocket-Version", "13"},
                  {"Sec-WebSocket-Extensions", "permessage-deflate"},
                  {"Sec-WebSocket-Protocol", "chat, superchat"}};
  return head;
}

ResponseHead answer() {
  ResponseHead head;
  head.status = 101;
  head.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kAccept}};
  return head;
}

template <class Head>
Head with(Head head, std::string_view name, std::string_view value) {
  for (auto& header : head.headers)
    if (header.name == name) header.value = value;
  return head;
}

template <class Head>
Head without(Head head, std::string_view name) {
  std::erase_if(head.headers, [&](const Header& header) { return header.name == name; });
  return head;
}

template <class Head>
Head and_also(Head head, std::string_view name, std::string_view value) {
  head.headers.push_back({name, value});
  return head;
}

std::string error_of(const RequestHead& head) {
  const auto handshake = read_handshake(head);
  return handshake ? "" : handshake.error().code;
}

TEST(Handshake, IsRead) {
  const auto head = request();
  EXPECT_TRUE(asks_for_websocket(head));
  const auto handshake = read_handshake(head);
  ASSERT_TRUE(handshake);
  EXPECT_EQ(handshake->key, kKey);
  EXPECT_EQ(handshake->subprotocols, (std::vector<std::string_view>{"chat", "superchat"}));
}

TEST(Handshake, NeedsNoSubprotocolAndTakesThemFromSeveralFields) {
  EXPECT_TRUE(read_handshake(without(request(), "Sec-WebSocket-Protocol")).value().subprotocols.empty());
  EXPECT_EQ(read_handshake(and_also(request(), "sec-websocket-protocol", "third")).value().subprotocols.size(), 3U);
}

TEST(Handshake, IsAskedForWellOrBadly) {
  EXPECT_FALSE(asks_for_websocket(without(request(), "Upgrade")));
  EXPECT_FALSE(asks_for_websocket(with(request(), "Upgrade", "h2c")));
  EXPECT_TRUE(asks_for_websocket(with(request(), "Upgrade", "h2c, websocket")));
  EXPECT_TRUE(asks_for_websocket(with(request(), "Upgrade", "websocket/13")));
  EXPECT_TRUE(asks_for_websocket(without(request(), "Sec-WebSocket-Key")));
}

TEST(Handshake, IsRefusedWhereItIsNotSound) {
  auto post = request(), old = request(), body = request(), chunked = request();
  post.method = "POST";
  old.http_1_0 = true;
  body.body = {BodyLength::Kind::fixed, 1};
  chunked.body = {BodyLength::Kind::chunked, 0};
  EXPECT_EQ(error_of(post), "websocket_method");
  EXPECT_EQ(error_of(old), "websocket_http_version");
  EXPECT_EQ(error_of(body), "websocket_body");
  EXPECT_EQ(error_of(chunked), "websocket_body");
  for (const auto* value : {"h2c", "websocket, h2c", "websocket/13", "websocket, websocket", ""})
    EXPECT_EQ(error_of(with(request(), "Upgrade", value)), "websocket_upgrade") << value;
  EXPECT_EQ(error_of(and_also(request(), "Upgrade", "websocket")), "websocket_upgrade");
  EXPECT_EQ(error_of(with(request(), "Connection", "keep-alive")), "websocket_connection");
  EXPECT_EQ(error_of(without(request(), "Connection")), "websocket_connection");
  for (const auto* value : {"8", "", "13, 8", "013"})
    EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Version", value)), "websocket_version") << value;
  EXPECT_EQ(error_of(without(request(), "Sec-WebSocket-Version")), "websocket_version");
  EXPECT_EQ(error_of(and_also(request(), "Sec-WebSocket-Version", "13")), "websocket_version");
  for (const auto* value : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
                            "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25j*Q==", "dGhlIHNhbXBsZSBub25jZQAA"})
    EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Key", value)), "websocket_key") << value;
  EXPECT_EQ(error_of(and_also(request(), "Sec-WebSocket-Key", kKey)), "websocket_key");
  EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Protocol", "a b")), "websocket_protocol");
  EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Protocol", "chat, chat")), "websocket_protocol");
  EXPECT_EQ(error_of(and_also(request(), "Sec-WebSocket-Protocol", "chat")), "websocket_protocol");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "p" + std::to_string(i) + ",";
  EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Protocol", many)), "websocket_protocol");
}

TEST(Handshake, AcceptsTheKeyAsTheSpecificationSays) { EXPECT_EQ(accept_for(kKey), kAccept); }

TEST(Handshake, MakesKeysThatItWouldTake) {
  const auto key = make_key();
  EXPECT_EQ(error_of(with(request(), "Sec-WebSocket-Key", key)), "");
  EXPECT_NE(key, make_key());
}

TEST(Answer, IsCheckedAgainstWhatWasAsked) {
  const std::string_view offered[] = {"chat", "superchat"};
  const auto error_of_answer = [&](const ResponseHead& head) {
    const auto chosen = check_answer(head, kKey, offered);
    return chosen ? "" : chosen.error().code;
  };
  EXPECT_EQ(check_answer(answer(), kKey, {}).value(), "");
  EXPECT_EQ(check_answer(and_also(answer(), "Sec-WebSocket-Protocol", "superchat"), kKey, offered).value(), "superchat");
  auto ok = answer();
  ok.status = 200;
  EXPECT_EQ(error_of_answer(ok), "websocket_status");
  EXPECT_EQ(error_of_answer(without(answer(), "Upgrade")), "websocket_upgrade");
  EXPECT_EQ(error_of_answer(with(answer(), "Upgrade", "h2c")), "websocket_upgrade");
  EXPECT_EQ(error_of_answer(without(answer(), "Connection")), "websocket_connection");
  EXPECT_EQ(error_of_answer(without(answer(), "Sec-WebSocket-Accept")), "websocket_accept");
  EXPECT_EQ(error_of_answer(with(answer(), "Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")), "websocket_accept");
  EXPECT_EQ(error_of_answer(and_also(answer(), "Sec-WebSocket-Accept", kAccept)), "websocket_accept");
  EXPECT_EQ(error_of_answer(and_also(answer(), "Sec-WebSocket-Extensions", "permessage-deflate")), "websocket_extension");
  EXPECT_EQ(error_of_answer(and_also(answer(), "Sec-WebSocket-Extensions", "")), "websocket_extension");
  for (const auto* chosen : {"other", "Chat", "chat, superchat", ""})
    EXPECT_EQ(error_of_answer(and_also(answer(), "Sec-WebSocket-Protocol", chosen)), "websocket_protocol") << chosen;
  EXPECT_EQ(
      error_of_answer(and_also(and_also(answer(), "Sec-WebSocket-Protocol", "chat"), "Sec-WebSocket-Protocol", "chat")),
      "websocket_protocol");
}

}  // namespace
}  // namespace weir::proxy::websocket
