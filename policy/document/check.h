// What a Document must hold whoever made it: the loader says so with a place in the file, Policy::compile() once more
// before anything relies on it. SECURITY: G4.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "policy/document.h"

namespace weir::policy {

struct Problem {
  std::string message;  // "`Host` cannot be set by a credential"
  std::string hint;     // how to mend it; may be empty
};

struct Contradiction {  // between the keys of one map
  std::string_view key;  // the one that is too many; empty: one is missing
  Problem problem;
};

std::optional<Problem> check_hosts(const std::vector<HostPattern>& hosts);
std::optional<Problem> check_method(std::string_view method);
std::optional<Problem> check_network(std::string_view cidr);
std::span<const std::string_view> reserved_headers();          // lower case; of neither credentials nor conditions

// Values of a rule's conditions.
std::optional<Problem> check_parameter(std::string_view name);         // a name under `query`
std::optional<Problem> check_condition_header(std::string_view name);  // a name under `headers`, lower case
std::optional<Problem> check_glob(std::string_view what, std::string_view glob);
std::optional<Problem> check_media_type(std::string_view glob);
std::optional<Problem> check_executable(std::string_view glob);
std::optional<Problem> check_operation(std::string_view operation);  // of GraphQL
std::optional<Problem> check_rule(const Rule& rule);

inline constexpr std::uint32_t kMaxRate = 1'000'000;
inline constexpr std::uint32_t kMaxApprovalSeconds = 24 * 3600;
inline constexpr std::uint64_t kMaxInspected = 64ULL << 20;  // it is held in memory, for each such request

// A rule for connections that are not looked into, and what stands for the same place and would have to look: then nothing
// would enforce it. Indices into document.rules, and into document.rules, document.credentials or document.oauth.
struct TunnelConflict {
  enum class With : std::uint8_t { rule, credential, oauth };
  std::size_t tunnel = 0;
  With with = With::rule;
  std::size_t other = 0;
};
std::vector<TunnelConflict> find_tunnel_conflicts(const Document& document, std::size_t most);
std::string describe(const TunnelConflict& conflict, const Document& document);  // the other: "credential `github`"
const Place& place_of(const TunnelConflict& conflict, const Document& document);  // the other's

// Everything above, what check_credential.h says, and what else decide() relies on.
Result<void> check_document(const Document& document);

}  // namespace weir::policy
