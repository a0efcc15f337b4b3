#include "launch/package_sources/connect_witness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/text.h"

namespace weir::launch {

std::string place_asked_for(std::string_view line) {
  const auto words = split(trim(line), ' ');
  if (words.size() != 3 || !words[2].starts_with("HTTP/1.")) return {};
  if (words[0] == "CONNECT") return to_lower(words[1]);
  if (!words[1].starts_with("http://")) return {};
  const auto rest = words[1].substr(7);
  const std::string host = to_lower(rest.substr(0, rest.find_first_of("/?#")));
  return host.find(':') == std::string::npos ? host + ":80" : host;
}

Result<std::unique_ptr<ConnectWitness>> ConnectWitness::start() {
  std::unique_ptr<ConnectWitness> witness(new ConnectWitness);
  witness->listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  witness->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!witness->listener_ || !witness->stop_ || ::bind(witness->listener_.get(), generic, size) != 0 ||
      ::listen(witness->listener_.get(), 16) != 0 || ::getsockname(witness->listener_.get(), generic, &size) != 0)
    return fail_errno("tool_failed", "cannot listen on the loopback", errno);
  witness->port_ = ntohs(address.sin_port);
  witness->thread_ = std::thread([raw = witness.get()] { raw->serve(); });
  return witness;
}

ConnectWitness::~ConnectWitness() { (void)finish(); }

std::vector<std::string> ConnectWitness::finish() {
  if (thread_.joinable()) {
    (void)::eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  return seen_;
}

void ConnectWitness::serve() {
  for (;;) {
    pollfd wait[] = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 && errno != EINTR) return;
    if (wait[0].revents != 0) return;
    if (wait[1].revents == 0) continue;
    const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) answer(connection.get());
  }
}

void ConnectWitness::answer(int connection) {
  constexpr std::size_t kMostHead = 1U << 14;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < kMostHead) {
    pollfd wait[] = {{connection, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0 || ::poll(wait, 2, static_cast<int>(left)) <= 0 || wait[1].revents != 0) return;
    char buffer[4096];
    const auto size = ::recv(connection, buffer, sizeof buffer, 0);
    if (size <= 0) return;
    head.append(buffer, static_cast<std::size_t>(size));
  }
  auto place = place_asked_for(std::string_view(head).substr(0, head.find("\r\n")));
  if (!place.empty() && std::ranges::find(seen_, place) == seen_.end()) seen_.push_back(std::move(place));
  constexpr std::string_view kRefusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  (void)::send(connection, kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
  ::shutdown(connection, SHUT_WR);
}

}  // namespace weir::launch
