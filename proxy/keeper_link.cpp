#include "proxy/keeper_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/message_channel.h"
#include "proxy/wire.h"

namespace weir::proxy {
namespace {
constexpr std::size_t kBatchLimit = kMaxMessage - 40 * 1024;  // room for one more event, whatever its size
constexpr std::uint64_t kRecordMs = 30'000;
constexpr std::uint64_t kSecretMs = 30'000;
constexpr std::uint64_t kOwnersMs = 5'000;
}  // namespace

struct KeeperLink::RecordedAwaiter {
  RecordedAwaiter(KeeperLink& of, std::uint64_t wanted) : link(of), number(wanted) {}
  RecordedAwaiter(const RecordedAwaiter&) = delete;
  RecordedAwaiter& operator=(const RecordedAwaiter&) = delete;
  ~RecordedAwaiter() {
    if (waiter.next != nullptr) link.loop_.forget(waiter);
  }
  bool await_ready() { return number <= link.settled_; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter.handle = handle;
    waiter.deadline = link.loop_.in(kRecordMs);
    // Numbers are given in order and awaited in the turn in which they were given, so the queue is in order.
    link.pending_.push_back({number, &waiter});
    waiter.slot = &link.pending_.back().waiter;
    link.loop_.add(waiter);
  }
  bool await_resume() { return waiter.handle != nullptr && waiter.result == io::Wake::ready; }
  KeeperLink& link;
  std::uint64_t number;
  io::Waiter waiter{};
};

KeeperLink::KeeperLink(io::Loop& loop, UniqueFd channel, std::function<void()> on_finish)
    : loop_(loop), channel_(loop, std::move(channel)), on_finish_(std::move(on_finish)) {
  fcntl(channel_.fd(), F_SETFL, O_NONBLOCK);
  loop_.before_blocking([this] { flush(); });
  io::spawn(receive());
}

std::uint64_t KeeperLink::report(std::string_view type, const events::Fields& fields) {
  if (batch_.size() + fields.bytes().size() > kBatchLimit) flush();
  if (batch_.empty()) {
    batch_first_ = next_number_;
    batch_.push_back(static_cast<char>(Kind::events));
    put(batch_, batch_first_);
  }
  put_event(batch_, type, fields.bytes());
  return next_number_++;
}

io::Task<bool> KeeperLink::recorded(std::uint64_t number) {
  RecordedAwaiter awaiter{*this, number};
  co_return co_await awaiter;
}

void KeeperLink::flush() {
  if (batch_.empty()) return;
  queue(batch_);
  batch_.clear();
}

void KeeperLink::queue(std::string message) {
  if (outgoing_.empty()) {
    const auto sent = send_message(channel_.fd(), message);
    if (sent) return;
    if (sent.error().code != "channel_full") _exit(1);  // SECURITY: G3, no keeper, no traffic
  }
  outgoing_bytes_ += message.size();
  outgoing_.push_back(std::move(message));
  if (!sending_) io::spawn(resume_sending());
}

// Sends what the full channel did not take, in order. Owns nothing; the link lives as long as the process.
io::Task<void> KeeperLink::resume_sending() {
  sending_ = true;
  while (!outgoing_.empty()) {
    const auto woken = co_await channel_.writable(io::kNever);
    if (woken != io::Wake::ready) _exit(1);
    while (!outgoing_.empty()) {
      const auto sent = send_message(channel_.fd(), outgoing_.front());
      if (!sent && sent.error().code == "channel_full") break;
      if (!sent) _exit(1);
      outgoing_bytes_ -= outgoing_.front().size();
      outgoing_.pop_front();
    }
  }
  sending_ = false;
}

io::Task<void> KeeperLink::receive() {
  for (;;) {
    auto message = receive_message(channel_.fd());
    if (!message && message.error().code == "channel_empty") {
      const auto woken = co_await channel_.readable(io::kNever);
      if (woken != io::Wake::ready) _exit(1);
      continue;
    }
    if (!message) _exit(0);  // SECURITY: G4, the keeper is gone: so is everything that depends on it
    handle(message->bytes, message->descriptors);
    wipe(message->bytes.data(), message->bytes.size());  // it may have been a secret
  }
}

void KeeperLink::handle(std::string_view message, std::vector<UniqueFd>& descriptors) {
  if (message.empty()) return;
  const Kind kind{message.front()};
  message.remove_prefix(1);
  std::uint64_t upto = 0;
  if (kind == Kind::recorded && take(message, upto)) {
    settle(upto, io::Wake::ready);
  } else if (kind == Kind::not_recorded && take(message, upto)) {
    settle(upto, io::Wake::closed);
  } else if (kind == Kind::secret) {
    std::uint32_t generation = 0;
    std::uint32_t credential = 0;
    std::uint8_t purpose = 0;
    std::uint8_t found = 0;
    if (!take(message, generation) || !take(message, credential) || !take(message, purpose) || !take(message, found) || purpose > 1) return;
    const auto known = secrets_.find({generation, credential});
    if (known == secrets_.end()) return;  // its policy was released meanwhile
    auto& slot = known->second;
    slot.asking[purpose].asked = false;
    slot.have = found == 1;
    const bool same = slot.have && slot.value != nullptr && slot.value->reveal() == message;
    slot.recorded = slot.have && (purpose == static_cast<std::uint8_t>(Purpose::use) || (same && slot.recorded));
    if (slot.have) {
      if (!same) {
        slot.value = std::make_shared<const Secret>(message);
        ++secrets_version_;
      }
    } else {
      slot.value.reset();
      slot.error = message;
    }
    for (auto* waiter : std::exchange(slot.asking[purpose].waiters, {}))
      if (waiter != nullptr) loop_.wake(*waiter, io::Wake::ready);
  } else if (kind == Kind::secret_withdrawn) {
    std::uint32_t generation = 0;
    std::uint32_t credential = 0;
    if (!take(message, generation) || !take(message, credential)) return;
    const auto known = secrets_.find({generation, credential});
    if (known == secrets_.end()) return;
    known->second.have = known->second.recorded = false;
    known->second.value.reset();
    ++secrets_version_;
  } else if (kind == Kind::approval || kind == Kind::owners || kind == Kind::tokens_kept) {
    give_answer(message);
  } else if (kind == Kind::policy) {
    std::uint32_t generation = 0;
    if (take(message, generation) && descriptors.size() == 1) take_policy(generation, descriptors.front().get());
  } else if (kind == Kind::finish) {
    on_finish_();
  }
}

void KeeperLink::settle(std::uint64_t upto, io::Wake result) {
  if (result == io::Wake::ready) settled_ = std::max(settled_, upto);
  while (!pending_.empty() && pending_.front().number <= upto) {
    io::Waiter* waiter = pending_.front().waiter;
    if (waiter != nullptr) loop_.forget(*waiter);  // clears the slot while it still exists
    pending_.pop_front();
    if (waiter != nullptr) {
      waiter->result = result;
      waiter->handle.resume();
    }
  }
}

struct KeeperLink::SecretAwaiter {
  SecretAwaiter(KeeperLink& of, SecretSlot::Asking& in) : link(of), slot(in) {}
  SecretAwaiter(const SecretAwaiter&) = delete;
  SecretAwaiter& operator=(const SecretAwaiter&) = delete;
  ~SecretAwaiter() {
    std::replace(slot.waiters.begin(), slot.waiters.end(), &waiter, static_cast<io::Waiter*>(nullptr));
    if (waiter.next != nullptr) link.loop_.forget(waiter);
  }
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter.handle = handle;
    waiter.deadline = link.loop_.in(kSecretMs);
    slot.waiters.push_back(&waiter);
    link.loop_.add(waiter);
  }
  io::Wake await_resume() { return waiter.result; }
  KeeperLink& link;
  SecretSlot::Asking& slot;
  io::Waiter waiter{};
};

