#include "keeper/approvals.h"

#include <algorithm>
#include <tuple>

#include "base/time.h"
#include "keeper/approvals_question.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;
using proxy::Verdict;

constexpr std::size_t kNamedRequests = 100;  // in an event; of more, the number

ordered_json describe(const Pending& pending) {
  const Subject& subject = pending.subject;
  ordered_json data{{"approval", pending.id}, {"request", pending.request}, {"rule", nullptr}, {"method", subject.method}, {"scheme", subject.scheme},
                    {"host", subject.host},   {"port", subject.port},       {"path", subject.path}};
  if (subject.rule != proxy::kNoRule) data["rule"] = subject.rule_name;
  if (!subject.protocol.empty()) data["protocol"] = subject.protocol;
  if (!subject.operation.empty()) data["operation"] = subject.operation;
  if (!subject.operation_name.empty()) data["operation_name"] = subject.operation_name;
  return data;
}

std::string text_of(Standing::Lasts lasts, std::int64_t seconds) {
  switch (lasts) {
    case Standing::Lasts::once: return "once";
    case Standing::Lasts::timed: return std::to_string(seconds) + "s";
    case Standing::Lasts::session: return "session";
  }
  return "";
}

}  // namespace

Approvals::Approvals(Settings settings, Ports ports) : settings_(std::move(settings)), ports_(std::move(ports)) {}

void Approvals::use_policy(std::uint32_t generation, const policy::Document& document, const std::string& text_hash) {
  auto known = std::find_if(books_.begin(), books_.end(), [&](const auto& book) { return book->text_hash == text_hash; });
  if (known == books_.end()) {
    books_.push_back(std::make_unique<Book>());
    known = books_.end() - 1;
    Book& book = **known;
    book.text_hash = text_hash;
    const ApprovalStore::Place place{settings_.directory, settings_.project, text_hash, settings_.session};
    auto store = ApprovalStore::open(place, ports_.clock);
    if (!store) {
      // What an earlier keeper left is then not known here: it is asked for again, which is safe.
      ports_.warn("earlier approvals cannot be read: " + store.error().message);
    } else {
      book.store.emplace(std::move(*store));
      // So that this session's record alone tells what happened to them.
      for (const auto& [id, pending] : book.store->pending()) (void)record_requested(pending, true);
    }
  }
  Generation& made = generations_[generation];
  made.book = known->get();
  ++made.book->generations;
  made.seconds = document.limits.approval_seconds;
  made.rules.clear();
  for (const auto& rule : document.rules) made.rules.push_back(rule.name);
}

void Approvals::release_policy(std::uint32_t generation) {
  const auto at = generations_.find(generation);
  if (at == generations_.end()) return;
  --at->second.book->generations;
  generations_.erase(at);
}

Result<void> Approvals::record_requested(const Pending& pending, bool restored) {
  auto data = describe(pending);
  data["expires"] = format_timestamp(pending.expires_us);
  if (restored) data["restored"] = true;
  return ports_.record("approval.requested", data);
}

bool Approvals::parse(std::string_view message, Question& question, std::string& refusal) const {
  std::uint32_t generation = 0;
  std::uint32_t rule = 0;
  if (!proxy::take(message, question.number) || !proxy::take(message, generation) || !proxy::take(message, rule)) return false;
  const auto known = generations_.find(generation);
  if (known == generations_.end() || waiters_.contains(question.number)) return false;
  question.generation = &known->second;
  const auto& rules = known->second.rules;
  if (rule != proxy::kNoRule && rule >= rules.size()) return false;
  QuestionFields fields;
  if (!read_question_fields(message, fields)) return false;
  question.subject = std::move(fields.subject);
  question.request = std::move(fields.request);
  question.subject.rule = rule;
  question.subject.rule_name = rule == proxy::kNoRule ? std::string() : rules[rule];
  refusal = std::move(fields.refusal);
  return true;
}

bool Approvals::take_question(std::string_view message) {
  Question question;
  std::string refusal;
  if (!parse(message, question, refusal)) return false;
  if (settings_.deny_all) refusal = "weir was started with --approvals=deny";
  if (!question.generation->book->store) refusal = "the approvals of this project cannot be read";
  if (!refusal.empty()) {
    answer(question.number, Verdict::denied, refusal);
    return true;
  }
  pass_time();  // so that nothing that is over decides
  ask(std::move(question));
  return true;
}

