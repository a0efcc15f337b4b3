// The proxy's end of the channel to the keeper: reports events, waits until they are recorded, asks for secrets.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "events/event.h"
#include "proxy/io/descriptor.h"
#include "proxy/io/task.h"

namespace weir::proxy {

class KeeperLink {
 public:
  // `on_finish`: the keeper asks for the end. When the keeper is gone the process exits at once: nothing may pass
  // that cannot be recorded (SECURITY: G3, G4).
  KeeperLink(io::Loop& loop, UniqueFd channel, std::function<void()> on_finish);

  // Queues an event; it leaves with all others of this turn of the loop. The number is for recorded().
  std::uint64_t report(std::string_view type, const events::Fields& fields);

  // True once the event is in the store; false when it could not be written, or not in time.
  io::Task<bool> recorded(std::uint64_t number);

  // The secret of a credential of this sandbox's policy, by its index; fetched at first use and kept. The pointer is
  // valid as long as the link. An error says why there is none; it is asked for anew next time.
  io::Task<Result<const Secret*>> secret(std::uint32_t credential);

  // The keeper does not keep up: whoever would add more must wait or refuse.
  bool backlogged() const { return outgoing_bytes_ > (4U << 20); }

  void send_ready();
  void flush();

 private:
  struct Pending {
    std::uint64_t number;
    io::Waiter* waiter;
  };
  struct SecretSlot {
    Secret value;
    bool have = false;
    bool asked = false;
    std::string error;
    std::vector<io::Waiter*> waiters;
  };
  struct RecordedAwaiter;
  struct SecretAwaiter;

  io::Task<void> receive();
  io::Task<void> resume_sending();
  void handle(std::string_view message);
  void settle(std::uint64_t upto, io::Wake result);
  void queue(std::string message);

  io::Loop& loop_;
  io::Descriptor channel_;
  std::function<void()> on_finish_;
  std::string batch_;                 // events of this turn
  std::uint64_t next_number_ = 1;
  std::uint64_t batch_first_ = 1;
  std::uint64_t settled_ = 0;
  std::deque<std::string> outgoing_;  // messages that the full channel did not take
  std::size_t outgoing_bytes_ = 0;
  bool sending_ = false;
  std::deque<Pending> pending_;
  std::map<std::uint32_t, SecretSlot> secrets_;
};

}  // namespace weir::proxy
