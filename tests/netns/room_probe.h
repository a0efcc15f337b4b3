// For tests: processes inside a room, and the small things they try there.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "netns/room.h"

namespace weir::netns {

// A child process that runs `body`; result() waits for it and gives what it returned.
class Child {
 public:
  explicit Child(const std::function<std::string()>& body) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    output_.reset(ends[0]);
    pid_ = fork();
    if (pid_ != 0) {
      close(ends[1]);
      return;
    }
    alarm(60);
    const std::string text = body();
    (void)!write(ends[1], text.data(), text.size());
    _exit(0);
  }
  ~Child() {
    if (pid_ > 0) result();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string result() {
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(output_.get(), buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : text + " (the child died)";
  }

 private:
  UniqueFd output_;
  pid_t pid_ = -1;
};

inline std::function<std::string()> entering(const Room& room, std::function<std::string()> body) {
  return [&room, body = std::move(body)]() -> std::string {
    if (const int error = enter_room(room.user_namespace.get(), room.network_namespace.get()); error != 0)
      return std::string("enter_room: ") + std::strerror(error);
    return body();
  };
}

// Runs `body` in a process in the room, as the room's root, and gives what it returns.
inline std::string in_room(const Room& room, std::function<std::string()> body) {
  return Child(entering(room, std::move(body))).result();
}

inline std::string error_name() { return strerrorname_np(errno); }

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
  int family() const { return address.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

inline Endpoint endpoint(const std::string& ip, std::uint16_t port) {
  Endpoint result;
  in_addr v4{};
  if (inet_pton(AF_INET, ip.c_str(), &v4) == 1) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr = v4;
    std::memcpy(&result.address, &address, sizeof address);
    result.size = sizeof address;
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (inet_pton(AF_INET6, ip.c_str(), &address.sin6_addr) != 1) std::abort();
    if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr) || IN6_IS_ADDR_MULTICAST(&address.sin6_addr)) address.sin6_scope_id = 1;
    std::memcpy(&result.address, &address, sizeof address);
    result.size = sizeof address;
  }
  return result;
}

// "203.0.113.5 443"; IPv4-mapped addresses as IPv4
inline std::string text_of(const sockaddr_storage& address) {
  char ip[INET6_ADDRSTRLEN] = "?";
  std::uint16_t port = 0;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof ip);
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], ip, sizeof ip);
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof ip);
    }
    port = ntohs(v6.sin6_port);
  }
  return std::string(ip) + " " + std::to_string(port);
}

// "connected" or the errno's name. The connection is closed at once.
inline std::string dial(const std::string& ip, std::uint16_t port) {
  const Endpoint to = endpoint(ip, port);
  const UniqueFd fd(socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), to.get(), to.size) == 0 ? "connected" : error_name();
}

// Sends one datagram; gives "sent", or the errno's name of send or of the answer that came back.
inline std::string send_udp(const std::string& ip, std::uint16_t port) {
  const Endpoint to = endpoint(ip, port);
  const UniqueFd fd(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
  if (sendto(fd.get(), "x", 1, 0, to.get(), to.size) < 0) return error_name();
  return "sent";
}

inline std::string send_raw(const std::string& ip, int protocol, std::string bytes) {
  const Endpoint to = endpoint(ip, 0);
  const UniqueFd fd(socket(to.family(), SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return "socket: " + error_name();
  if (sendto(fd.get(), bytes.data(), bytes.size(), 0, to.get(), to.size) < 0) return error_name();
  return "sent";
}

inline bool readable(int fd, int timeout_ms = 5000) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&wait, 1, timeout_ms) == 1;
}

// The next connection that arrives at the listener; not one: an invalid descriptor.
inline UniqueFd next_connection(const UniqueFd& listener) {
  return UniqueFd(readable(listener.get()) ? accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC) : -1);
}

inline std::string arrived_for(const UniqueFd& listener) {
  const UniqueFd connection = next_connection(listener);
  if (!connection) return "nothing arrived";
  const auto dialled = original_destination(connection.get());
  return dialled ? text_of(*dialled) : dialled.error().message;
}

inline bool write_text(const char* path, const std::string& text) {
  FILE* file = fopen(path, "we");
  if (file == nullptr) return false;
  const bool wrote = fwrite(text.data(), 1, text.size(), file) == text.size();
  return fclose(file) == 0 && wrote;
}

class InARoom : public testing::Test {
 protected:
  void SetUp() override {
    auto made = make_room();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    room = std::move(*made);
  }
  std::vector<DroppedPacket> drops() {
    std::vector<DroppedPacket> packets;
    read_drop_log(room.drop_log.get(), packets, lost);
    return packets;
  }
  Room room;
  std::uint64_t lost = 0;
};

inline void PrintTo(const DroppedPacket& packet, std::ostream* out) {
  *out << packet.protocol << " " << packet.destination << " " << packet.port;
}

}  // namespace weir::netns
