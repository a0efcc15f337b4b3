#include "policy/formatting/from_text.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <span>
#include <utility>

namespace weir::policy {

namespace {

using Keys = std::span<const std::string_view>;

constexpr std::array<std::string_view, 10> kRootKeys = {"version", "default", "use",      "credentials", "oauth",
                                                        "leaks",   "rules",   "upstream", "vault",       "limits"};
constexpr std::array<std::string_view, 8> kVaultKeys = {"address", "namespace", "ca_file", "ca_path", "client_certificate", "client_key", "server_name", "auth"};
constexpr std::array<std::string_view, 6> kLoginKeys = {"method", "mount", "role", "user", "secret", "wrapped"};
constexpr std::array<std::string_view, 7> kCredentialKeys = {"from", "ttl", "refresh", "hosts", "inject", "substitute", "insecure"};
constexpr std::array<std::string_view, 6> kInjectKeys = {"header", "query", "cookie", "format", "basic", "aws_sigv4"};
constexpr std::array<std::string_view, 2> kBasicKeys = {"username", "password"};
constexpr std::array<std::string_view, 2> kSignatureKeys = {"region", "service"};
constexpr std::array<std::string_view, 4> kSubstituteKeys = {"env", "shape", "in", "elsewhere"};
constexpr std::array<std::string_view, 7> kOauth2Keys = {"token_url",   "grant",  "client_id", "client_secret",
                                                         "client_auth", "scopes", "parameters"};
constexpr std::array<std::string_view, 5> kGithubKeys = {"app", "installation", "api", "repositories", "permissions"};
constexpr std::array<std::string_view, 3> kGoogleKeys = {"scopes", "subject", "token_url"};
constexpr std::array<std::string_view, 7> kRoleKeys = {"role",     "region",       "session", "external_id",
                                                       "duration", "web_identity", "endpoint"};
constexpr std::array<std::pair<std::string_view, Keys>, 8> kCredentialMaps = {{{"inject", kInjectKeys},
                                                                               {"basic", kBasicKeys},
                                                                               {"aws_sigv4", kSignatureKeys},
                                                                               {"substitute", kSubstituteKeys},
                                                                               {"oauth2", kOauth2Keys},
                                                                               {"github_app", kGithubKeys},
                                                                               {"google", kGoogleKeys},
                                                                               {"aws_role", kRoleKeys}}};
constexpr std::array<std::string_view, 2> kOAuthKeys = {"token_url", "keep"};
constexpr std::array<std::string_view, 21> kRuleKeys = {
    "name",          "hosts",   "tcp",     "tls",           "ports",     "methods",   "paths",
    "encoded_slash", "query",   "headers", "content_types", "websocket", "graphql",   "jsonrpc",
    "mcp",           "process", "when",    "body_max",      "rate",      "addresses", "action"};
constexpr std::array<std::string_view, 3> kUpstreamKeys = {"ca_file", "proxy", "resolve"};
constexpr std::array<std::string_view, 6> kLimitKeys = {"connections",         "request_body",   "response_body",
                                                        "requests_per_minute", "inspected_body", "approval_wait"};
constexpr std::array<std::string_view, 4> kOperationKeys = {"operations", "fields", "methods", "tools"};
// Their values are numbers or booleans, which quotes would make text of.
constexpr std::array<std::string_view, 13> kBareKeys = {
    "wrapped", "web_identity", "leaks", "version", "insecure", "websocket", "ports", "connections",
    "request_body", "response_body", "requests_per_minute", "inspected_body", "body_max"};

// A node with where it stands: an entry of a map, an item of a list, or the root.
struct Part {
  Part* parent = nullptr;
  const YamlNode* key = nullptr;
  const YamlNode* value = nullptr;
  std::vector<Part*> children;
  std::size_t begin = 0, value_begin = 0;  // `begin` is at the key or the dash
  std::optional<std::size_t> end;          // of words, and of lists and maps in brackets
  int line = 0, column = 0;
  std::vector<CommentLine> above, below;
  std::string beside;
  bool blank_before = false;

  bool is_collection() const { return value->kind == YamlNode::Kind::sequence || value->kind == YamlNode::Kind::map; }
  bool in_brackets() const { return is_collection() && end.has_value(); }
  bool holds(const Part& other) const {
    for (const Part* part = &other; part != nullptr; part = part->parent)
      if (part == this) return true;
    return false;
  }
};

class Builder {
 public:
  Builder(const YamlTree& tree, const Lines& lines, const Scan& scan) : lines_(lines), scan_(scan) {
    root_ = &make(nullptr, nullptr, *tree.root);
    // The root's own place is its first key's; it begins before everything.
    in_order_.erase(in_order_.begin());
    std::ranges::stable_sort(in_order_, {}, &Part::begin);
  }

