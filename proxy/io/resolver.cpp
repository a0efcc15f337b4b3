#include "proxy/io/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <stdexcept>

#include "base/text.h"

namespace weir::proxy::io {

// One of c-ares' sockets, watched. c-ares owns the descriptor.
struct Resolver::Socket {
  uv_poll_t poll{};
  Resolver* owner = nullptr;
  ares_socket_t fd = ARES_SOCKET_BAD;
};

// Outlives the coroutine that waits for it if that gave up first: c-ares calls back in any case.
struct Resolver::Query {
  explicit Query(Loop& loop) : done(loop) {}
  Event done;
  bool finished = false;
  int status = ARES_ECANCELLED;
  std::vector<sockaddr_storage> addresses;
};

Resolver::Resolver(Loop& loop, std::string_view hosts_file) : loop_(loop) {
  ares_options options{};
  char lookups[] = "b";  // DNS only: there is no file to read later
  options.lookups = lookups;
  options.timeout = 3000;  // ms, first try
  options.tries = 3;
  options.sock_state_cb = on_socket_state;
  options.sock_state_cb_data = this;
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
      ares_init_options(&channel_, &options, ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
    throw std::runtime_error("cannot set up the resolver");
  uv_timer_init(loop_.uv(), &timer_);
  timer_.data = this;
  for (std::string_view line : split(hosts_file, '\n')) {
    line = line.substr(0, line.find('#'));
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' '))
      for (const std::string_view part : split(word, '\t'))
        if (!trim(part).empty()) words.push_back(to_lower(trim(part)));
    if (words.size() < 2) continue;
    sockaddr_storage address{};
    if (auto* v4 = reinterpret_cast<sockaddr_in*>(&address); inet_pton(AF_INET, words[0].c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
    } else if (auto* v6 = reinterpret_cast<sockaddr_in6*>(&address); inet_pton(AF_INET6, words[0].c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
    } else {
      continue;
    }
    for (std::size_t i = 1; i < words.size(); ++i) hosts_.emplace(words[i], address);
  }
}

Resolver::~Resolver() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

void Resolver::on_socket_state(void* self, ares_socket_t socket, int readable, int writable) {
  auto& resolver = *static_cast<Resolver*>(self);
  auto found = resolver.sockets_.find(socket);
  if (readable == 0 && writable == 0) {
    if (found == resolver.sockets_.end()) return;
    uv_poll_stop(&found->second->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&found->second->poll),
             [](uv_handle_t* handle) { delete reinterpret_cast<Socket*>(handle->data); });
    resolver.sockets_.erase(found);
    return;
  }
  if (found == resolver.sockets_.end()) {
    auto* watched = new Socket;
    watched->owner = &resolver;
    watched->fd = socket;
    uv_poll_init(resolver.loop_.uv(), &watched->poll, socket);
    watched->poll.data = watched;
    found = resolver.sockets_.emplace(socket, watched).first;
  }
  const int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
  uv_poll_start(&found->second->poll, events, [](uv_poll_t* poll, int status, int happened) {
    const auto& watched = *static_cast<Socket*>(poll->data);
    Resolver& owner = *watched.owner;
    const ares_socket_t fd = watched.fd;
    if (status < 0) happened = UV_READABLE | UV_WRITABLE;
    ares_process_fd(owner.channel_, (happened & UV_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                    (happened & UV_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
    owner.schedule_timeouts();
  });
}

void Resolver::schedule_timeouts() {
  timeval limit{};
  const timeval* next = ares_timeout(channel_, nullptr, &limit);
  if (next == nullptr) {
    uv_timer_stop(&timer_);
    return;
  }
  const auto ms = static_cast<std::uint64_t>(next->tv_sec) * 1000 + static_cast<std::uint64_t>(next->tv_usec) / 1000 + 1;
  uv_timer_start(
      &timer_,
      [](uv_timer_t* timer) {
        auto& resolver = *static_cast<Resolver*>(timer->data);
        ares_process_fd(resolver.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        resolver.schedule_timeouts();
      },
      ms, 0);
}

Task<Result<std::vector<sockaddr_storage>>> Resolver::resolve(const std::string& host, Deadline deadline) {
  std::vector<sockaddr_storage> from_file;
  for (auto [at, end] = hosts_.equal_range(host); at != end; ++at) from_file.push_back(at->second);
  if (!from_file.empty()) co_return from_file;

  auto query = std::make_shared<Query>(loop_);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(
      channel_, host.c_str(), nullptr, &hints,
      [](void* argument, int status, int, ares_addrinfo* result) {
        const std::unique_ptr<std::shared_ptr<Query>> held(static_cast<std::shared_ptr<Query>*>(argument));
        Query& answered = **held;
        answered.finished = true;
        answered.status = status;
        for (const ares_addrinfo_node* node = result != nullptr ? result->nodes : nullptr; node != nullptr; node = node->ai_next) {
          sockaddr_storage address{};
          std::memcpy(&address, node->ai_addr, std::min<std::size_t>(node->ai_addrlen, sizeof address));
          answered.addresses.push_back(address);
        }
        if (result != nullptr) ares_freeaddrinfo(result);
        answered.done.fire();
      },
      new std::shared_ptr<Query>(query));
  schedule_timeouts();
  if (!query->finished) {
    const Wake wake = co_await query->done.wait(deadline);
    if (wake == Wake::timeout) co_return fail("upstream_unresolved", "no name server answered for " + host + " in time");
  }
  if (query->status != ARES_SUCCESS || query->addresses.empty())
    co_return fail("upstream_unresolved", "cannot resolve " + host + ": " + ares_strerror(query->status));
  co_return std::move(query->addresses);
}

}  // namespace weir::proxy::io
