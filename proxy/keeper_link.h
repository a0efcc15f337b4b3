// The proxy's end of the channel to the keeper: reports events, waits until they are recorded, asks for secrets.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/secret.h"
#include "events/event.h"
#include "proxy/io/descriptor.h"
#include "proxy/credentials/token_answer.h"
#include "proxy/io/task.h"
#include "proxy/wire.h"

namespace weir::proxy {

class KeeperLink {
 public:
  // `on_finish`: the keeper asks for the end. When the keeper is gone the process exits at once: nothing may pass
  // that cannot be recorded (SECURITY: G3, G4).
  KeeperLink(io::Loop& loop, UniqueFd channel, std::function<void()> on_finish);

  // `use`: takes encode_policy()'s bytes of that generation into force, or says why it cannot. The keeper is told.
  void on_policy(std::function<Result<void>(std::uint32_t generation, std::string_view bytes)> use) { use_policy_ = std::move(use); }

  // Queues an event; it leaves with all others of this turn of the loop. The number is for recorded().
  std::uint64_t report(std::string_view type, const events::Fields& fields);

  // True once the event is in the store; false when it could not be written, or not in time.
  io::Task<bool> recorded(std::uint64_t number);

  // The secret of a credential of a policy, by its index; fetched at first use and kept until that policy is released or the keeper
  // takes it back. Who holds it meanwhile keeps what it has. An error says why there is none; it is asked for anew next time.
  // `purpose`: use is recorded by the keeper, once for each value.
  io::Task<Result<std::shared_ptr<const Secret>>> secret(std::uint32_t generation, std::uint32_t credential, Purpose purpose);
  // Grows with every secret that comes or is taken back: what was made of them is then out of date.
  std::uint64_t secrets_version() const { return secrets_version_; }

  // Tokens that a token endpoint (`oauth`, its index in the policy) has given: true once the keeper has them in its vault.
  io::Task<Result<void>> keep_tokens(std::uint32_t generation, std::uint32_t oauth, std::span<const CaughtToken> tokens);
  // Nothing is under that policy any more: its secrets are wiped, and the keeper is told.
  void release_policy(std::uint32_t generation);

  // Whether a request that a rule asks about may pass. `rule` is its index in the policy, kNoRule for the default; `wait_ms` how long
  // at most; `call` may be given up from elsewhere. A keeper that does not answer in time means `expired`.
  struct Answer {
    Verdict verdict = Verdict::expired;
    std::string text;  // who decided, or why not
  };
  class Call {  // one question on its way; withdraw() wakes whoever waits for the answer
   public:
    void withdraw() {
      if (event_ != nullptr) event_->fire(io::Wake::closed);
    }

   private:
    friend class KeeperLink;
    io::Event* event_ = nullptr;
  };
  io::Task<Answer> approval(std::uint32_t generation, std::uint32_t rule, const events::Fields& fields, std::uint64_t wait_ms, Call& call);

  // The executables of the sandbox's processes that hold this connection; empty: not known.
  io::Task<std::vector<std::string>> owners(Endpoints endpoints);

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
    std::shared_ptr<const Secret> value;  // shared with the exchanges that carry it
    bool have = false;
    bool recorded = false;  // the value was given to be used
    std::string error;
    struct Asking {
      bool asked = false;
      std::vector<io::Waiter*> waiters;
    } asking[2];  // by purpose
  };
  struct Question {  // lives in the frame of whoever asks
    explicit Question(io::Loop& loop) : answered(loop) {}
    io::Event answered;
    std::string answer;  // the message behind its number
    bool have = false;
  };
  struct RecordedAwaiter;
  struct SecretAwaiter;

  io::Task<void> receive();
  io::Task<void> resume_sending();
  void handle(std::string_view message, std::vector<UniqueFd>& descriptors);
  void take_policy(std::uint32_t generation, int memory);
  void give_answer(std::string_view message);
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
  std::map<std::pair<std::uint32_t, std::uint32_t>, SecretSlot> secrets_;  // by generation and credential
  std::uint64_t secrets_version_ = 1;
  std::map<std::uint64_t, Question*> questions_;
  std::uint64_t next_question_ = 1;
  std::function<Result<void>(std::uint32_t, std::string_view)> use_policy_;
  bool changing_policy_ = false;
  std::vector<std::string> released_;  // messages that wait for the change to be told
};

}  // namespace weir::proxy
