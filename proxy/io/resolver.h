// Real addresses of upstream hosts: the hosts file's entries, then DNS through c-ares on the host's name servers. Both
// are read before the proxy is locked down. The sandbox never sees an answer.
#pragma once

#include <ares.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/io/loop.h"
#include "proxy/io/task.h"

namespace weir::proxy::io {

class Resolver {
 public:
  // Reads /etc/resolv.conf (through c-ares): call before lock_down(). `hosts_file`: contents of /etc/hosts.
  Resolver(Loop& loop, std::string_view hosts_file);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // `host` outlives the call. Addresses (port 0) in the order to try (RFC 6724). Error "upstream_unresolved".
  Task<Result<std::vector<sockaddr_storage>>> resolve(const std::string& host, Deadline deadline);

 private:
  struct Socket;
  struct Query;
  static void on_socket_state(void* self, ares_socket_t socket, int readable, int writable);
  void schedule_timeouts();

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, Socket*> sockets_;
  std::multimap<std::string, sockaddr_storage, std::less<>> hosts_;
  uv_timer_t timer_{};
};

}  // namespace weir::proxy::io
