#include "policy/loading/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "base/text.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxDepth = 32;        // a policy needs five
constexpr std::size_t kMaxWeight = 500'000;  // nodes after expansion of aliases: ten thousand long rules

// Ends the parse from within a callback; never leaves this file.
struct Refused {};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(YamlTree& tree, Diagnostics& diagnostics) : tree_(tree), diagnostics_(diagnostics) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      refuse(place(mark), "a policy file holds one YAML document, and here a second begins", "remove the `---`");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { finish(begin(mark, YamlNode::Kind::null), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(place(mark), "this alias stands inside of what it names");
    attach(*found->second, place(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    YamlNode& node = begin(mark, YamlNode::Kind::scalar);
    check_tag(node.place, tag);
    node.text = value;
    node.quoted = tag == "!";
    finish(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  Place place(const YAML::Mark& mark) const { return diagnostics_.place_at(mark.line, mark.column); }

 private:
  struct Open {
    YamlNode* node = nullptr;
    YAML::anchor_t anchor = 0;
    const YamlNode* key = nullptr;  // of a map: waits for its value
    std::map<std::string, Place, std::less<>> keys;
  };

  [[noreturn]] void refuse(const Place& where, std::string message, std::string hint = {}) {
    diagnostics_.error(where, std::move(message), std::move(hint));
    throw Refused{};
  }

  void check_tag(const Place& where, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      diagnostics_.error(where, "YAML tags (`!…`) have no meaning here", "remove the tag");
  }

  YamlNode& begin(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode& node = tree_.make();
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode& node = begin(mark, kind);
    check_tag(node.place, tag);
    if (stack_.size() >= kMaxDepth) refuse(node.place, fmt::format("nested more than {} deep", kMaxDepth));
    stack_.push_back({.node = &node, .anchor = anchor, .key = nullptr, .keys = {}});
  }

  void close() {
    const Open done = std::move(stack_.back());
    stack_.pop_back();
    finish(*done.node, done.anchor);
  }

  // An anchor counts from here on, so that nothing can hold itself.
  void finish(YamlNode& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = &node;
    attach(node, node.place);
  }

  void attach(const YamlNode& node, const Place& where) {
    if (stack_.empty()) {
      tree_.root = &node;
      return;
    }
    Open& parent = stack_.back();
    parent.node->weight += node.weight;
    if (parent.node->weight > kMaxWeight)
      refuse(where, "the file is too large once its aliases are put in", "write out less with anchors and aliases");
    if (parent.node->kind == YamlNode::Kind::sequence) {
      parent.node->items.push_back(&node);
    } else if (parent.key != nullptr) {
      if (parent.key->kind == YamlNode::Kind::scalar) parent.node->entries.emplace_back(parent.key, &node);
      parent.key = nullptr;
    } else {
      parent.key = &node;
      check_key(parent, node, where);
    }
  }

  void check_key(Open& map, const YamlNode& key, const Place& where) {
    if (key.kind != YamlNode::Kind::scalar) {
      diagnostics_.error(where, "a key must be a plain word", "is a quote or a `-` missing?");
      return;
    }
    const auto [first, is_new] = map.keys.emplace(key.text, where);
    if (!is_new)
      diagnostics_.error(where, fmt::format("key `{}` is given twice", printable(key.text, 80)),
                         fmt::format("it stands already at line {}, column {}", first->second.line, first->second.column));
  }

  YamlTree& tree_;
  Diagnostics& diagnostics_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
  int documents_ = 0;
};

// The parser guesses other encodings from the first octets and takes control characters as text; here a file is UTF-8.
bool check_characters(std::string_view text, Diagnostics& diagnostics) {
  int line = 0;
  std::size_t line_start = 0;
  const std::size_t valid = valid_utf8_prefix(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (i == valid || (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
      diagnostics.error(diagnostics.place_at(line, static_cast<int>(i - line_start)),
                        i == valid ? "the file is not valid UTF-8 here" : fmt::format("control character 0x{:02x}", c));
      return false;
    }
    if (c == '\n') {
      ++line;
      line_start = i + 1;
    }
  }
  return true;
}

}  // namespace

std::unique_ptr<YamlTree> parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  auto tree = std::make_unique<YamlTree>();
  if (!check_characters(text, diagnostics)) return tree;
  TreeBuilder builder(*tree, diagnostics);
  bool complete = false;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    complete = true;
  } catch (const Refused&) {
    // reported where it was thrown
  } catch (const YAML::Exception& e) {
    diagnostics.error(builder.place(e.mark), fmt::format("this is not valid YAML: {}", e.msg),
                      "check the indentation, quotes and brackets before this place");
  }
  if (!complete) tree->root = nullptr;
  return tree;
}

}  // namespace weir::policy
