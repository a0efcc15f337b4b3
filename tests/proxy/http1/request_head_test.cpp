#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/http1/http1_testing.h"

namespace weir::proxy {
namespace {

using std::string_literals::operator""s;

struct Case {
  std::string what;
  std::string bytes;
  std::string code;
};

std::string get_with(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: a.example\r\n" + lines + "\r\n"; }
std::string post_with(const std::string& lines) { return "POST / HTTP/1.1\r\nHost: a.example\r\n" + lines + "\r\n"; }

class RefusedRequest : public testing::TestWithParam<Case> {};

TEST_P(RefusedRequest, HasItsStableCode) {
  RequestReader reader;
  EXPECT_EQ(reader.read(GetParam().bytes), GetParam().code) << GetParam().what << "\n" << GetParam().bytes;
}

INSTANTIATE_TEST_SUITE_P(
    RequestLine, RefusedRequest,
    testing::Values(Case{"HTTP/0.9", "GET /\r\n\r\n", "bad_version"},
                    Case{"HTTP/0.9 with fields", "GET /\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad_version"},
                    Case{"lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"0.9 said", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"no minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"leading zero", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"another protocol", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"tab behind the version", "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n", "bad_version"},
                    Case{"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"tab for space", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"smuggled version", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"method no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"empty method", " / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request"},
                    Case{"unknown method", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request"},
                    Case{"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"control character", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"DEL", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
                    Case{"not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"no form", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"CONNECT with a path", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"},
                    Case{"TLS record", "\x16\x03\x01\x02\r\n\r\n", "bad_request_line"},
                    Case{"response", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", "bad_request_line"}));

INSTANTIATE_TEST_SUITE_P(
    LineEndings, RefusedRequest,
    testing::Values(Case{"bare LF all through", "GET / HTTP/1.1\nHost: a\n\n", "bad_line_ending"},
                    Case{"bare LF in a field", get_with("X: a\nY: b\r\n"), "bad_line_ending"},
                    Case{"bare CR in a field", get_with("X: a\rY: b\r\n"), "bad_line_ending"},
                    Case{"CR CR LF", get_with("X: a\r\r\n"), "bad_line_ending"},
                    Case{"bare CR as the name", get_with("\rX: a\r\n"), "bad_line_ending"},
                    Case{"LF before CRLF", get_with("X: a\n\r\n"), "bad_line_ending"},
                    Case{"NUL in a value", get_with("X: a\0b\r\n"s), "bad_line_ending"},
                    Case{"NUL in a name", get_with("X\0: a\r\n"s), "bad_line_ending"},
                    Case{"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, "bad_line_ending"},
                    Case{"LF in the request line", "GET /\nX HTTP/1.1\r\nHost: a\r\n\r\n", "bad_line_ending"}));

INSTANTIATE_TEST_SUITE_P(
    FieldLines, RefusedRequest,
    testing::Values(Case{"fold with space", get_with("X: a\r\n b\r\n"), "obs_fold"},
                    Case{"fold with tab", get_with("X: a\r\n\tb\r\n"), "obs_fold"},
                    Case{"fold of nothing but space", get_with("X: a\r\n \r\n"), "obs_fold"},
                    Case{"fold of Transfer-Encoding", post_with("Transfer-Encoding:\r\n chunked\r\n"), "obs_fold"},
                    Case{"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "obs_fold"},
                    Case{"tab before the first field", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "obs_fold"},
                    Case{"space before the colon", get_with("X : a\r\n"), "bad_header_name"},
                    Case{"tab before the colon", get_with("X\t: a\r\n"), "bad_header_name"},
                    Case{"space in the name", get_with("X Y: a\r\n"), "bad_header_name"},
                    Case{"no name", get_with(": a\r\n"), "bad_header_name"},
                    Case{"no colon", get_with("X\r\n"), "bad_header_name"},
                    Case{"name in parentheses", get_with("(X): a\r\n"), "bad_header_name"},
                    Case{"name with a slash", get_with("X/Y: a\r\n"), "bad_header_name"},
                    Case{"name in quotes", get_with("\"X\": a\r\n"), "bad_header_name"},
                    Case{"name not ASCII", get_with("X\xe9: a\r\n"), "bad_header_name"},
                    Case{"pseudo-header", get_with(":authority: a\r\n"), "bad_header_name"},
                    Case{"control character in a value", get_with("X: a\x08\r\n"), "bad_header_value"},
                    Case{"DEL in a value", get_with("X: a\x7f\r\n"), "bad_header_value"},
                    Case{"vertical tab round chunked",
                         post_with("Transfer-Encoding: \x0b"
                                   "chunked\r\n"),
                         "bad_header_value"},
                    Case{"escape in a value", get_with("X: \x1b[31m\r\n"), "bad_header_value"}));

INSTANTIATE_TEST_SUITE_P(Host, RefusedRequest,
                         testing::Values(Case{"none", "GET / HTTP/1.1\r\nX: a\r\n\r\n", "missing_host"},
                                         Case{"none, 1.0", "GET / HTTP/1.0\r\n\r\n", "missing_host"},
                                         Case{"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "missing_host"},
                                         Case{"blank", "GET / HTTP/1.1\r\nHost: \t \r\n\r\n", "missing_host"},
                                         Case{"two", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "multiple_hosts"},
                                         Case{"two equal", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "multiple_hosts"},
                                         Case{"two, the first empty", "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n",
                                              "multiple_hosts"},
                                         Case{"list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "bad_host"},
                                         Case{"list without space", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "bad_host"},
                                         Case{"user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "bad_host"},
                                         Case{"user and password", "GET / HTTP/1.1\r\nHost: u:p@a\r\n\r\n", "bad_host"},
                                         Case{"space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "bad_host"},
                                         Case{"path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad_host"},
                                         Case{"backslash", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", "bad_host"},
                                         Case{"query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "bad_host"},
                                         Case{"fragment", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", "bad_host"},
                                         Case{"escape", "GET / HTTP/1.1\r\nHost: %61\r\n\r\n", "bad_host"},
                                         Case{"not ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", "bad_host"},
                                         Case{"port no number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "bad_host"},
                                         Case{"scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", "bad_host"}));

INSTANTIATE_TEST_SUITE_P(
    ContentLength, RefusedRequest,
    testing::Values(
        Case{"two that differ", post_with("Content-Length: 5\r\nContent-Length: 6\r\n"), "bad_content_length"},
        Case{"two that are equal", post_with("Content-Length: 5\r\ncontent-length: 5\r\n"), "bad_content_length"},
        Case{"list", post_with("Content-Length: 5, 5\r\n"), "bad_content_length"},
        Case{"list without space", post_with("Content-Length: 5,5\r\n"), "bad_content_length"},
        Case{"plus", post_with("Content-Length: +5\r\n"), "bad_content_length"},
        Case{"minus", post_with("Content-Length: -5\r\n"), "bad_content_length"},
        Case{"minus nothing", post_with("Content-Length: -0\r\n"), "bad_content_length"},
        Case{"hex", post_with("Content-Length: 0x5\r\n"), "bad_content_length"},
        Case{"hex digits", post_with("Content-Length: a\r\n"), "bad_content_length"},
        Case{"empty", post_with("Content-Length:\r\n"), "bad_content_length"},
        Case{"blank", post_with("Content-Length:   \r\n"), "bad_content_length"},
        Case{"space in it", post_with("Content-Length: 1 0\r\n"), "bad_content_length"},
        Case{"fraction", post_with("Content-Length: 5.0\r\n"), "bad_content_length"},
        Case{"exponent", post_with("Content-Length: 1e3\r\n"), "bad_content_length"},
        Case{"quoted", post_with("Content-Length: \"5\"\r\n"), "bad_content_length"},
        Case{"digits that are not ASCII", post_with("Content-Length: \xd9\xa5\r\n"), "bad_content_length"},
        Case{"2^63", post_with("Content-Length: 9223372036854775808\r\n"), "bad_content_length"},
        Case{"2^64", post_with("Content-Length: 18446744073709551616\r\n"), "bad_content_length"},
        Case{"2^64 + 5", post_with("Content-Length: 18446744073709551621\r\n"), "bad_content_length"},
        Case{"very many digits", post_with("Content-Length: " + std::string(400, '9') + "\r\n"), "bad_content_length"}));

INSTANTIATE_TEST_SUITE_P(
    TransferEncoding, RefusedRequest,
    testing::Values(
        Case{"CL.TE", post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "length_and_chunked"},
        Case{"TE.CL", post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "length_and_chunked"},
        Case{"length 0 too", post_with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), "length_and_chunked"},
        Case{"xchunked", post_with("Transfer-Encoding: xchunked\r\n"), "bad_transfer_encoding"},
        Case{"chunkedx", post_with("Transfer-Encoding: chunkedx\r\n"), "bad_transfer_encoding"},
        Case{"two spaces", post_with("Transfer-Encoding:  chunked\r\n"), "bad_transfer_encoding"},
        Case{"tab", post_with("Transfer-Encoding:\tchunked\r\n"), "bad_transfer_encoding"},
        Case{"space and tab", post_with("Transfer-Encoding: \tchunked\r\n"), "bad_transfer_encoding"},
        Case{"trailing space", post_with("Transfer-Encoding: chunked \r\n"), "bad_transfer_encoding"},
        Case{"trailing tab", post_with("Transfer-Encoding: chunked\t\r\n"), "bad_transfer_encoding"},
        Case{"twice", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "bad_transfer_encoding"},
        Case{"twice, one unknown", post_with("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n"),
             "bad_transfer_encoding"},
        Case{"identity", post_with("Transfer-Encoding: identity\r\n"), "bad_transfer_encoding"},
        Case{"chunked, identity", post_with("Transfer-Encoding: chunked, identity\r\n"), "bad_transfer_encoding"},
        Case{"identity, chunked", post_with("Transfer-Encoding: identity, chunked\r\n"), "bad_transfer_encoding"},
        Case{"gzip, chunked", post_with("Transfer-Encoding: gzip, chunked\r\n"), "bad_transfer_encoding"},
        Case{"chunked, chunked", post_with("Transfer-Encoding: chunked, chunked\r\n"), "bad_transfer_encoding"},
        Case{"leading comma", post_with("Transfer-Encoding: , chunked\r\n"), "bad_transfer_encoding"},
        Case{"parameter", post_with("Transfer-Encoding: chunked;q=1\r\n"), "bad_transfer_encoding"},
        Case{"quoted", post_with("Transfer-Encoding: \"chunked\"\r\n"), "bad_transfer_encoding"},
        Case{"empty", post_with("Transfer-Encoding:\r\n"), "bad_transfer_encoding"},
        Case{"empty, then chunked", post_with("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"),
             "bad_transfer_encoding"},
        Case{"no break space",
             post_with("Transfer-Encoding: \xa0"
                       "chunked\r\n"),
             "bad_transfer_encoding"},
        Case{"underscore with length passes as another field",
             post_with("Transfer_Encoding: chunked\r\nContent-Length: 5, 6\r\n"), "bad_content_length"},
        Case{"space before the colon", post_with("Transfer-Encoding : chunked\r\n"), "bad_header_name"},
        Case{"in front of the name", post_with("X: a\r\n Transfer-Encoding: chunked\r\n"), "obs_fold"},
        Case{"behind a bare CR", post_with("X: a\rTransfer-Encoding: chunked\r\n"), "bad_line_ending"},
        Case{"HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"}));

TEST(RequestHead, GivesItsPartsAsViews) {
  RequestReader reader;
  ASSERT_EQ(
      reader.read(
          "POST /a/b?c=d HTTP/1.1\r\nHost: a.example:8080\r\nX-Empty:\r\nX-Pad: \t v w\t \r\nX-Tight:v\r\nX-Obs: \xe4\r\n"
          "Content-Length: 12\r\n\r\n"),
      "accepted");
  const auto& head = reader.head;
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.host, "a.example:8080");
  ASSERT_EQ(head.headers.size(), 6U);
  EXPECT_EQ(head.headers[1].name, "X-Empty");
  EXPECT_EQ(head.headers[1].value, "");
  EXPECT_EQ(head.headers[2].value, "v w");
  EXPECT_EQ(head.headers[3].value, "v");
  EXPECT_EQ(head.headers[4].value, "\xe4");
  EXPECT_EQ(head.body, (BodyLength{BodyLength::Kind::fixed, 12}));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_GE(head.method.data(), reader.bytes.data());
  EXPECT_LT(head.method.data(), reader.bytes.data() + reader.bytes.size());
}

TEST(RequestHead, MayFollowEmptyLines) {
  RequestReader reader;
  EXPECT_EQ(reader.read("\r\n\r\n" + get_with("")), "accepted");
  EXPECT_EQ(reader.head.method, "GET");
}

TEST(RequestHead, TakesChunkedInAnyCase) {
  RequestReader reader;
  for (const char* line :
       {"Transfer-Encoding: chunked\r\n", "TRANSFER-ENCODING: CHUNKED\r\n", "transfer-encoding:Chunked\r\n"}) {
    EXPECT_EQ(reader.read(post_with(line)), "accepted") << line;
    EXPECT_EQ(reader.head.body.kind, BodyLength::Kind::chunked);
  }
}

TEST(RequestHead, HasNoBodyWithoutALength) {
  RequestReader reader;
  ASSERT_EQ(reader.read(post_with("")), "accepted");
  EXPECT_EQ(reader.head.body.kind, BodyLength::Kind::none);
}

TEST(RequestHead, KeepsALengthOfZeroAndTheLargest) {
  RequestReader reader;
  ASSERT_EQ(reader.read(post_with("Content-Length: 0\r\n")), "accepted");
  EXPECT_EQ(reader.head.body, (BodyLength{BodyLength::Kind::fixed, 0}));
  ASSERT_EQ(reader.read(post_with("Content-Length: 0005\r\n")), "accepted");
  EXPECT_EQ(reader.head.body, (BodyLength{BodyLength::Kind::fixed, 5}));
  ASSERT_EQ(reader.read(post_with("Content-Length: 9223372036854775807\r\n")), "accepted");
  EXPECT_EQ(reader.head.body, (BodyLength{BodyLength::Kind::fixed, 9223372036854775807U}));
}

TEST(RequestHead, KeepsTheConnectionAsItsVersionAndConnectionSay) {
  struct {
    const char* version;
    const char* lines;
    bool keep;
  } const cases[] = {{"1.1", "", true},
                     {"1.1", "Connection: close\r\n", false},
                     {"1.1", "Connection: keep-alive\r\n", true},
                     {"1.1", "Connection: x, CLOSE\r\n", false},
                     {"1.1", "Connection: keep-alive, close\r\n", false},
                     {"1.1", "Connection: x\r\nConnection: close\r\n", false},
                     {"1.1", "Connection: closed\r\n", true},
                     {"1.0", "", false},
                     {"1.0", "Connection: keep-alive\r\n", true},
                     {"1.0", "Connection: Keep-Alive, close\r\n", false},
                     {"1.1", "Proxy-Connection: close\r\n", true},
                     {"1.0", "Proxy-Connection: keep-alive\r\n", false}};
  RequestReader reader;
  for (const auto& one : cases) {
    ASSERT_EQ(reader.read("GET / HTTP/" + std::string(one.version) + "\r\nHost: a\r\n" + one.lines + "\r\n"), "accepted")
        << one.lines;
    EXPECT_EQ(reader.head.keep_alive, one.keep) << one.version << " " << one.lines;
  }
}

TEST(RequestHead, SaysItsVersionBehindEmptyLinesToo) {
  RequestReader reader;
  ASSERT_EQ(reader.read("\r\n\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n"), "accepted");
  EXPECT_TRUE(reader.head.http_1_0);
  ASSERT_EQ(reader.read(get_with("")), "accepted");
  EXPECT_FALSE(reader.head.http_1_0);
}

TEST(RequestHead, ExpectsContinueOnlyWithABodyAndFromHttp11) {
  RequestReader reader;
  ASSERT_EQ(reader.read(post_with("Expect: 100-Continue\r\nContent-Length: 5\r\n")), "accepted");
  EXPECT_TRUE(reader.head.expect_continue);
  ASSERT_EQ(reader.read(post_with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")), "accepted");
  EXPECT_TRUE(reader.head.expect_continue);
  ASSERT_EQ(reader.read(get_with("Expect: 100-continue\r\n")), "accepted");
  EXPECT_FALSE(reader.head.expect_continue);
  ASSERT_EQ(reader.read("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), "accepted");
  EXPECT_FALSE(reader.head.expect_continue);
}

TEST(RequestHead, AsksForAnUpgradeWithBothFieldsFromHttp11) {
  RequestReader reader;
  ASSERT_EQ(reader.read(get_with("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")), "accepted");
  EXPECT_TRUE(reader.head.upgrade);
  ASSERT_EQ(reader.read(get_with("Connection: Upgrade\r\n")), "accepted");
  EXPECT_FALSE(reader.head.upgrade);
  ASSERT_EQ(reader.read(get_with("Upgrade: h2c\r\n")), "accepted");
  EXPECT_FALSE(reader.head.upgrade);
  ASSERT_EQ(reader.read("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), "accepted");
  EXPECT_FALSE(reader.head.upgrade);
}

TEST(RequestHead, TakesEveryFormOfTarget) {
  RequestReader reader;
  for (const char* line : {"GET /a?b", "GET //a", "GET http://a.example/x?y", "GET HTTPS://a.example:1", "OPTIONS *",
                           "CONNECT a.example:443", "CONNECT [::1]:443", "GET /\"<>^`{|}", "GET /?\\"})
    EXPECT_EQ(reader.read(line + " HTTP/1.1\r\nHost: a.example\r\n\r\n"s), "accepted") << line;
}

TEST(RequestHead, TakesTheUsualMethods) {
  RequestReader reader;
  for (const char* method :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "MKCOL", "REPORT", "PURGE", "LINK"})
    EXPECT_EQ(reader.read(method + " / HTTP/1.1\r\nHost: a\r\n\r\n"s), "accepted") << method;
}

TEST(RequestHead, CountsItsHeadersAndBytes) {
  RequestReader reader;
  reader.limits = {4096, 3};
  EXPECT_EQ(reader.read(get_with("A: 1\r\nB: 2\r\n")), "accepted");
  EXPECT_EQ(reader.read(get_with("A: 1\r\nB: 2\r\nC: 3\r\n")), "too_many_headers");
  EXPECT_EQ(reader.read(get_with("A: " + std::string(5000, 'a') + "\r\n")), "head_too_large");
}

TEST(RequestHead, ForgetsTheOneBefore) {
  RequestReader reader;
  ASSERT_EQ(
      reader.read(post_with("Connection: close, upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n")),
      "accepted");
  ASSERT_EQ(reader.read("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), "accepted");
  EXPECT_TRUE(reader.head.keep_alive);
  EXPECT_FALSE(reader.head.upgrade);
  EXPECT_FALSE(reader.head.expect_continue);
  EXPECT_EQ(reader.head.body, BodyLength{});
  EXPECT_EQ(reader.head.headers.size(), 1U);
  EXPECT_EQ(reader.head.host, "b");
}

TEST(RequestHead, IsRefusedWhenItIsNotWholeOrMoreThanOne) {
  HeadParser parser;
  RequestHead head;
  const std::string whole = get_with("");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parser.request(whole.substr(0, size), {}, head)) << size;
  EXPECT_EQ(code_of(parser.request(whole + "G", {}, head)), "bad_line_ending");
}

TEST(RequestHead, IsAcceptedAfterOneThatWasRefused) {
  RequestReader reader;
  EXPECT_EQ(reader.read("FROB / HTTP/1.1\r\nHost: a\r\n\r\n"), "bad_request");
  EXPECT_EQ(reader.read(get_with("")), "accepted");
}

}  // namespace
}  // namespace weir::proxy
