#include "policy/difference/glob_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "base/text.h"
#include "policy/canonical.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxStates = 20'000;
constexpr std::size_t kMaxWork = 30'000'000;  // positions stepped over
constexpr std::string_view kEncodedSlash = "%2F";

using Symbol = std::uint32_t;  // index into the alphabet

// One position of a glob's automaton.
struct Node {
  enum class Kind : std::uint8_t {
    literal,  // its symbol, then the next node
    run,      // stays on anything but '/'; may be left at any time
    any,      // stays on anything; may be left at any time
    skip,     // '/' to the next node (an `any`); or over it, to the one after
    accept,
  } kind = Kind::accept;
  Symbol symbol = 0;
};

// Characters as they count: code points, and for paths an encoded slash as one.
std::vector<std::string> symbols_of(std::string_view text, bool path) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (path && text.substr(i).starts_with(kEncodedSlash)) end = i + kEncodedSlash.size();
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) ++end;
    out.emplace_back(text.substr(i, end - i));
    i = end;
  }
  return out;
}

// Which texts there are at all, a symbol at a time. A state of -1 is a dead end.
class Grammar {
 public:
  explicit Grammar(GlobKind kind) : kind_(kind) {}

  int step(int state, const std::string& symbol) const {
    switch (kind_) {
      case GlobKind::path:
        return step_path(state, symbol);
      case GlobKind::media_type:
        if (symbol == "/") return state == 1 ? 2 : -1;
        if (symbol.size() != 1 || !is_token(symbol[0])) return -1;
        return state <= 1 ? 1 : 3;
      case GlobKind::header:  // 0: at the beginning, 1: within, 2: behind a blank
        if (symbol.size() == 1 && (symbol[0] < 0x20 || symbol[0] == 0x7f)) return -1;
        return symbol == " " ? (state == 0 ? -1 : 2) : 1;
      default:
        return 1;
    }
  }
  bool may_end(int state) const {
    switch (kind_) {
      case GlobKind::path:
        return state == 1 || state == 4;
      case GlobKind::media_type:
        return state == 3;
      case GlobKind::header:
        return state != 2;
      case GlobKind::word:
        return state == 1;
      case GlobKind::text:
        return true;
    }
    return true;
  }

 private:
  static bool is_token(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  }
  // 0: before the first slash, 1: a segment begins, 2: it is ".", 3: it is "..", 4: it is something else, 5: behind an
  // encoded slash, which like any other has something before and after it.
  static int step_path(int state, const std::string& symbol) {
    if (symbol == "/") return state == 0 || state == 4 ? 1 : -1;
    if (symbol == kEncodedSlash) return state == 4 ? 5 : -1;
    if (state == 0) return -1;
    if (state == 1 || state == 5) return symbol == "." ? 2 : 4;
    if (state == 2 || state == 3) return symbol == ";" ? -1 : state == 2 && symbol == "." ? 3 : 4;
    return 4;
  }
  GlobKind kind_;
};

class Walk {
 public:
  Walk(const std::vector<std::string>& globs, GlobKind kind) : kind_(kind), grammar_(kind) {
    const bool path = kind == GlobKind::path;
    std::set<std::string> literals;
    for (const auto& glob : globs)
      for (auto& symbol : symbols_of(glob, path))
        if (symbol != "*") literals.insert(std::move(symbol));
    if (path) literals.insert({"/", std::string(kEncodedSlash)});
    if (kind == GlobKind::media_type) literals.insert("/");
    // Something that no glob names; it comes first, so that texts are easy on the eye.
    for (const char* other : {"x", "y", "z", "a", "b", "c", "0", "1", "q", "-", "_", "A", "Z", "é", "ß", "ж"})
      if (!literals.contains(other) &&
          (kind != GlobKind::media_type || (other[0] >= '_' && other[0] <= 'z') || other[0] == '-')) {
        alphabet_.emplace_back(other);
        break;
      }
    alphabet_.insert(alphabet_.end(), literals.begin(), literals.end());
    slash_ = static_cast<Symbol>(std::ranges::find(alphabet_, "/") - alphabet_.begin());
    for (const auto& glob : globs) path ? add_path(glob) : add_text(glob);
  }

  GlobClasses run() {
    GlobClasses result;
    std::map<std::pair<std::vector<bool>, bool>, bool> seen_classes;
    State start{.positions = {}, .grammar = 0, .encoded_slash = false};
    for (const auto begin : begins_) close(begin, start.positions);
    visit(std::move(start), 0, 0);
    for (std::size_t at = 0; at < states_.size(); ++at) {
      note(at, seen_classes, result);
      for (Symbol symbol = 0; symbol < alphabet_.size(); ++symbol) {
        if (states_.size() >= kMaxStates || work_ > kMaxWork) {
          result.complete = false;
          continue;
        }
        step(at, symbol);
      }
    }
    // A class of which no text was good is told, unless there is none.
    for (const auto& [one, found] : seen_classes) result.complete = result.complete && found;
    return result;
  }

