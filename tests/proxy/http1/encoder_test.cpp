#include "proxy/http1/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/http1/http1_testing.h"

namespace weir::proxy {
namespace {

using std::string_literals::operator""s;

TEST(HopByHop, DropsWhatIsForOneHopOnly) {
  const HopByHop hop({});
  for (const char* name :
       {"Connection", "connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE",
        "Transfer-Encoding", "Upgrade", "Content-Length", "HTTP2-Settings", "Host", "Expect"})
    EXPECT_TRUE(hop.drops(name)) << name;
  for (const char* name : {"Trailer", "Accept", "Authorization", "X-Anything", "Cookie", "", "T", "Connectio"})
    EXPECT_FALSE(hop.drops(name)) << name;
}

TEST(HopByHop, DropsWhatConnectionNamesInAnyCase) {
  const std::vector<Header> headers = {{"Connection", "close, X-One ,,\tx-two"}, {"CONNECTION", "x-three"}};
  const HopByHop hop(headers);
  for (const char* name : {"x-one", "X-TWO", "X-Three"}) EXPECT_TRUE(hop.drops(name)) << name;
  EXPECT_FALSE(hop.drops("x-four"));
}

// Otherwise a peer could strip what the next hop decides by.
TEST(HopByHop, KeepsWhatTheMessageNeedsWhateverConnectionNames) {
  for (const char* name : {"Authorization", "authorization", "Cookie", "Set-Cookie", "Content-Type", "Content-Encoding",
                           "Content-Range", "X-Api-Key", "X-Forwarded-For", "Forwarded", "Location", "Cache-Control",
                           "Trailer", "WWW-Authenticate", "If-Match", "Range"}) {
    const std::vector<Header> headers = {{"Connection", name}};
    EXPECT_FALSE(HopByHop(headers).drops(name)) << name;
  }
}

TEST(HopByHop, KeepsTeThatSaysTrailersAndNothingElse) {
  const auto drops_te = [](std::vector<Header> headers) { return HopByHop(headers).drops("te"); };
  EXPECT_FALSE(drops_te({{"TE", "trailers"}}));
  EXPECT_FALSE(drops_te({{"Connection", "TE"}, {"te", "Trailers"}}));
  EXPECT_TRUE(drops_te({{"TE", "gzip"}}));
  EXPECT_TRUE(drops_te({{"TE", "trailers, gzip"}}));
  EXPECT_TRUE(drops_te({{"TE", "trailers"}, {"TE", "gzip"}}));
  EXPECT_TRUE(drops_te({{"TE", "gzip"}, {"TE", "trailers"}}));
  EXPECT_TRUE(drops_te({{"TE", ""}}));
}

TEST(Encoder, WritesARequest) {
  std::string out;
  EXPECT_TRUE(append_request_line(out, "POST", "/a?b"));
  EXPECT_TRUE(append_header(out, "Host", "a.example"));
  append_body_length(out, {BodyLength::Kind::fixed, 18446744073709551615U});
  append_end_of_head(out);
  EXPECT_EQ(out, "POST /a?b HTTP/1.1\r\nHost: a.example\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

TEST(Encoder, WritesAResponse) {
  std::string out;
  append_status_line(out, 200, "");
  append_body_length(out, {BodyLength::Kind::chunked, 0});
  append_body_length(out, {});
  append_body_length(out, {BodyLength::Kind::until_close, 0});
  append_end_of_head(out);
  EXPECT_EQ(out, "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(Encoder, WritesChunksThatTheDecoderReads) {
  std::string out;
  append_chunk_prefix(out, 500);
  out += std::string(500, 'x') + "\r\n";
  append_last_chunk(out, {{"A", "b"}});
  EXPECT_TRUE(out.starts_with("1f4\r\n"));
  EXPECT_EQ(decode_at_once({BodyLength::Kind::chunked, 0}, out), (Decoded{std::string(500, 'x'), "", "done", {{"A", "b"}}}));
}

TEST(Encoder, CannotBeMadeToWriteASecondLine) {
  const std::string evil = "a\r\nX-Injected: b\nc\rd\0e\x01\x7f"s;
  std::string out;
  EXPECT_TRUE(append_header(out, "A", evil));
  EXPECT_EQ(out, "A: a  X-Injected: b c d e  \r\n");
  out.clear();
  append_status_line(out, 200, evil);
  EXPECT_EQ(out, "HTTP/1.1 200 a  X-Injected: b c d e  \r\n");
  out.clear();
  EXPECT_TRUE(append_request_line(out, "GET", "/a b\r\n\0#\xc3"s));
  EXPECT_EQ(out, "GET /a%20b%0D%0A%00%23%C3 HTTP/1.1\r\n");
  out.clear();
  append_last_chunk(out, {{"A\r\nB", "c"}, {"D", "e\r\n\r\nf"}});
  EXPECT_EQ(out, "0\r\nD: e    f\r\n\r\n");
}

TEST(Encoder, WritesNothingForANameOrMethodThatIsNoToken) {
  std::string out = "x";
  for (const auto& name : {""s, "A B"s, "A:"s, "A\r\nB"s, "A\0"s, "\xe4"s}) {
    EXPECT_FALSE(append_header(out, name, "v"));
    EXPECT_FALSE(append_request_line(out, name, "/"));
  }
  EXPECT_EQ(out, "x");
}

TEST(Encoder, KeepsTabsAndObsTextInValues) {
  std::string out;
  append_header(out, "A", "b\tc\xe4");
  EXPECT_EQ(out, "A: b\tc\xe4\r\n");
}

TEST(Encoder, WritesOnlyStatusesOfThreeDigits) {
  for (const int status : {-1, 0, 99, 1000, 100000}) {
    std::string out;
    append_status_line(out, status, "x");
    EXPECT_EQ(out.size(), "HTTP/1.1 200 x\r\n"s.size()) << status;
  }
}

}  // namespace
}  // namespace weir::proxy