  Layout build() {
    for (const Comment& comment : scan_.comments)
      if (comment.alone || !put_beside(comment)) put_on_lines(comment);
    return to_layout(*root_);
  }

 private:
  Part& make(Part* parent, const YamlNode* key, const YamlNode& value) {
    Part& part = parts_.emplace_back();
    in_order_.push_back(&part);
    part.parent = parent;
    part.key = key;
    part.value = &value;
    part.value_begin = lines_.offset_of(value.place);
    part.begin = key != nullptr ? lines_.offset_of(key->place) : part.value_begin;
    if (parent != nullptr && parent->value->kind == YamlNode::Kind::sequence && !parent->in_brackets()) {
      const auto after = std::ranges::lower_bound(scan_.dashes, part.value_begin);
      if (after != scan_.dashes.begin()) part.begin = *(after - 1);
    }
    const auto end = scan_.ends.find(part.value_begin);
    if (end != scan_.ends.end() && !(part.is_collection() && begins_with_a_word(value))) part.end = end->second;
    const auto place = lines_.place_of(part.begin);
    part.line = place.line;
    const auto mark = key != nullptr ? scan_.marks.find(part.begin) : scan_.marks.end();
    part.column = mark == scan_.marks.end() ? place.column : lines_.place_of(mark->second).column;
    part.blank_before = lines_.is_blank(place.line - 1);
    for (const auto* item : value.items) part.children.push_back(&make(&part, nullptr, *item));
    for (const auto& [child_key, child] : value.entries) part.children.push_back(&make(&part, child_key, *child));
    return part;
  }

  // A map without brackets stands where its first key stands.
  static bool begins_with_a_word(const YamlNode& value) {
    return !value.entries.empty() && value.entries.front().first->place == value.place;
  }

  Part* next_after(std::size_t offset) const {
    const auto found = std::ranges::upper_bound(in_order_, offset, {}, &Part::begin);
    return found == in_order_.end() ? nullptr : *found;
  }
  Part* last_before(std::size_t offset) const {
    const auto found = std::ranges::upper_bound(in_order_, offset, {}, &Part::begin);
    return found == in_order_.begin() ? nullptr : *(found - 1);
  }

  // The innermost brackets round an offset.
  Part* brackets_round(std::size_t offset) const {
    Part* part = last_before(offset);
    if (part == nullptr) part = root_;
    for (; part != nullptr; part = part->parent)
      if (part->in_brackets() && part->value_begin < offset && offset < *part->end) return part;
    return nullptr;
  }

  // At the end of a line: belongs to the last thing that is complete on this line, or else to what the line opens.
  bool put_beside(const Comment& comment) {
    const auto complete = [&](const Part* part) { return part->end && *part->end <= comment.offset; };
    Part *done = nullptr, *opened = nullptr;
    for (Part* part = last_before(comment.offset); part != nullptr;) {
      const int last_line = part->end ? lines_.place_of(*part->end - 1).line : part->line;
      if (part->line != comment.place.line && last_line != comment.place.line) break;
      if (opened == nullptr) opened = part;
      if (complete(part)) {
        done = part;
        while (done->parent != nullptr && done->parent != root_ && done->parent->line == comment.place.line &&
               complete(done->parent))
          done = done->parent;
        break;
      }
      part = part->parent == root_ ? nullptr : part->parent;
    }
    Part* owner = done != nullptr ? done : opened;
    if (owner == nullptr || !owner->beside.empty()) return false;
    owner->beside = comment.text;
    return true;
  }

