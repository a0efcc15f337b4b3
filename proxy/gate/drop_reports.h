// Packets that the room's firewall rejected, gathered into `packet.dropped` events: one for each protocol and
// destination in a second, so that a flood does not become a flood of events.
#pragma once

#include "proxy/io/task.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

class DropReports {
 public:
  DropReports(io::Loop& loop, KeeperLink& keeper, UniqueFd drop_log);
  io::Task<void> run();   // for ever
  void report_pending();  // what was gathered so far; also reads what the kernel still holds

 private:
  struct Key {
    std::string protocol, destination;
    std::uint16_t port;
    auto operator<=>(const Key&) const = default;
  };
  void read();
  io::Loop& loop_;
  KeeperLink& keeper_;
  io::Descriptor log_;
  std::map<Key, std::uint64_t> counts_;
  std::uint64_t others_ = 0;  // beyond kMaxKeys, and what the kernel could not queue
  static constexpr std::size_t kMaxKeys = 64;
};

}  // namespace weir::proxy
