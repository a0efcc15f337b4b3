// The ways in which two requests to one place can differ so that some rule could tell them apart.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/difference.h"

namespace weir::policy {

// One way: requests have exactly one of `values`.
struct Dimension {
  enum class Kind : std::uint8_t { scheme, method, path, condition } kind = Kind::condition;
  // Which condition of rules it is about; `subject`: of which parameter or header.
  enum class About : std::uint8_t {
    scheme,
    methods,
    paths,
    query,
    headers,
    content_types,
    websocket,
    body,
    time,
    process
  } about = About::scheme;
  std::string subject{};
  std::string name;  // of a condition: "query page"
  struct Value {
    std::string label;  // how to speak of it alone
    std::function<void(SampleRequest&)> apply;
  };
  std::vector<Value> values;
  // Words of the policy files that stand for several of the values: a glob for the classes that it matches.
  struct Label {
    std::string text;
    std::vector<bool> covers;
  };
  std::vector<Label> labels;
};

using RuleList = std::vector<const Rule*>;

// Of requests that are looked into: `rules` are all that could match them.
std::vector<Dimension> request_dimensions(const RuleList& rules, std::vector<std::string>& bounds);

// Of connections that are carried unread.
std::vector<Dimension> tunnel_dimensions(const RuleList& rules, std::vector<std::string>& bounds);

// The `when` of the rules (empty without any), and their `process`.
void add_time(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds);

void add_bound(std::vector<std::string>& bounds, std::string text);

}  // namespace weir::policy