void Approvals::ask(Question question) {
  if (answer_by_standing(question)) return;
  ApprovalStore& store = *question.generation->book->store;
  const Pending* pending = store.find(question.subject);
  const bool is_new = pending == nullptr;
  std::size_t all = 0;
  for (const auto& book : books_) all += book->store ? book->store->pending().size() : 0;
  if ((is_new && all >= kMaxPending) || waiters_.size() >= kMaxQuestions) {
    answer(question.number, Verdict::denied, "too many requests wait for an approval");
    return;
  }
  if (is_new) {
    pending = &store.add(std::move(question.subject), question.request, question.generation->seconds);
    if (const auto recorded = record_requested(*pending, false); !recorded) {
      store.remove(pending->id);
      answer(question.number, Verdict::denied, "that it asks cannot be recorded");
      return;
    }
  }
  waiters_[question.number] = {pending->id, std::move(question.request)};
  if (on_new) on_new();
}

bool Approvals::answer_by_standing(const Question& question) {
  ApprovalStore& store = *question.generation->book->store;
  const Standing* standing = store.standing_for(question.subject);
  if (standing == nullptr) return false;
  const bool granted = standing->granted;
  ordered_json data{{"approval", standing->id}, {"requests", {question.request}}, {"host", question.subject.host}, {"by", "standing"},
                    {"for", text_of(standing->lasts, standing->seconds)}, {"scope", standing->host_wide ? "host" : "request"}};
  // SECURITY: G3, and one use is one use: it is gone from the disk, and what it lets out is recorded, before it lets out.
  if (standing->lasts == Standing::Lasts::once) {
    if (const auto used = store.forget(*standing); !used && granted) {
      answer(question.number, Verdict::denied, "that the approval is used up cannot be written");
      return true;
    }
  }
  const auto recorded = ports_.record(granted ? "approval.granted" : "approval.denied", data);
  if (granted && recorded) {
    answer(question.number, Verdict::granted, "an approval given before");
  } else {
    answer(question.number, Verdict::denied, granted ? "the approval cannot be recorded" : "denied before, and that still holds");
  }
  return true;
}

bool Approvals::take_withdrawal(std::string_view message) {
  std::uint64_t question = 0;
  if (!proxy::take(message, question) || !message.empty()) return false;
  // An answer may have crossed it on the way: one that is not known is sound.
  waiters_.erase(question);
  return true;
}

std::vector<std::uint64_t> Approvals::waiters_of(std::string_view approval) const {
  std::vector<std::uint64_t> found;
  for (const auto& [question, waiter] : waiters_)
    if (waiter.approval == approval) found.push_back(question);
  return found;
}

void Approvals::answer_all(const std::vector<std::uint64_t>& questions, Verdict verdict, std::string_view text) {
  for (const auto question : questions) answer(question, verdict, text);
}

void Approvals::answer(std::uint64_t question, Verdict verdict, std::string_view text) {
  waiters_.erase(question);
  ports_.answer(question, verdict, text);
}

ordered_json Approvals::decided(const Pending& pending, std::string_view by) const {
  auto data = describe(pending);
  data.erase("request");
  ordered_json requests = ordered_json::array();
  const auto waiting = waiters_of(pending.id);
  for (const auto question : waiting)
    if (requests.size() < kNamedRequests) requests.push_back(waiters_.at(question).request);
  data["requests"] = std::move(requests);
  if (waiting.size() > kNamedRequests) data["waiting"] = waiting.size();
  data["by"] = by;
  return data;
}

Result<std::pair<Approvals::Book*, std::string>> Approvals::resolve(std::string_view id) const {
  std::vector<std::pair<Book*, std::string>> matches;
  std::size_t all = 0;
  const std::string whole = id.starts_with("apr_") ? std::string(id) : "apr_" + std::string(id);
  for (const auto& book : books_) {
    if (!book->store) continue;
    for (const auto& [known, pending] : book->store->pending()) {
      ++all;
      if (known.starts_with(whole)) matches.emplace_back(book.get(), known);
    }
  }
  if (matches.size() == 1) return matches.front();
  if (all == 0) return fail("approval_unknown", "no approval is waited for");
  if (matches.empty()) return fail("approval_unknown", "there is no pending approval `" + std::string(id.substr(0, 80)) + "`; it may be decided or expired");
  return fail("approval_ambiguous", std::to_string(matches.size()) + " approvals wait" + (id.empty() ? "" : " whose identifier begins so") + "; say which one");
}