 private:
  struct State {
    std::vector<std::uint32_t> positions;  // sorted
    int grammar = 0;
    bool encoded_slash = false;
    auto operator<=>(const State&) const = default;
  };

  Symbol symbol(const std::string& text) const {
    return static_cast<Symbol>(std::ranges::find(alphabet_, text) - alphabet_.begin());
  }
  void literal(const std::string& text) { nodes_.push_back({Node::Kind::literal, symbol(text)}); }

  void add_text(const std::string& glob) {
    begins_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    for (const auto& one : symbols_of(glob, false)) {
      if (one == "*")
        nodes_.push_back({Node::Kind::any, 0});
      else
        literal(one);
    }
    nodes_.push_back({Node::Kind::accept, 0});
  }

  void add_path(const std::string& glob) {
    begins_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    const auto segments = split(std::string_view(glob).substr(1), '/');
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const bool last = i + 1 == segments.size();
      if (segments[i] == "**") {
        if (last)
          literal("/");
        else
          nodes_.push_back({Node::Kind::skip, 0});
        nodes_.push_back({Node::Kind::any, 0});
        continue;
      }
      literal("/");
      for (const auto& one : symbols_of(segments[i], true)) {
        if (one == "*")
          nodes_.push_back({Node::Kind::run, 0});
        else
          literal(one);
      }
    }
    nodes_.push_back({Node::Kind::accept, 0});
  }

  // Puts a position in, and where one can be from there without a symbol.
  void close(std::uint32_t position, std::vector<std::uint32_t>& out) const {
    const auto place = std::ranges::lower_bound(out, position);
    if (place != out.end() && *place == position) return;
    out.insert(place, position);
    switch (nodes_[position].kind) {
      case Node::Kind::run:
      case Node::Kind::any:
        return close(position + 1, out);
      case Node::Kind::skip:
        return close(position + 2, out);
      default:
        return;
    }
  }

  void step(std::size_t from, Symbol symbol) {
    State next;
    next.grammar = grammar_.step(states_[from]->first.grammar, alphabet_[symbol]);
    if (next.grammar < 0) return;
    next.encoded_slash = states_[from]->first.encoded_slash || alphabet_[symbol] == kEncodedSlash;
    const auto& positions = states_[from]->first.positions;
    work_ += positions.size() + 1;
    for (const auto position : positions) {
      const Node& node = nodes_[position];
      if (node.kind == Node::Kind::any || (node.kind == Node::Kind::run && symbol != slash_))
        close(position, next.positions);
      if (node.kind == Node::Kind::literal && node.symbol == symbol) close(position + 1, next.positions);
      if (node.kind == Node::Kind::skip && symbol == slash_) close(position + 1, next.positions);
    }
    visit(std::move(next), from, symbol);
  }

  void visit(State state, std::size_t from, Symbol symbol) {
    const auto [place, is_new] = origins_.emplace(std::move(state), Origin{from, symbol});
    if (is_new) states_.push_back(place);
  }

  std::string text_of(std::size_t at) const {
    std::vector<Symbol> back;
    for (; at != 0; at = states_[at]->second.from) back.push_back(states_[at]->second.symbol);
    std::string text;
    for (auto i = back.rbegin(); i != back.rend(); ++i) text += alphabet_[*i];
    return text;
  }

  void note(std::size_t at, std::map<std::pair<std::vector<bool>, bool>, bool>& seen, GlobClasses& result) const {
    const State& state = states_[at]->first;
    if (!grammar_.may_end(state.grammar)) return;
    std::vector<bool> matched(begins_.size());
    for (std::size_t i = 0; i < begins_.size(); ++i) {
      const auto end = (i + 1 < begins_.size() ? begins_[i + 1] : static_cast<std::uint32_t>(nodes_.size())) - 1;
      matched[i] = std::ranges::binary_search(state.positions, end);
    }
    bool& found = seen[{matched, state.encoded_slash}];
    if (found) return;
    auto text = text_of(at);
    if (kind_ == GlobKind::path) {
      const auto canonical = canonical_path(wire_path(text));
      if (canonical.ambiguous || canonical.decoded != text) return;  // perhaps another state of this class has a better one
    }
    found = true;
    result.classes.push_back({std::move(matched), state.encoded_slash, std::move(text)});
  }

  struct Origin {
    std::size_t from;
    Symbol symbol;
  };

  GlobKind kind_;
  Grammar grammar_;
  std::vector<std::string> alphabet_;
  Symbol slash_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> begins_;
  std::map<State, Origin> origins_;
  std::vector<std::map<State, Origin>::const_iterator> states_;
  std::size_t work_ = 0;
};

}  // namespace

std::string wire_path(const std::string& decoded) {
  std::string wire;
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    const char c = decoded[i];
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/!$&'()*+,;=:@").find(c) != std::string_view::npos ||
                       std::string_view(decoded).substr(i).starts_with(kEncodedSlash);
    wire += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return wire;
}

GlobClasses classes_of(const std::vector<std::string>& globs, GlobKind kind) { return Walk(globs, kind).run(); }

}  // namespace weir::policy
