#include "keeper/approvals_store.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/ids.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kSpareLines = 2000;  // beyond what is needed, before the journal is written anew

ordered_json to_json(const Subject& subject) {
  return {{"rule", subject.rule},     {"rule_name", subject.rule_name}, {"scheme", subject.scheme},
          {"method", subject.method}, {"host", subject.host},           {"port", subject.port},
          {"path", subject.path},     {"protocol", subject.protocol},   {"operation", subject.operation},
          {"operation_name", subject.operation_name}};
}

Subject subject_from(const ordered_json& json) {
  Subject subject;
  json.at("rule").get_to(subject.rule);
  json.at("rule_name").get_to(subject.rule_name);
  json.at("scheme").get_to(subject.scheme);
  json.at("method").get_to(subject.method);
  json.at("host").get_to(subject.host);
  json.at("port").get_to(subject.port);
  json.at("path").get_to(subject.path);
  json.at("protocol").get_to(subject.protocol);
  json.at("operation").get_to(subject.operation);
  json.at("operation_name").get_to(subject.operation_name);
  return subject;
}

ordered_json to_json(const Pending& pending) {
  return {{"type", "pending"},          {"id", pending.id},          {"request", pending.request},
          {"asked_us", pending.asked_us}, {"expires_us", pending.expires_us}, {"subject", to_json(pending.subject)}};
}

ordered_json to_json(const Standing& standing) {
  return {{"type", "standing"},
          {"id", standing.id},
          {"granted", standing.granted},
          {"host_wide", standing.host_wide},
          {"lasts", static_cast<int>(standing.lasts)},
          {"expires_us", standing.expires_us},
          {"seconds", standing.seconds},
          {"session", standing.session},
          {"subject", to_json(standing.subject)}};
}

Pending pending_from(const ordered_json& json) {
  Pending pending;
  json.at("id").get_to(pending.id);
  json.at("request").get_to(pending.request);
  json.at("asked_us").get_to(pending.asked_us);
  json.at("expires_us").get_to(pending.expires_us);
  pending.subject = subject_from(json.at("subject"));
  return pending;
}

Standing standing_from(const ordered_json& json) {
  Standing standing;
  json.at("id").get_to(standing.id);
  json.at("granted").get_to(standing.granted);
  json.at("host_wide").get_to(standing.host_wide);
  const int lasts = json.at("lasts").get<int>();
  if (lasts < 0 || lasts > 2) throw nlohmann::json::other_error::create(599, "lasts", nullptr);
  standing.lasts = static_cast<Standing::Lasts>(lasts);
  json.at("expires_us").get_to(standing.expires_us);
  json.at("seconds").get_to(standing.seconds);
  json.at("session").get_to(standing.session);
  standing.subject = subject_from(json.at("subject"));
  return standing;
}

}  // namespace

bool Standing::covers(const Subject& other) const {
  if (host_wide) return subject.rule == other.rule && subject.rule_name == other.rule_name && subject.host == other.host;
  return subject == other;
}

ApprovalStore::ApprovalStore(Place place, Clock clock)
    : place_(std::move(place)),
      clock_(std::move(clock)),
      // The project and the policy's text together: what was granted under another text is not even looked at.
      journal_(place_.directory, sha256_label(place_.project + '\0' + place_.policy_hash).substr(7, 40), place_.session) {}

Result<ApprovalStore> ApprovalStore::open(Place place, Clock clock) {
  ApprovalStore store(std::move(place), std::move(clock));
  const auto own = store.journal_.own();
  store.take(own, true, false);
  const auto others = store.journal_.others();
  for (const auto& other : others) store.take(other.records, false, other.alive);
  store.drop_expired();
  if (!own.empty() || !store.pending_.empty() || !store.standing_.empty())
    if (auto written = store.journal_.rewrite(store.records()); !written) return std::unexpected(written.error());
  for (const auto& other : others)
    if (!other.alive) ApprovalJournal::discard(other);
  return store;
}

