#include "proxy/gate/tunnel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <vector>

namespace weir::proxy {

bool OpenTunnel::may_go_on(const PolicyInUse& policy) {
  if (!why_.empty()) return true;  // it is ending as it is
  const auto decision = decide_(policy);
  if (decision.action == policy::Action::ask) return approved_;
  return decision.action != policy::Action::deny;
}

void OpenTunnel::cut(std::string_view why) {
  if (!why_.empty()) return;
  why_ = why;
  const auto call = end_;  // this object may be gone when it returns
  if (call) call();
}

void OpenTunnel::on_cut(std::function<void()> end) {
  end_ = std::move(end);
  if (why_.empty() || !end_) return;
  const auto call = end_;
  call();
}

void reset(io::Transport& transport) {
  if (transport.closed()) return;
  const linger at_once{1, 0};
  setsockopt(transport.descriptor().fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  transport.descriptor().close();
}

namespace {

constexpr std::string_view kClientGone = "client_gone";
constexpr std::string_view kUpstreamReset = "upstream_reset";
constexpr std::size_t kPiece = 64 * 1024;
// After so many pieces in one go a busy tunnel lets the others have their turn.
constexpr int kPiecesInOneGo = 16;

// A block to read into, held only while octets are on their way; some are kept for the next that needs one. Single-threaded.
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { release(); }
  std::span<char> space() {
    if (memory_ == nullptr) {
      if (spare().empty()) {
        memory_.reset(new char[kPiece]);
      } else {
        memory_ = std::move(spare().back());
        spare().pop_back();
      }
    }
    return {memory_.get(), kPiece};
  }
  void release() {
    if (memory_ != nullptr && spare().size() < 8) spare().push_back(std::move(memory_));
    memory_.reset();
  }

 private:
  static std::vector<std::unique_ptr<char[]>>& spare() {
    thread_local std::vector<std::unique_ptr<char[]>> blocks;
    return blocks;
  }
  std::unique_ptr<char[]> memory_;
};

// What both directions share. Lives in carry()'s frame; carry() alone closes the transports, so nothing below it ends while it does.
struct Carrying {
  explicit Carrying(io::Loop& for_loop) : loop(for_loop), changed(for_loop), active(for_loop.now()) {}
  io::Loop& loop;
  io::Event changed;
  io::Deadline active;  // when octets last moved, either way
  int running = 2;
  TunnelEnd result;
  bool broken = false;
  bool client_ended = false;  // it sends no more
  void break_off(std::string_view why) {
    if (broken) return;
    broken = true;
    result.end = why;
  }
};

// One direction. What it refers to outlives it: carry() waits for its end.
io::Task<void> pump(Carrying& shared, io::Transport& from, std::string_view first, io::Transport& to, std::uint64_t& count,
                    std::string_view from_gone, std::string_view to_gone) {
  Block block;
  std::string_view piece = first;
  for (int pieces = 0; !shared.broken;) {
    if (!piece.empty()) {
      io::Outcome written = io::Outcome::ok;
      const io::IoResult at_once = to.try_write(piece);
      const std::size_t done = at_once.status == io::IoStatus::ok ? at_once.size : 0;
      if (at_once.status == io::IoStatus::broken || at_once.status == io::IoStatus::end) {
        written = io::Outcome::broken;
      } else if (done < piece.size()) {
        const std::string_view rest = piece.substr(done);
        written = co_await to.write_all(rest, shared.loop.in(kTunnelIdleMs));
      }
      if (written != io::Outcome::ok) {
        // A client that has ended its side and does not take what still comes has closed (as those of TLS do that await no close_notify).
        const bool closed = shared.client_ended && to_gone == kClientGone;
        shared.break_off(written == io::Outcome::timeout ? std::string_view("idle") : closed ? std::string_view("complete") : to_gone);
        break;
      }
      count += piece.size();
      shared.active = shared.loop.now();
      piece = {};
    }
    const io::IoResult got = from.try_read(block.space());
    if (got.status == io::IoStatus::ok) {
      piece = {block.space().data(), got.size};
      if (++pieces % kPiecesInOneGo != 0) continue;
    } else if (got.status == io::IoStatus::end) {
      if (from_gone == kClientGone) shared.client_ended = true;
      shutdown(to.descriptor().fd(), SHUT_WR);
      break;
    } else if (got.status == io::IoStatus::broken) {
      shared.break_off(from_gone);
      break;
    } else {
      block.release();
    }
    if (!piece.empty()) {
      co_await to.descriptor().writable(shared.active + kTunnelIdleMs);
      continue;
    }
    const io::Wake wake = co_await from.descriptor().readable(shared.active + kTunnelIdleMs);
    // The other direction may have moved meanwhile.
    if (wake == io::Wake::timeout && shared.loop.now() >= shared.active + kTunnelIdleMs) shared.break_off("idle");
  }
  --shared.running;
  shared.changed.fire();  // carry() may end here
}

// A peer that is gone without a word is found within minutes, and the middle boxes on the way keep the connection.
void keep_alive(io::Transport& transport) {
  const int on = 1, idle = 120, interval = 30, count = 4;
  const int fd = transport.descriptor().fd();
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

}  // namespace

io::Task<TunnelEnd> carry(io::Loop& loop, io::Transport& client, std::string_view first_out, io::Transport& upstream, std::string_view first_in,
                          OpenTunnel& tunnel) {
  Carrying shared(loop);
  keep_alive(client);
  keep_alive(upstream);
  tunnel.on_cut([&shared] {
    shared.break_off("cut");
    shared.changed.fire();
  });
  io::spawn(pump(shared, client, first_out, upstream, shared.result.bytes_out, kClientGone, kUpstreamReset));
  io::spawn(pump(shared, upstream, first_in, client, shared.result.bytes_in, kUpstreamReset, kClientGone));
  while (shared.running > 0) {
    if (shared.broken && !(client.closed() && upstream.closed())) {
      reset(client);
      reset(upstream);
      continue;
    }
    co_await shared.changed.wait(io::kNever);
  }
  tunnel.on_cut({});
  if (shared.broken) {
    reset(client);
    reset(upstream);
  }
  co_return shared.result;
}

}  // namespace weir::proxy
