#include "policy/loading/yaml_tree.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "base/text.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxDepth = 32;           // a policy needs six
constexpr std::size_t kMaxWeight = 10'000'000;  // nodes after expansion of aliases: a million short rules

// Ends the parse from within; never leaves this file.
struct Refused {};

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);  // it would guess others from the first octets
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Parser() { yaml_parser_delete(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  yaml_parser_t* get() { return &parser_; }

 private:
  yaml_parser_t parser_;
};

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // False: the text is not YAML.
  bool next(Parser& parser) {
    yaml_event_delete(&event_);
    return yaml_parser_parse(parser.get(), &event_) != 0;
  }
  const yaml_event_t& get() const { return event_; }

 private:
  yaml_event_t event_{};
};

class TreeBuilder {
 public:
  TreeBuilder(YamlTree& tree, Diagnostics& diagnostics) : tree_(tree), diagnostics_(diagnostics) {}

  // False: that was the end.
  bool take(const yaml_event_t& event) {
    const Spot where = spot(event.start_mark);
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (documents_++ > 0)
          refuse(where, "a policy file holds one YAML document, and here a second begins", "remove the `---`");
        return true;
      case YAML_ALIAS_EVENT:
        alias(text_of(event.data.alias.anchor), where);
        return true;
      case YAML_SCALAR_EVENT:
        scalar(event, where);
        return true;
      case YAML_SEQUENCE_START_EVENT:
        check_tag(where, event.data.sequence_start.tag);
        open(where, text_of(event.data.sequence_start.anchor), YamlNode::Kind::sequence);
        return true;
      case YAML_MAPPING_START_EVENT:
        check_tag(where, event.data.mapping_start.tag);
        open(where, text_of(event.data.mapping_start.anchor), YamlNode::Kind::map);
        return true;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        close();
        return true;
      case YAML_STREAM_END_EVENT:
        return false;
      default:
        return true;
    }
  }

  Spot spot(const yaml_mark_t& mark) const {
    return diagnostics_.spot(static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1);
  }

 private:
  struct Open {
    YamlNode* node = nullptr;
    std::string anchor;
    const YamlNode* key = nullptr;  // of a map: waits for its value
    // Of a map with many keys: where they are. Few are looked for among the entries.
    std::unordered_map<std::string_view, Spot> keys;
  };

  [[noreturn]] void refuse(const Spot& where, std::string message, std::string hint = {}) {
    diagnostics_.error(where, std::move(message), std::move(hint));
    throw Refused{};
  }

  void check_tag(const Spot& where, const yaml_char_t* tag) {
    if (tag != nullptr) diagnostics_.error(where, "YAML tags (`!…`) have no meaning here", "remove the tag");
  }

  YamlNode& begin(const Spot& where, YamlNode::Kind kind) {
    YamlNode& node = tree_.make();
    node.kind = kind;
    node.place = where;
    return node;
  }

  void scalar(const yaml_event_t& event, const Spot& where) {
    constexpr std::array<std::string_view, 5> kNull = {"", "~", "null", "Null", "NULL"};
    const auto& scalar = event.data.scalar;
    check_tag(where, scalar.tag);
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && std::ranges::find(kNull, text) != kNull.end()) {
      finish(begin(where, YamlNode::Kind::null), text_of(scalar.anchor));
      return;
    }
    YamlNode& node = begin(where, YamlNode::Kind::scalar);
    node.text = text;
    node.quoted = !plain;
    finish(node, text_of(scalar.anchor));
  }

  void alias(std::string_view anchor, const Spot& where) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(where, fmt::format("the alias `*{}` names nothing that stands before it", printable(anchor, 80)));
    attach(*found->second, where);
  }

  void open(const Spot& where, std::string_view anchor, YamlNode::Kind kind) {
    YamlNode& node = begin(where, kind);
    if (stack_.size() >= kMaxDepth) refuse(where, fmt::format("nested more than {} deep", kMaxDepth));
    stack_.push_back({.node = &node, .anchor = std::string(anchor), .key = nullptr, .keys = {}});
  }

  void close() {
    const Open done = std::move(stack_.back());
    stack_.pop_back();
    finish(*done.node, done.anchor);
  }

  // An anchor counts from here on, so that nothing can hold itself.
  void finish(YamlNode& node, std::string_view anchor) {
    if (!anchor.empty()) anchors_.insert_or_assign(std::string(anchor), &node);
    attach(node, node.place);
  }

  void attach(const YamlNode& node, const Spot& where) {
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

  void check_key(Open& map, const YamlNode& key, const Spot& where) {
    if (key.kind != YamlNode::Kind::scalar) {
      diagnostics_.error(where, "a key must be a plain word", "is a quote or a `-` missing?");
      return;
    }
    if (const auto first = earlier(map, key, where))
      diagnostics_.error(where, fmt::format("key `{}` is given twice", printable(key.text, 80)),
                         fmt::format("it stands already at line {}, column {}", first->line, first->column));
  }

  // Where the same key stands already.
  std::optional<Spot> earlier(Open& map, const YamlNode& key, const Spot& where) {
    constexpr std::size_t kFew = 16;
    const auto& entries = map.node->entries;
    if (entries.size() <= kFew) {
      for (const auto& [other, value] : entries)
        if (other->text == key.text) return other->place;
      return std::nullopt;
    }
    if (map.keys.empty())
      for (const auto& [other, value] : entries) map.keys.emplace(other->text, other->place);
    const auto [first, is_new] = map.keys.emplace(key.text, where);
    return is_new ? std::nullopt : std::optional(first->second);
  }

  YamlTree& tree_;
  Diagnostics& diagnostics_;
  std::vector<Open> stack_;
  std::map<std::string, const YamlNode*, std::less<>> anchors_;
  int documents_ = 0;
};

// What the parser would take and an editor shows otherwise. SECURITY: G4, line ends beside LF and CRLF (YAML 1.1 has four
// more) would let a line stand in the file that its reader sees as part of a comment.
bool check_characters(std::string_view text, Diagnostics& diagnostics) {
  int line = 0;
  std::size_t line_start = 0;
  const std::size_t valid = valid_utf8_prefix(text);
  const auto refuse = [&](std::size_t at, std::string message) {
    diagnostics.error(diagnostics.place_at(line, static_cast<int>(at - line_start)), std::move(message));
    return false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (i == valid) return refuse(i, "the file is not valid UTF-8 here");
    if (c == '\n') {
      ++line;
      line_start = i + 1;
    } else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
      return refuse(i, fmt::format("control character 0x{:02x}", c));
    } else if (c == '\r' && text.substr(i + 1, 1) != "\n") {
      return refuse(i, "a carriage return that does not end a line");
    } else if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return refuse(i, fmt::format("control character U+{:04X}", static_cast<unsigned char>(text[i + 1])));
    } else if (c == 0xe2 && (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029")) {
      return refuse(i, "a line separator that editors do not show");
    } else if (c == 0xef && text.substr(i, 3) == "\ufeff") {
      return refuse(i, "a byte order mark within the file");
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
    Parser parser(text);
    Event event;
    bool more = true;
    while (more) {
      if (!event.next(parser)) {
        const auto& problem = *parser.get();
        diagnostics.error(
            builder.spot(problem.problem_mark),
            fmt::format("this is not valid YAML: {}", problem.problem == nullptr ? "it cannot be read" : problem.problem),
            "check the indentation, quotes and brackets before this place");
        break;
      }
      more = builder.take(event.get());
    }
    complete = !more;
  } catch (const Refused&) {
    // reported where it was thrown
  }
  if (!complete) tree->root = nullptr;
  return tree;
}

}  // namespace weir::policy
