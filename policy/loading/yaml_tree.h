// YAML as a tree that knows where each node stands in its file. Made from the events of libyaml and not from a document
// type, which would forget places and silently keep one of two equal keys. (yaml-cpp's events were measured too: its scanner
// takes seven to ten times as long, more than a second for a file of 100,000 rules.)
#pragma once

#include <deque>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/loading/diagnostics.h"

namespace weir::policy {

struct YamlNode {
  explicit YamlNode(std::pmr::memory_resource* memory) : items(memory), entries(memory) {}

  enum class Kind : std::uint8_t { null, scalar, sequence, map } kind = Kind::null;
  bool quoted = false;  // "…" or '…' or a block, so never a number or a boolean
  Spot place;
  std::string text;  // of a scalar
  std::pmr::vector<const YamlNode*> items;
  std::pmr::vector<std::pair<const YamlNode*, const YamlNode*>> entries;  // keys are scalars, no two alike
  std::size_t weight = 1;  // nodes below and here, aliases counted as often as they stand
};

class YamlTree {
 public:
  const YamlNode* root = nullptr;  // null: there were errors, or the file is empty
  YamlNode& make() { return nodes_.emplace_back(&memory_); }

 private:
  std::pmr::monotonic_buffer_resource memory_{64U << 10};  // given back at once: half the time was spent on single nodes
  std::pmr::deque<YamlNode> nodes_{&memory_};              // a deque keeps their addresses
};

// One document. What is not YAML, nested too deeply or blown up with aliases is reported to `diagnostics`, which must
// outlive the tree.
std::unique_ptr<YamlTree> parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace weir::policy