io::Task<Result<std::shared_ptr<const Secret>>> KeeperLink::secret(std::uint32_t generation, std::uint32_t credential, Purpose purpose) {
  auto& slot = secrets_[{generation, credential}];
  if (slot.have && (slot.recorded || purpose == Purpose::look_for)) co_return slot.value;
  auto& asking = slot.asking[static_cast<std::uint8_t>(purpose)];
  if (!asking.asked) {
    asking.asked = true;
    std::string message(1, static_cast<char>(Kind::secret_wanted));
    put(message, generation);
    put(message, credential);
    put(message, static_cast<std::uint8_t>(purpose));
    queue(std::move(message));
  }
  SecretAwaiter awaiter{*this, asking};
  const io::Wake wake = co_await awaiter;
  if (wake != io::Wake::ready) {
    asking.asked = false;
    co_return fail("credential_unavailable", "the vault did not answer in time");
  }
  if (!slot.have) co_return fail("credential_unavailable", slot.error);
  co_return slot.value;
}

io::Task<Result<void>> KeeperLink::keep_tokens(std::uint32_t generation, std::uint32_t oauth, std::span<const CaughtToken> tokens) {
  const std::uint64_t number = next_question_++;
  Question question(loop_);
  questions_[number] = &question;
  flush();
  std::size_t size = 17;
  for (const auto& token : tokens) size += 8 + token.token.size();
  std::string message;
  message.reserve(size);  // no reallocation leaves a copy behind
  message.push_back(static_cast<char>(Kind::tokens_caught));
  put(message, number);
  put(message, generation);
  put(message, oauth);
  for (const auto& token : tokens) {
    put(message, token.id);
    put(message, static_cast<std::uint32_t>(token.token.size()));
    message.append(token.token.reveal());
  }
  // SECURITY: G2, not through the queue, whose copies are not wiped.
  Result<void> sent = fail("channel_full", "the keeper does not keep up");
  if (outgoing_.empty() && message.size() <= kMaxMessage) sent = send_message(channel_.fd(), message);
  wipe(message.data(), message.size());
  if (sent && !question.have) co_await question.answered.wait(loop_.in(kSecretMs));
  questions_.erase(number);
  std::string_view answer = question.answer;
  std::uint8_t kept = 0;
  if (!sent || !question.have || !take(answer, kept)) co_return fail("tokens_not_kept", "the vault did not take the tokens in time");
  if (kept != 1) co_return fail("tokens_not_kept", std::string(answer));
  co_return Result<void>{};
}

