#include <gtest/gtest.h>

#include "tests/proxy/http1/http1_testing.h"

namespace weir::proxy {
namespace {

using std::string_literals::operator""s;
using Kind = BodyLength::Kind;

std::string ok_with(const std::string& lines) { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n"; }

struct Refused {
  std::string bytes;
  std::string code;
};

class RefusedResponse : public testing::TestWithParam<Refused> {};

TEST_P(RefusedResponse, HasItsStableCode) {
  ResponseReader reader;
  EXPECT_EQ(reader.read(GetParam().bytes), GetParam().code) << GetParam().bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Every, RefusedResponse,
    testing::Values(
        Refused{"HTTP/2 200 OK\r\n\r\n", "bad_version"}, Refused{"HTTP/1.2 200 OK\r\n\r\n", "bad_version"},
        Refused{"HTTP/0.9 200 OK\r\n\r\n", "bad_version"}, Refused{"http/1.1 200 OK\r\n\r\n", "bad_status_line"},
        Refused{"ICY 200 OK\r\n\r\n", "bad_status_line"}, Refused{"<html>\r\n\r\n", "bad_status_line"},
        Refused{"\r\nHTTP/1.1 200 OK\r\n\r\n", "bad_status_line"}, Refused{"HTTP/1.1\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 \r\n\r\n", "bad_status_line"}, Refused{"HTTP/1.1 20 OK\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 2000 OK\r\n\r\n", "bad_status_line"}, Refused{"HTTP/1.1  200 OK\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1\t200 OK\r\n\r\n", "bad_version"}, Refused{"HTTP/1.1 099 OK\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 2x0 OK\r\n\r\n", "bad_status_line"}, Refused{"HTTP/1.1 +20 OK\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 200OK\r\n\r\n", "bad_status_line"}, Refused{"HTTP/1.1 200 O\x07K\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 200 OK\n\n", "bad_line_ending"}, Refused{"HTTP/1.1 200 O\rK\r\n\r\n", "bad_line_ending"},
        Refused{"HTTP/1.1 200 O\0K\r\n\r\n"s, "bad_line_ending"},
        Refused{ok_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "length_and_chunked"},
        Refused{ok_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "length_and_chunked"},
        Refused{ok_with("Transfer-Encoding: gzip, chunked\r\n"), "bad_transfer_encoding"},
        Refused{ok_with("Transfer-Encoding: identity\r\n"), "bad_transfer_encoding"},
        Refused{ok_with("Transfer-Encoding:\tchunked\r\n"), "bad_transfer_encoding"},
        Refused{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"},
        Refused{ok_with("Content-Length: 5\r\nContent-Length: 5\r\n"), "bad_content_length"},
        Refused{ok_with("Content-Length: 5, 5\r\n"), "bad_content_length"},
        Refused{ok_with("Content-Length: -1\r\n"), "bad_content_length"},
        Refused{ok_with("Content-Length:\r\n"), "bad_content_length"}, Refused{ok_with("X: a\r\n b\r\n"), "obs_fold"},
        Refused{ok_with("X : a\r\n"), "bad_header_name"}, Refused{ok_with("X: \x01\r\n"), "bad_header_value"},
        Refused{"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_status_line"},
        Refused{"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 1\r\n\r\n", "bad_status_line"}));

struct Framed {
  std::string method;
  std::string bytes;
  BodyLength body;
  bool keep_alive;
};

class FramedResponse : public testing::TestWithParam<Framed> {};

TEST_P(FramedResponse, EndsWhereItsHeadAndTheRequestSay) {
  ResponseReader reader;
  ASSERT_EQ(reader.read(GetParam().bytes, GetParam().method), "accepted") << GetParam().bytes;
  EXPECT_EQ(reader.head.body, GetParam().body) << GetParam().method << " " << GetParam().bytes;
  EXPECT_EQ(reader.head.keep_alive, GetParam().keep_alive) << GetParam().method << " " << GetParam().bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Every, FramedResponse,
    testing::Values(
        Framed{"GET", ok_with("Content-Length: 5\r\n"), {Kind::fixed, 5}, true},
        Framed{"GET", ok_with("Content-Length: 0\r\n"), {Kind::fixed, 0}, true},
        Framed{"GET", ok_with("Transfer-Encoding: chunked\r\n"), {Kind::chunked, 0}, true},
        Framed{"GET", ok_with(""), {Kind::until_close, 0}, false},
        Framed{"GET", ok_with("Connection: keep-alive\r\n"), {Kind::until_close, 0}, false},
        Framed{"GET", ok_with("Content-Length: 5\r\nConnection: close\r\n"), {Kind::fixed, 5}, false},
        Framed{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", {Kind::fixed, 5}, false},
        Framed{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", {Kind::fixed, 5}, true},
        Framed{"GET", "HTTP/1.0 200 OK\r\n\r\n", {Kind::until_close, 0}, false},
        Framed{"HEAD", ok_with("Content-Length: 5\r\n"), {}, true},
        Framed{"HEAD", ok_with("Transfer-Encoding: chunked\r\n"), {}, true}, Framed{"HEAD", ok_with(""), {}, true},
        Framed{"GET", "HTTP/1.1 204 No Content\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", {}, false},
        Framed{"GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", {}, false},
        Framed{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 304 Not Modified\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 100 Continue\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", {}, true},
        Framed{"GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", {}, false},
        Framed{"CONNECT", "HTTP/1.1 200 Connection established\r\n\r\n", {}, false},
        Framed{"CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}, false},
        Framed{"CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", {Kind::fixed, 5}, true},
        Framed{"GET", "HTTP/1.1 999 Denied\r\nContent-Length: 5\r\n\r\n", {Kind::fixed, 5}, true}));

TEST(ResponseHead, MayLeaveItsReasonOut) {
  ResponseReader reader;
  for (const char* line : {"HTTP/1.1 200", "HTTP/1.1 200 "}) {
    EXPECT_EQ(reader.read(line + "\r\nContent-Length: 0\r\n\r\n"s), "accepted") << line;
    EXPECT_EQ(reader.head.status, 200);
    EXPECT_EQ(reader.head.reason, "");
  }
}

TEST(ResponseHead, KeepsItsReasonAndFields) {
  ResponseReader reader;
  ASSERT_EQ(reader.read("HTTP/1.1 404 Not Found\xe4 \r\nA: b\r\nA: c\r\n\r\n"), "accepted");
  EXPECT_EQ(reader.head.status, 404);
  EXPECT_EQ(reader.head.reason, "Not Found\xe4 ");
  ASSERT_EQ(reader.head.headers.size(), 2U);
  EXPECT_EQ(reader.head.headers[1].value, "c");
}

}  // namespace
}  // namespace weir::proxy
