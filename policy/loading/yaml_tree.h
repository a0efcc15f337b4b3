// YAML as a tree that knows where each node stands in its file. Made from the parser's events and not from its own
// document type, which forgets places and silently keeps one of two equal keys.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/loading/diagnostics.h"

namespace weir::policy {

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map } kind = Kind::null;
  Place place;
  std::string text;     // of a scalar
  bool quoted = false;  // "…" or '…', so never a number or a boolean
  std::vector<const YamlNode*> items;
  std::vector<std::pair<const YamlNode*, const YamlNode*>> entries;  // keys are scalars, no two alike
  std::size_t weight = 1;  // nodes below and here, aliases counted as often as they stand
};

class YamlTree {
 public:
  const YamlNode* root = nullptr;  // null: there were errors, or the file is empty
  YamlNode& make() { return nodes_.emplace_back(); }

 private:
  std::deque<YamlNode> nodes_;  // a deque keeps their addresses
};

// One document. What is not YAML, nested too deeply or blown up with aliases is reported to `diagnostics`.
std::unique_ptr<YamlTree> parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace weir::policy
