#include "proxy/gate/drop_reports.h"

#include "netns/room.h"

namespace weir::proxy {

DropReports::DropReports(io::Loop& loop, KeeperLink& keeper, UniqueFd drop_log)
    : loop_(loop), keeper_(keeper), log_(loop, std::move(drop_log)) {}

void DropReports::read() {
  std::vector<netns::DroppedPacket> packets;
  netns::read_drop_log(log_.fd(), packets, others_);
  for (auto& packet : packets) {
    const Key key{std::move(packet.protocol), std::move(packet.destination), packet.port};
    if (const auto found = counts_.find(key); found != counts_.end()) {
      ++found->second;
    } else if (counts_.size() < kMaxKeys) {
      counts_.emplace(key, 1);
    } else {
      ++others_;
    }
  }
}

void DropReports::report_pending() {
  read();
  for (const auto& [key, count] : counts_) {
    events::Fields fields;
    fields.text("protocol", key.protocol).text("destination", key.destination);
    if (key.port != 0) fields.number("port", key.port);
    fields.number("count", static_cast<std::int64_t>(count));
    keeper_.report("packet.dropped", fields);
  }
  counts_.clear();
  if (others_ == 0) return;
  events::Fields fields;
  fields.text("protocol", "any").text("destination", "others").number("count", static_cast<std::int64_t>(others_));
  keeper_.report("packet.dropped", fields);
  others_ = 0;
}

io::Task<void> DropReports::run() {
  for (;;) {
    const auto woken = co_await log_.readable(io::kNever);
    if (woken != io::Wake::ready) co_return;
    read();
    // The first packet is told at once, those that follow it within a second together.
    report_pending();
    io::Event second(loop_);
    co_await second.wait(loop_.in(1000));
  }
}

}  // namespace weir::proxy