  void put_on_lines(const Comment& comment) {
    const CommentLine line{comment.text, comment.alone && comment.blank_before};
    Part* next = next_after(comment.offset);
    Part* previous = last_before(comment.offset);
    if (Part* brackets = brackets_round(comment.offset)) {
      if (next != nullptr && next->begin < *brackets->end)
        next->above.push_back(line);
      else
        brackets->below.push_back(line);
      return;
    }
    if (previous == nullptr) {
      root_->above.push_back(line);
      return;
    }
    if (comment.alone && next != nullptr && comment.place.column <= next->column) {
      next->above.push_back(line);
      return;
    }
    // Behind a closing bracket: ends what the bracket closes.
    if (!comment.alone) {
      Part* closed = nullptr;
      for (Part* part = previous; part != nullptr; part = part->parent)
        if (part->in_brackets() && *part->end <= comment.offset &&
            lines_.place_of(*part->end - 1).line == comment.place.line)
          closed = part;
      if (closed != nullptr) {
        closed->below.push_back(line);
        return;
      }
    }
    // Further in than what comes next: it ends the innermost block that is not further in than it.
    for (Part* block = previous; block != nullptr; block = block->parent) {
      if (!block->is_collection() || block->children.empty()) continue;
      if (comment.alone && (block->in_brackets() || block->children.front()->column > comment.place.column)) continue;
      if (next != nullptr && block->holds(*next)) break;
      block->below.push_back(line);
      return;
    }
    (next != nullptr ? next->above : root_->below).push_back(line);
  }

  struct Style {
    Keys keys{};  // the order of its entries; empty: as they are
    bool spread = false;
    bool airy = false;
  };

  Style style_of(const Part& part) const {
    int depth = 0;
    const Part* top = &part;
    for (const Part* up = part.parent; up != nullptr; up = up->parent) {
      ++depth;
      if (up != root_) top = up;
    }
    if (depth == 0) return {.keys = kRootKeys};
    const std::string_view section = top->key != nullptr ? std::string_view(top->key->text) : std::string_view();
    const std::string_view key = part.key != nullptr ? std::string_view(part.key->text) : std::string_view();
    const bool rules = section == "rules", credentials = section == "credentials";
    if (depth == 1 && (rules || credentials || section == "oauth")) return {.spread = true, .airy = true};
    if (depth == 2 && section == "oauth") return {.keys = kOAuthKeys, .spread = true};
    if (depth == 1 && section == "upstream") return {.keys = kUpstreamKeys, .spread = true};
    if (depth == 1 && section == "vault") return {.keys = kVaultKeys, .spread = true};
    if (depth == 2 && section == "vault" && key == "auth") return {.keys = kLoginKeys};
    if (depth == 1 && section == "limits") return {.keys = kLimitKeys};
    if (depth == 2 && rules) return {.keys = kRuleKeys, .spread = true};
    if (depth == 2 && credentials) return {.keys = kCredentialKeys, .spread = true};
    if (depth >= 3 && credentials)
      if (const auto map = std::ranges::find(kCredentialMaps, key, &std::pair<std::string_view, Keys>::first); map != kCredentialMaps.end())
        return {.keys = map->second};
    if (depth == 3 && (key == "graphql" || key == "jsonrpc" || key == "mcp")) return {.keys = kOperationKeys};
    return {};
  }

  Layout to_layout(const Part& part) const {
    const Style style = style_of(part);
    Layout node;
    node.spread = style.spread;
    node.airy = style.airy;
    node.kind = part.value->kind == YamlNode::Kind::sequence ? Layout::Kind::sequence
                : part.value->kind == YamlNode::Kind::map    ? Layout::Kind::map
                                                             : Layout::Kind::scalar;
    if (part.key != nullptr) node.key = quoted_if_needed(part.key->text);
    if (node.kind == Layout::Kind::scalar) node.text = word(part, part.parent != nullptr && style_of(*part.parent).spread);
    node.above = part.above;
    node.beside = part.beside;
    node.below = part.below;
    node.blank_before = part.blank_before;
    std::vector<const Part*> ordered(part.children.begin(), part.children.end());
    if (node.kind == Layout::Kind::map && !style.keys.empty())
      std::ranges::stable_sort(ordered, {}, [&](const Part* child) {
        return std::ranges::find(style.keys, child->key->text) - style.keys.begin();
      });
    for (const Part* child : ordered) node.children.push_back(to_layout(*child));
    return node;
  }

  static std::string word(const Part& part, bool on_its_line) {
    const Part* named = part.key != nullptr ? &part : part.parent;
    const bool bare =
        named != nullptr && named->key != nullptr && std::ranges::find(kBareKeys, named->key->text) != kBareKeys.end();
    const auto& text = part.value->text;
    const auto is_simple = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return bare && !part.value->quoted && std::ranges::all_of(text, is_simple) ? text : quoted_if_needed(text, on_its_line);
  }

  const Lines& lines_;
  const Scan& scan_;
  std::deque<Part> parts_;
  std::vector<Part*> in_order_;  // all but the root
  Part* root_ = nullptr;
};

}  // namespace

Layout layout_of(const YamlTree& tree, const Lines& lines, const Scan& scan) { return Builder(tree, lines, scan).build(); }

}  // namespace weir::policy
