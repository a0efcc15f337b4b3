// What is inside a Policy: for policy.cpp and explain.cpp alone.
#pragma once

#include <vector>

#include "policy/matching/compiled_rule.h"
#include "policy/matching/host_index.h"
#include "policy/policy.h"

namespace weir::policy {

struct Policy::Compiled {
  Document document;
  PathSets path_sets;
  std::vector<CompiledRule> rules;  // as in document
  HostIndex rule_hosts;
  HostIndex credential_hosts;
  bool has_tunnels = false;
  bool wants_process = false;
  bool wants_time = false;

  // As what a request counts: one to a place whose connections are carried unread is that connection.
  static std::string_view scheme_of(const Request& request, Treatment treatment);
  Decision decide_one(const Asked& asked) const;
  struct Formats {
    bool graphql = false;
    bool rpc = false;
  };
  Formats formats_for(const Asked& asked) const;
};

}  // namespace weir::policy