void KeeperLink::release_policy(std::uint32_t generation) {
  secrets_.erase(secrets_.lower_bound({generation, 0}), secrets_.upper_bound({generation, UINT32_MAX}));
  std::string message(1, static_cast<char>(Kind::policy_released));
  put(message, generation);
  if (changing_policy_) {
    released_.push_back(std::move(message));
  } else {
    queue(std::move(message));
  }
}

void KeeperLink::take_policy(std::uint32_t generation, int memory) {
  // Read and not mapped: the restricted process may not map files (proxy/lockdown.h).
  std::string bytes;
  char block[16 * 1024];
  ssize_t got = 0;
  while ((got = read(memory, block, sizeof block)) > 0) bytes.append(block, static_cast<std::size_t>(got));
  Result<void> used = fail("policy_unusable", "it did not arrive");
  changing_policy_ = true;
  if (use_policy_ && got == 0 && !bytes.empty()) used = use_policy_(generation, bytes);
  changing_policy_ = false;
  flush();  // what the policy before decided stands before it in the record
  std::string message(1, static_cast<char>(used ? Kind::policy_in_force : Kind::policy_unusable));
  put(message, generation);
  if (!used) message += used.error().message;
  queue(std::move(message));
  for (auto& released : std::exchange(released_, {})) queue(std::move(released));  // the keeper hears first what took its place
}

void KeeperLink::give_answer(std::string_view message) {
  std::uint64_t number = 0;
  if (!take(message, number)) return;
  const auto found = questions_.find(number);
  if (found == questions_.end()) return;  // withdrawn
  Question& question = *found->second;
  questions_.erase(found);
  question.answer = message;
  question.have = true;
  question.answered.fire();
}

io::Task<KeeperLink::Answer> KeeperLink::approval(std::uint32_t generation, std::uint32_t rule, const events::Fields& fields,
                                                  std::uint64_t wait_ms, Call& call) {
  const std::uint64_t number = next_question_++;
  Question question(loop_);
  questions_[number] = &question;
  call.event_ = &question.answered;
  flush();  // what was reported before comes before the question
  std::string message(1, static_cast<char>(Kind::approval_wanted));
  put(message, number);
  put(message, generation);
  put(message, rule);
  message += fields.bytes();
  queue(std::move(message));
  io::Wake woken = io::Wake::ready;
  if (!question.have) woken = co_await question.answered.wait(loop_.in(wait_ms));
  call.event_ = nullptr;
  questions_.erase(number);
  Answer answer;
  if (!question.have) {
    std::string withdrawn(1, static_cast<char>(Kind::approval_withdrawn));
    put(withdrawn, number);
    queue(std::move(withdrawn));
    answer.text = woken == io::Wake::closed ? "the client gave up" : "nobody decided in time";
    co_return answer;
  }
  std::string_view rest = question.answer;
  std::uint8_t verdict = 0;
  if (take(rest, verdict)) answer.verdict = verdict == static_cast<std::uint8_t>(Verdict::granted)   ? Verdict::granted
                                            : verdict == static_cast<std::uint8_t>(Verdict::expired) ? Verdict::expired
                                                                                                     : Verdict::denied;
  answer.text = rest;
  co_return answer;
}

io::Task<std::vector<std::string>> KeeperLink::owners(Endpoints endpoints) {
  const std::uint64_t number = next_question_++;
  Question question(loop_);
  questions_[number] = &question;
  std::string message(1, static_cast<char>(Kind::owners_wanted));
  put(message, number);
  put(message, endpoints);
  queue(std::move(message));
  if (!question.have) co_await question.answered.wait(loop_.in(kOwnersMs));
  questions_.erase(number);
  std::vector<std::string> executables;
  std::string_view rest = question.answer;
  std::uint16_t size = 0;
  while (take(rest, size) && rest.size() >= size) {
    executables.emplace_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  co_return executables;
}

void KeeperLink::send_ready() { queue(std::string(1, static_cast<char>(Kind::ready))); }

}  // namespace weir::proxy