void ApprovalStore::take(const std::vector<ordered_json>& records, bool own, bool alive) {
  for (const auto& record : records) {
    try {
      const auto type = record.at("type").get<std::string>();
      if (type == "pending" && !alive) {
        auto pending = pending_from(record);
        pending_.insert_or_assign(pending.id, std::move(pending));
      } else if (type == "closed" && !alive) {
        pending_.erase(record.at("id").get<std::string>());
      } else if (type == "standing") {
        auto standing = standing_from(record);
        if (standing.lasts == Standing::Lasts::session && (!own || standing.session != place_.session)) continue;
        if (standing.lasts == Standing::Lasts::once && alive) continue;
        std::erase_if(standing_, [&](const Standing& known) { return known.id == standing.id && known.subject == standing.subject; });
        standing_.push_back(std::move(standing));
      } else if (type == "ended") {
        const auto id = record.at("id").get<std::string>();
        std::erase_if(standing_, [&](const Standing& known) { return known.id == id; });
      }
    } catch (const nlohmann::json::exception&) {
      continue;  // not a record of ours, or of another version: it grants nothing
    }
  }
}

void ApprovalStore::drop_expired() {
  const std::int64_t now = clock_();
  std::erase_if(standing_, [&](const Standing& standing) { return standing.lasts != Standing::Lasts::session && standing.expires_us <= now; });
  std::erase_if(pending_, [&](const auto& entry) { return entry.second.expires_us <= now; });
}

std::vector<ordered_json> ApprovalStore::records() const {
  std::vector<ordered_json> all;
  for (const auto& [id, pending] : pending_) all.push_back(to_json(pending));
  for (const auto& standing : standing_) all.push_back(to_json(standing));
  return all;
}

// The state in memory is already the new one.
Result<void> ApprovalStore::write(const ordered_json& record, bool durable) {
  if (!journal_.is_open() || lines_ > pending_.size() + standing_.size() + kSpareLines) {
    if (auto written = journal_.rewrite(records()); !written) return written;
    lines_ = pending_.size() + standing_.size();
    return {};
  }
  ++lines_;
  return journal_.append(record, durable);
}

const Standing* ApprovalStore::standing_for(const Subject& subject) {
  const std::int64_t now = clock_();
  std::erase_if(standing_, [&](const Standing& standing) { return standing.lasts != Standing::Lasts::session && standing.expires_us <= now; });
  const Standing* found = nullptr;
  for (const auto& standing : standing_) {
    if (!standing.covers(subject)) continue;
    if (!standing.granted) return &standing;
    // One that lasts is taken before one that would be used up.
    if (found == nullptr || found->lasts == Standing::Lasts::once) found = &standing;
  }
  return found;
}

Result<void> ApprovalStore::keep(Standing standing) {
  standing_.push_back(std::move(standing));
  auto written = write(to_json(standing_.back()), true);
  if (!written) standing_.pop_back();
  return written;
}

Result<void> ApprovalStore::forget(const Standing& standing) {
  const std::string id = standing.id;  // `standing` may be the very one that goes
  std::erase_if(standing_, [&](const Standing& known) { return known.id == id; });
  return write({{"type", "ended"}, {"id", id}}, true);
}

const Pending* ApprovalStore::find(const Subject& subject) const {
  const auto at = std::find_if(pending_.begin(), pending_.end(), [&](const auto& entry) { return entry.second.subject == subject; });
  return at == pending_.end() ? nullptr : &at->second;
}

const Pending* ApprovalStore::find(std::string_view id) const {
  const auto at = pending_.find(id);
  return at == pending_.end() ? nullptr : &at->second;
}

const Pending& ApprovalStore::add(Subject subject, std::string request, std::int64_t seconds) {
  Pending pending{make_id("apr"), std::move(subject), std::move(request), clock_(), 0};
  pending.expires_us = pending.asked_us + seconds * 1'000'000;
  std::string id = pending.id;
  const auto [at, added] = pending_.insert_or_assign(std::move(id), std::move(pending));
  // What waits allows nothing: if the journal does not take it, a restart merely forgets it.
  (void)write(to_json(at->second), false);
  return at->second;
}

void ApprovalStore::remove(std::string_view id) {
  const auto at = pending_.find(id);
  if (at == pending_.end()) return;
  const std::string removed = at->first;  // `id` may point into what goes
  pending_.erase(at);
  (void)write({{"type", "closed"}, {"id", removed}}, false);
}

std::vector<Pending> ApprovalStore::take_expired() {
  const std::int64_t now = clock_();
  std::vector<Pending> expired;
  for (const auto& [id, pending] : pending_)
    if (pending.expires_us <= now) expired.push_back(pending);
  for (const auto& pending : expired) remove(pending.id);
  return expired;
}

}  // namespace weir::keeper
