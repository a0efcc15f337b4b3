#include "keeper/control_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "keeper/control_socket.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

struct ControlServerTest : ::testing::Test {
  ControlServerTest() : sockets(*open_socket_folder(folder / "weir")) {
    uv_loop_init(&loop);
    server = std::make_unique<ControlServer>(
        &loop, *listen_for_control(sockets, "ses_1"),
        [this](int) -> Result<Peer> {
          if (refuse) return fail("peer_refused", "not you");
          return Peer{1, 2, "user tester pid 1"};
        },
        [this](const ControlRequest& request) {
          requests.push_back(request);
          return ControlReply{200, {{"method", request.method}, {"path", request.path}, {"body", request.body}}};
        },
        300);
  }
  ~ControlServerTest() override {
    server.reset();
    EXPECT_EQ(uv_loop_close(&loop), 0) << "a handle is left over";
  }
  UniqueFd connect_client() const {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, control_socket_path(sockets, "ses_1").c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void write(const UniqueFd& fd, std::string_view text) { EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size())); }
  // Runs the loop until the client has `wanted` in what it got, or the server has closed it (then `closed`).
  std::string read_until(const UniqueFd& fd, std::string_view wanted) {
    std::string got;
    closed = false;
    while (got.find(wanted) == std::string::npos || wanted.empty()) {
      uv_run(&loop, UV_RUN_NOWAIT);
      char bytes[4096];
      const ssize_t size = recv(fd.get(), bytes, sizeof bytes, 0);
      if (size == 0 || (size < 0 && errno != EAGAIN)) {
        closed = true;
        return got;
      }
      if (size > 0) got.append(bytes, static_cast<std::size_t>(size));
    }
    return got;
  }

  TemporaryFolder folder;
  UniqueFd sockets;
  uv_loop_t loop{};
  bool refuse = false;
  bool closed = false;
  std::vector<ControlRequest> requests;
  std::unique_ptr<ControlServer> server;
};

TEST_F(ControlServerTest, AnswersRequestsOneAfterTheOtherOnOneConnection) {
  const UniqueFd client = connect_client();
  write(client, "GET /v1/session?x=1 HTTP/1.1\r\nHost: weir\r\n\r\n");
  const auto first = read_until(client, "}\n");
  EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n")) << first;
  EXPECT_NE(first.find(R"("path":"/v1/session")"), std::string::npos) << first;
  write(client, "POST /a HTTP/1.1\r\nHost: weir\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\nHost: weir\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  auto got = read_until(client, "}\n");
  while (requests.size() < 3) got += read_until(client, "}\n");
  EXPECT_EQ(requests[1].body, "hello");
  EXPECT_EQ(requests[2].body, "hi");
}

TEST_F(ControlServerTest, TakesARequestThatComesByteByByte) {
  const UniqueFd client = connect_client();
  for (const char c : std::string_view("POST /a HTTP/1.1\r\nHost: weir\r\nContent-Length: 3\r\n\r\nabc")) {
    write(client, std::string_view(&c, 1));
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  EXPECT_TRUE(read_until(client, "}\n").starts_with("HTTP/1.1 200")) << "in time";
  EXPECT_EQ(requests.at(0).body, "abc");
}

TEST_F(ControlServerTest, RefusesWhatIsNotHttpAndCloses) {
  for (const std::string bad : {"\n\n\n", "GET / HTTP/1.1\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const UniqueFd client = connect_client();
    write(client, bad);
    const auto reply = read_until(client, "");
    EXPECT_TRUE(closed);
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 400")) << bad << reply;
    EXPECT_NE(reply.find(R"({"error":{"code":)"), std::string::npos) << reply;
  }
  EXPECT_TRUE(requests.empty());
}

TEST_F(ControlServerTest, SizesAreBounded) {
  const UniqueFd head = connect_client();
  write(head, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x'));
  EXPECT_TRUE(read_until(head, "").starts_with("HTTP/1.1 431"));
  const UniqueFd announced = connect_client();
  write(announced, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_TRUE(read_until(announced, "").starts_with("HTTP/1.1 413"));
  const UniqueFd chunked = connect_client();
  write(chunked, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" + std::string(0x8000, 'x'));
  EXPECT_TRUE(read_until(chunked, "").starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(requests.empty());
}

TEST_F(ControlServerTest, AClientThatSaysNothingOrTooSlowlyIsClosed) {
  const UniqueFd silent = connect_client();
  const UniqueFd slow = connect_client();
  write(slow, "GET / HT");
  EXPECT_EQ(read_until(silent, ""), "");
  EXPECT_TRUE(closed);
  EXPECT_EQ(read_until(slow, ""), "");
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ControlServerTest, AtMostSixteenAtATime) {
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < ControlServer::kMaxConnections; ++i) {
    clients.push_back(connect_client());
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  EXPECT_EQ(server->connections(), ControlServer::kMaxConnections);
  const UniqueFd one_more = connect_client();
  EXPECT_EQ(read_until(one_more, ""), "");
  EXPECT_TRUE(closed);
  write(clients[0], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(read_until(clients[0], "}\n").starts_with("HTTP/1.1 200")) << "those that were let in are served";
}

TEST_F(ControlServerTest, WhoMayNotConnectIsToldSoAndNotHeard) {
  refuse = true;
  const UniqueFd client = connect_client();
  write(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(read_until(client, "").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(requests.empty());
}

TEST_F(ControlServerTest, EndsWhileClientsAreConnected) {
  const UniqueFd client = connect_client();
  write(client, "GET / HT");
  uv_run(&loop, UV_RUN_NOWAIT);
  EXPECT_EQ(server->connections(), 1U);
}

}  // namespace
}  // namespace weir::keeper
