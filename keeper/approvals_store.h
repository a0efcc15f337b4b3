// What waits for approval under one policy text, and what has been granted or denied for longer than one request. Values and
// a journal; who asks, who answers and what is recorded is keeper/approvals.h. Not thread-safe.
//
// A project's next sandbox under the same policy text takes over what an ended keeper left: approvals that still wait (nobody
// does any more, but the next identical request would) and grants that still hold. Of a keeper that runs beside this one
// it copies what holds for a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "keeper/approvals_journal.h"

namespace weir::keeper {

// What a request is about: two with the same subject are the same to whoever approves.
struct Subject {
  std::uint32_t rule = 0;  // index in the policy; proxy::kNoRule: its default
  std::string rule_name;   // as the policy has it; empty for the default
  std::string scheme;
  std::string method;
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  std::string protocol;        // "http/1.1", "websocket"
  std::string operation;       // of the body, where it decided
  std::string operation_name;
  bool operator==(const Subject&) const = default;
};

struct Pending {
  std::string id;       // "apr_…"
  Subject subject;
  std::string request;  // the first that asked
  std::int64_t asked_us = 0;
  std::int64_t expires_us = 0;
  bool operator==(const Pending&) const = default;
};

// A decision that holds for more than those who wait for it.
struct Standing {
  enum class Lasts : std::uint8_t { once, timed, session };
  std::string id;  // of the approval that it came from
  Subject subject;
  bool granted = false;
  bool host_wide = false;  // everything that the same rule asks about on that host
  Lasts lasts = Lasts::once;
  std::int64_t expires_us = 0;  // of `session`: not looked at
  std::int64_t seconds = 0;     // as asked for, of `timed`
  std::string session;          // in which it was decided
  bool operator==(const Standing&) const = default;

  bool covers(const Subject& other) const;
};

class ApprovalStore {
 public:
  using Clock = std::function<std::int64_t()>;  // microseconds since 1970

  struct Place {
    std::string directory;    // state_directory() + "/approvals"
    std::string project;      // the sandbox's folder
    std::string policy_hash;  // of the policy file's text
    std::string session;
  };

  // Takes over what is there. An error: something is to be taken over and cannot be written.
  static Result<ApprovalStore> open(Place place, Clock clock);

  // What has been decided about this before; a denial before a grant. Valid until the next call that changes anything.
  const Standing* standing_for(const Subject& subject);
  Result<void> keep(Standing standing);     // on the disk when it returns
  Result<void> forget(const Standing& standing);

  const Pending* find(const Subject& subject) const;
  const Pending* find(std::string_view id) const;
  const Pending& add(Subject subject, std::string request, std::int64_t seconds);
  void remove(std::string_view id);
  std::vector<Pending> take_expired();
  const std::map<std::string, Pending, std::less<>>& pending() const { return pending_; }  // by id, so by time
  const std::vector<Standing>& standing() const { return standing_; }

 private:
  ApprovalStore(Place place, Clock clock);
  void take(const std::vector<nlohmann::ordered_json>& records, bool own, bool alive);
  void drop_expired();
  Result<void> write(const nlohmann::ordered_json& record, bool durable);
  std::vector<nlohmann::ordered_json> records() const;

  Place place_;
  Clock clock_;
  ApprovalJournal journal_;
  std::map<std::string, Pending, std::less<>> pending_;
  std::vector<Standing> standing_;
  std::size_t lines_ = 0;
};

}  // namespace weir::keeper
