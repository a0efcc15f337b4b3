// `ask` on the keeper's side: takes the proxy's questions, lets a person or an earlier decision answer them, and records
// both. It writes to nothing itself: what it acts through is given to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "keeper/approvals_store.h"
#include "policy/document.h"
#include "proxy/wire.h"

namespace weir::keeper {

// What somebody decides about a pending approval.
struct Ruling {
  bool granted = false;
  Standing::Lasts lasts = Standing::Lasts::once;
  std::int64_t seconds = 0;  // of Lasts::timed
  bool host_wide = false;
  std::string by;            // "terminal", "user NAME pid 123"
};

// A pending approval as others see it. Its texts come from the sandbox.
struct PendingView {
  const Pending* pending = nullptr;  // until the next call that changes anything
  std::size_t waiting = 0;           // requests that are held for it
};

class Approvals {
 public:
  static constexpr std::size_t kMaxPending = 1000;
  static constexpr std::size_t kMaxQuestions = 4096;
  static constexpr std::int64_t kMaxSeconds = 7 * 24 * 3600;  // the longest that a decision may hold
  static constexpr std::int64_t kUnusedSeconds = 600;         // how long a grant waits for a client that has given up

  struct Settings {
    std::string directory;  // of the journals
    std::string project;
    std::string session;
    bool deny_all = false;  // --approvals=deny
  };
  struct Ports {
    // Writes an event; an error means that it is not in the record.
    std::function<Result<void>(std::string_view type, const nlohmann::ordered_json& data)> record;
    std::function<void(std::uint64_t question, proxy::Verdict verdict, std::string_view text)> answer;
    ApprovalStore::Clock clock;                     // microseconds since 1970
    std::function<void(const std::string&)> warn;   // for the person at the terminal
  };

  Approvals(Settings settings, Ports ports);

  // From now on questions of this generation are known. One that is released, or never came, makes a question unsound.
  void use_policy(std::uint32_t generation, const policy::Document& document, const std::string& text_hash);
  void release_policy(std::uint32_t generation);

  // A message of the proxy's, without its kind. False: no proxy sends such a thing. SECURITY: G5.
  bool take_question(std::string_view message);
  bool take_withdrawal(std::string_view message);

  // `id`: a whole one, or its unique beginning, with or without "apr_"; empty: the only one that waits. Errors:
  // "approval_unknown", "approval_ambiguous", "approval_unrecorded" (the request has then been denied), "approvals_unwritable".
  Result<Pending> rule(std::string_view id, const Ruling& ruling);

  std::vector<PendingView> pending() const;  // by time
  const Pending* find(std::string_view whole_id) const;

  // Ends what has waited too long. Call when next_deadline() has come.
  void pass_time();
  std::optional<std::int64_t> next_deadline() const;  // microseconds since 1970

  // Called after an approval has come or gone; `how` says in words why it is gone.
  std::function<void(const Pending& pending, std::string_view how)> on_gone;
  std::function<void()> on_new;

 private:
  struct Book {  // one policy text's
    std::string text_hash;
    std::optional<ApprovalStore> store;
    std::size_t generations = 0;
  };
  struct Generation {
    Book* book = nullptr;
    std::vector<std::string> rules;
    std::int64_t seconds = 0;
  };
  struct Waiter {
    std::string approval;
    std::string request;
  };
  struct Question {
    std::uint64_t number = 0;
    const Generation* generation = nullptr;
    std::string request;
    Subject subject;
  };

  bool parse(std::string_view message, Question& question, std::string& refusal) const;
  void ask(Question question);
  bool answer_by_standing(const Question& question);
  Result<void> settle(Book& book, const std::string& id, const Ruling& ruling, std::string_view by);
  Result<std::pair<Book*, std::string>> resolve(std::string_view id) const;
  std::vector<std::uint64_t> waiters_of(std::string_view approval) const;
  void answer_all(const std::vector<std::uint64_t>& questions, proxy::Verdict verdict, std::string_view text);
  void answer(std::uint64_t question, proxy::Verdict verdict, std::string_view text);
  Result<void> record_requested(const Pending& pending, bool restored);
  nlohmann::ordered_json decided(const Pending& pending, std::string_view by) const;

  Settings settings_;
  Ports ports_;
  std::vector<std::unique_ptr<Book>> books_;
  std::map<std::uint32_t, Generation> generations_;
  std::map<std::uint64_t, Waiter> waiters_;  // by question
};

}  // namespace weir::keeper
