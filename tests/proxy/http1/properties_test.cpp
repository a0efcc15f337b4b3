// Mutated heads: what is accepted means the same when it is written anew and read again.
#include <gtest/gtest.h>

#include <random>

#include "tests/proxy/http1/http1_testing.h"

namespace weir::proxy {
namespace {

const std::vector<std::string> kRequests = {
    "GET / HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nUser-Agent: curl/8\r\n\r\n",
    "POST /v1/messages?beta=true HTTP/1.1\r\nHost: api.example:443\r\nx-api-key: sk-1\r\nContent-Type: "
    "application/json\r\nContent-Length: 17\r\nConnection: keep-alive\r\n\r\n",
    "PUT http://a.example/x HTTP/1.1\r\nhost: a.example\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nTE: "
    "trailers\r\n\r\n",
    "GET /c HTTP/1.0\r\nHost: [::1]:80\r\nConnection: Keep-Alive, X-Drop\r\nX-Drop: 1\r\nX-Keep:\r\n\r\n",
    "\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"};
const std::vector<std::string> kResponses = {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nServer: x\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n\r\n",
    "HTTP/1.0 302 \r\nLocation: http://a/\r\n\r\n", "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n"};

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}
  std::size_t up_to(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }

  std::string mutate(const std::vector<std::string>& seeds) {
    static const std::string kPieces[] = {"\r",
                                          "\n",
                                          "\r\n",
                                          " ",
                                          "\t",
                                          ":",
                                          ",",
                                          ";",
                                          std::string(1, '\0'),
                                          "\x7f",
                                          "\x80",
                                          "\xff",
                                          "\x0b",
                                          "0",
                                          "+",
                                          "-",
                                          "#",
                                          "%",
                                          "/",
                                          "@",
                                          "a",
                                          "chunked",
                                          "Content-Length: 5\r\n",
                                          "Transfer-Encoding: chunked\r\n",
                                          "Host: b\r\n",
                                          "Connection: Host\r\n",
                                          "\r\n ",
                                          "HTTP/1.1",
                                          "HTTP/1.0",
                                          "Connection: close\r\n"};
    std::string text = seeds[up_to(seeds.size() - 1)];
    for (auto times = up_to(3); times > 0; --times) {
      const std::size_t at = up_to(text.size() - 1);
      const std::string& piece = kPieces[up_to(std::size(kPieces) - 1)];
      switch (up_to(6)) {
        case 0:
          text.insert(at, piece);
          break;
        case 1:
          text.erase(at, 1 + up_to(3));
          break;
        case 2:
          text[at] = piece[0];
          break;
        case 3:
          text[at] = static_cast<char>(up_to(255));
          break;
        case 4:
          text[at] = static_cast<char>(text[at] ^ 0x20);
          break;
        case 5:
          text.insert(at, text.substr(up_to(text.size() - 1), up_to(30)));
          break;
        default:  // a whole line more, where lines are
          if (const auto line = text.find("\r\n", at); line != std::string::npos)
            text.insert(line + 2, piece.ends_with("\r\n") ? piece : "X: " + piece + "\r\n");
      }
      if (text.empty()) text = "x";
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields forwarded(const std::vector<Header>& headers) {
  const HopByHop hop(headers);
  Fields fields;
  for (const auto& header : headers)
    if (!hop.drops(header.name)) fields.emplace_back(header.name, header.value);
  return fields;
}

std::string encode(const RequestHead& head) {
  std::string out;
  EXPECT_TRUE(append_request_line(out, head.method, head.target));
  EXPECT_TRUE(append_header(out, "Host", head.host));
  for (const auto& [name, value] : forwarded(head.headers)) EXPECT_TRUE(append_header(out, name, value));
  append_body_length(out, head.body);
  append_end_of_head(out);
  return out;
}

std::string encode(const ResponseHead& head) {
  std::string out;
  append_status_line(out, head.status, head.reason);
  for (const auto& [name, value] : forwarded(head.headers)) EXPECT_TRUE(append_header(out, name, value));
  append_body_length(out, head.body);
  append_end_of_head(out);
  return out;
}

TEST(Codec, RequestsMeanTheSameWhenWrittenAnew) {
  Mutator mutator(1);
  RequestReader first;
  RequestReader second;
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string text = mutator.mutate(kRequests);
    if (first.read(text) != "accepted") continue;
    ++accepted;
    const std::string written = encode(first.head);
    ASSERT_EQ(second.read(written), "accepted") << text << "\n---\n" << written;
    ASSERT_EQ(first.head.method, second.head.method);
    ASSERT_EQ(first.head.target, second.head.target);
    ASSERT_EQ(first.head.host, second.head.host);
    ASSERT_EQ(first.head.body, second.head.body);
    Fields again = forwarded(second.head.headers);
    ASSERT_EQ(forwarded(first.head.headers), again) << text;
    ASSERT_EQ(encode(second.head), written);
  }
  EXPECT_GT(accepted, 10'000);  // or the test shows nothing
}

TEST(Codec, ResponsesMeanTheSameWhenWrittenAnew) {
  Mutator mutator(2);
  ResponseReader first;
  ResponseReader second;
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string text = mutator.mutate(kResponses);
    if (first.read(text) != "accepted") continue;
    ++accepted;
    const std::string written = encode(first.head);
    ASSERT_EQ(second.read(written), "accepted") << text << "\n---\n" << written;
    ASSERT_EQ(first.head.status, second.head.status);
    ASSERT_EQ(first.head.reason, second.head.reason);
    ASSERT_EQ(first.head.body, second.head.body) << text;
    ASSERT_EQ(forwarded(first.head.headers), forwarded(second.head.headers)) << text;
    ASSERT_EQ(encode(second.head), written);
  }
  EXPECT_GT(accepted, 10'000);
}

// Nothing that was accepted holds a byte that could end a line or a field.
TEST(Codec, AcceptedPartsHoldNoControlCharacters) {
  Mutator mutator(3);
  RequestReader reader;
  const auto clean = [](std::string_view text) {
    for (const char c : text)
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
    return true;
  };
  for (int round = 0; round < 100'000; ++round) {
    if (reader.read(mutator.mutate(kRequests)) != "accepted") continue;
    ASSERT_TRUE(clean(reader.head.method) && clean(reader.head.target) && clean(reader.head.host));
    for (const auto& header : reader.head.headers) ASSERT_TRUE(clean(header.name) && clean(header.value));
  }
}

}  // namespace
}  // namespace weir::proxy