Result<Pending> Approvals::rule(std::string_view id, const Ruling& ruling) {
  pass_time();
  auto found = resolve(id);
  if (!found) return std::unexpected(found.error());
  auto& [book, whole] = *found;
  const Pending decided_one = *book->store->find(whole);
  if (auto settled = settle(*book, whole, ruling, ruling.by); !settled) return std::unexpected(settled.error());
  if (!ruling.host_wide) return decided_one;
  // What else it covers, of all that waits.
  Standing covering;
  covering.subject = decided_one.subject;
  covering.host_wide = true;
  std::vector<std::string> others;
  for (const auto& [other, pending] : book->store->pending())
    if (covering.covers(pending.subject)) others.push_back(other);
  Ruling once = ruling;
  once.lasts = Standing::Lasts::once;
  for (const auto& other : others) {
    if (waiters_of(other).empty()) continue;  // nobody waits: the next one is covered, or asks again
    (void)settle(*book, other, once, ruling.by);
  }
  return decided_one;
}

// One approval by one ruling. The event is in the record before anything acts on it (SECURITY: G3).
Result<void> Approvals::settle(Book& book, const std::string& id, const Ruling& ruling, std::string_view by) {
  ApprovalStore& store = *book.store;
  const Pending pending = *store.find(id);
  const auto waiting = waiters_of(id);
  Standing standing;
  standing.id = pending.id;
  standing.subject = pending.subject;
  standing.granted = ruling.granted;
  standing.host_wide = ruling.host_wide;
  standing.lasts = ruling.lasts;
  standing.seconds = ruling.lasts == Standing::Lasts::timed ? ruling.seconds : ruling.lasts == Standing::Lasts::once ? kUnusedSeconds : 0;
  standing.expires_us = ports_.clock() + standing.seconds * 1'000'000;
  standing.session = settings_.session;
  // Once, and somebody waits: it is used up at once. A denial of this one leaves nothing behind either.
  const bool stays = ruling.lasts != Standing::Lasts::once || (ruling.granted && waiting.empty());
  if (stays)
    if (auto kept = store.keep(standing); !kept) return kept;  // still pending: whoever decided may try again

  auto data = decided(pending, by);
  data["for"] = text_of(ruling.lasts, ruling.seconds);
  data["scope"] = ruling.host_wide ? "host" : "request";
  const auto recorded = ports_.record(ruling.granted ? "approval.granted" : "approval.denied", data);
  const std::string verb = ruling.granted ? "granted by " : "denied by ";
  const std::string how = verb + std::string(by);
  store.remove(id);
  if (ruling.granted && !recorded) {
    if (stays) (void)store.forget(standing);
    answer_all(waiting, Verdict::denied, "the approval cannot be recorded");
    if (on_gone) on_gone(pending, "it cannot be recorded, so the request is denied");
    return fail("approval_unrecorded", "the approval cannot be recorded, so the request is denied: " + recorded.error().message);
  }
  answer_all(waiting, ruling.granted ? Verdict::granted : Verdict::denied, how);
  if (on_gone) on_gone(pending, how);
  return {};
}

std::vector<PendingView> Approvals::pending() const {
  std::vector<PendingView> all;
  for (const auto& book : books_) {
    if (!book->store) continue;
    for (const auto& [id, pending] : book->store->pending()) all.push_back({&pending, waiters_of(id).size()});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.pending->asked_us, a.pending->id) < std::tie(b.pending->asked_us, b.pending->id);
  });
  return all;
}

const Pending* Approvals::find(std::string_view whole_id) const {
  for (const auto& book : books_)
    if (book->store)
      if (const Pending* pending = book->store->find(whole_id)) return pending;
  return nullptr;
}

void Approvals::pass_time() {
  for (const auto& book : books_) {
    if (!book->store) continue;
    // Looked at before they are taken: the event names those who wait.
    for (const auto& pending : book->store->take_expired()) {
      (void)ports_.record("approval.expired", decided(pending, "time"));
      answer_all(waiters_of(pending.id), Verdict::expired, "nobody decided in time");
      if (on_gone) on_gone(pending, "nobody decided in time");
    }
  }
}

std::optional<std::int64_t> Approvals::next_deadline() const {
  std::optional<std::int64_t> next;
  for (const auto& book : books_) {
    if (!book->store) continue;
    for (const auto& [id, pending] : book->store->pending())
      if (!next || pending.expires_us < *next) next = pending.expires_us;
  }
  return next;
}

}  // namespace weir::keeper
