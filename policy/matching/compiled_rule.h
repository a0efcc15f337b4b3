// A rule in the form in which requests are held against it: what nearly every rule has lies together, the rest is apart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "policy/matching/path_glob.h"
#include "policy/matching/text_glob.h"
#include "policy/matching/time_window.h"
#include "policy/policy.h"

namespace weir::policy {

// A request while it is decided: what several rules want to know is worked out once.
class Asked {
 public:
  Asked(const Request& for_request, std::string_view for_scheme);
  const Request& request;
  std::string_view scheme;       // as it counts: "tls" or "tcp" where a rule says so
  bool tunnel;                   // a connection whose bytes are not looked at
  std::uint32_t method_bit;      // 0: not one of the common methods
  const QueryParameters& query() const;

  // The operation of the body that is decided now; null: the request as a whole, before or without operations.
  const Operation* operation = nullptr;
  bool operation_is_rpc = false;

 private:
  mutable std::optional<QueryParameters> query_;
};

enum class Condition : std::uint8_t {
  none, port, tunnel, websocket, method, when, process, path, encoded_slash, query, header, content_type, graphql, rpc
};

struct Evaluation {
  enum class Result : std::uint8_t { no, yes, doubt, needs_body } result = Result::no;
  Condition condition = Condition::none;  // the first that failed or is in doubt
  std::uint16_t index = 0;                // of query and headers: which
};

// Compiled path patterns, one for each set of patterns that rules have: files repeat themselves, and what is shared stays in the cache.
// Outlives the rules that were compiled with it.
class PathSets {
 public:
  using Set = std::vector<PathGlob>;
  Result<const Set*> compile(const std::vector<std::string>& patterns);

 private:
  std::unordered_map<std::string, std::unique_ptr<Set>> sets_;  // by the patterns, a line each
};

class CompiledRule {
 public:
  static Result<CompiledRule> compile(const Rule& rule, PathSets& path_sets);

  Action action() const { return action_; }
  bool is_tcp() const { return tcp_; }
  bool is_passthrough() const { return passthrough_; }
  bool reads_graphql() const { return more_ && more_->graphql; }
  bool reads_rpc() const { return more_ && more_->rpc; }
  std::optional<std::uint64_t> body_max() const { return more_ ? more_->body_max : std::nullopt; }
  bool has_rate() const { return more_ && more_->has_rate; }
  bool has_process() const { return more_ && !more_->process.empty(); }
  bool has_when() const { return more_ && !more_->when.empty(); }

  bool takes_port(std::uint16_t pattern_port, std::uint16_t port) const;

  // All conditions but host and port. A condition that does not hold counts before a body that has not been read, and that before one
  // in doubt: SECURITY: G4, a rule that cannot be decided never lets anything pass.
  Evaluation evaluate(const Asked& asked) const;

 private:
  struct Graphql {
    std::vector<std::string> operations;
    std::vector<TextGlob> fields;
  };
  struct Rpc {
    std::vector<TextGlob> methods;
    std::vector<TextGlob> tools;
  };
  struct More {
    std::vector<std::string> methods;  // uncommon ones
    std::vector<std::pair<std::string, TextGlob>> query;
    std::vector<std::pair<std::string, TextGlob>> headers;
    std::vector<TextGlob> content_types;
    std::vector<CompiledWindow> when;
    std::vector<PathGlob> process;
    std::optional<Graphql> graphql;
    std::optional<Rpc> rpc;
    std::optional<std::uint64_t> body_max;
    std::vector<std::uint16_t> ports;
    bool has_rate = false;
  };

  bool takes_method(const Asked& asked) const;
  Evaluation evaluate_more(const Asked& asked, Evaluation so_far) const;
  Evaluation evaluate_body(const Asked& asked) const;
  Evaluation::Result process_holds(const Asked& asked) const;

  Action action_ = Action::allow;
  bool tcp_ = false;
  bool passthrough_ = false;
  bool looks_inside_ = false;
  bool encoded_slash_ = false;
  bool any_method_ = true;
  bool usual_ports_ = true;                // 443 and 80
  std::optional<bool> websocket_;
  std::uint32_t methods_ = 0;              // bits of common methods
  const PathSets::Set* paths_ = nullptr;   // null: any path
  std::unique_ptr<More> more_;
};

}  // namespace weir::policy
