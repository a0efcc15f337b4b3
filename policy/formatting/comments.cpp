#include "policy/formatting/comments.h"

#include <algorithm>

#include "base/text.h"

namespace weir::policy {

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

using Words = std::map<std::size_t, const YamlNode*>;

void collect_words(const YamlNode& node, const Lines& lines, Words& words) {
  if (node.kind == YamlNode::Kind::scalar) words.emplace(lines.offset_of(node.place), &node);
  for (const auto* item : node.items) collect_words(*item, lines, words);
  for (const auto& [key, value] : node.entries) {
    collect_words(*key, lines, words);
    collect_words(*value, lines, words);
  }
}

class Scanner {
 public:
  Scanner(std::string_view text, const Lines& lines, const Words& words) : text_(text), lines_(lines), words_(words) {}

  std::expected<Scan, Unkept> run() {
    std::size_t at = 0;
    for (const auto& [begin, node] : words_) {
      if (begin < at || !structure(at, begin) || !word(begin, *node, at)) return std::unexpected(problem_);
      scan_.ends[begin] = at;
    }
    if (!structure(at, text_.size())) return std::unexpected(problem_);
    return std::move(scan_);
  }

 private:
  bool refuse(std::size_t at, std::string message, std::string hint) {
    problem_ = {at, std::move(message), std::move(hint)};
    return false;
  }

  // Between words: brackets, dashes, comments.
  bool structure(std::size_t at, std::size_t end) {
    for (; at < end; ++at) {
      switch (text_[at]) {
        case '#':
          at = comment(at) - 1;
          break;
        case '&':
        case '*':
          return refuse(at, "anchors and aliases cannot be kept", "write out what the alias stands for");
        case '!':
          return refuse(at, "YAML tags (`!`) cannot be kept", "remove the tag");
        case '[':
        case '{':
          open_.push_back(at);
          break;
        case ']':
        case '}':
          if (!open_.empty()) {
            scan_.ends[open_.back()] = at + 1;
            open_.pop_back();
          }
          break;
        case '-':
          if (open_.empty() && (at + 1 == text_.size() || is_space(text_[at + 1]))) scan_.dashes.push_back(at);
          break;
        case '?':
          if (open_.empty() && (at + 1 == text_.size() || is_space(text_[at + 1]))) mark_ = at;
          break;
        case '%':  // a directive: for the parser, not for the reader
          if (at == 0 || text_[at - 1] == '\n') at = line_end(at) - 1;
          break;
        default:
          break;
      }
    }
    return true;
  }

  std::size_t line_end(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }

  std::size_t comment(std::size_t at) {
    const auto end = line_end(at);
    const auto line_start = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    const auto place = lines_.place_of(at);
    scan_.comments.push_back({.offset = at,
                              .place = place,
                              .text = "#" + std::string(trim_end(text_.substr(at + 1, end - at - 1))),
                              .alone = trim(text_.substr(line_start, at - line_start)).empty(),
                              .blank_before = lines_.is_blank(place.line - 1)});
    return end;
  }

  static std::string_view trim_end(std::string_view text) {
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
  }

  bool word(std::size_t begin, const YamlNode& node, std::size_t& end) {
    if (mark_) scan_.marks.emplace(begin, *mark_);
    mark_.reset();
    switch (text_[begin]) {
      case '"':
        for (end = begin + 1; end < text_.size() && text_[end] != '"'; ++end)
          if (text_[end] == '\\') ++end;
        return ++end <= text_.size() || lost(begin);
      case '\'':
        for (end = begin + 1; end < text_.size(); ++end) {
          if (text_[end] != '\'') continue;
          if (end + 1 == text_.size() || text_[end + 1] != '\'') break;
          ++end;
        }
        return ++end <= text_.size() || lost(begin);
      case '|':
      case '>':
        return block(begin, end);
      case '&':
      case '!':
        return structure(begin, begin + 1);
      default:
        return plain(begin, node.text, end);
    }
  }

  // A plain word has no escapes, and where it is folded only blanks change: the rest must come in order.
  bool plain(std::size_t begin, std::string_view value, std::size_t& end) {
    end = begin;
    for (const char c : value) {
      if (is_space(c)) continue;
      while (end < text_.size() && is_space(text_[end])) ++end;
      if (end == text_.size() || text_[end] != c) return lost(begin);
      ++end;
    }
    return end > begin || lost(begin);
  }

  bool block(std::size_t begin, std::size_t& end) {
    end = line_end(begin);
    const auto header = text_.substr(begin, end - begin);
    if (header.substr(0, header.find('#')).find_first_of("0123456789") != std::string_view::npos)
      return refuse(begin, "a block with its indentation in numbers cannot be kept", "write the value in double quotes");
    if (const auto hash = header.find('#'); hash != std::string_view::npos) comment(begin + hash);
    std::size_t indent = 0;
    while (end < text_.size()) {
      const auto start = end + 1, stop = line_end(start);
      const auto line = text_.substr(std::min(start, text_.size()), stop - std::min(start, text_.size()));
      const auto spaces = std::min(line.find_first_not_of(' '), line.size());
      if (!trim(line).empty()) {
        if (indent == 0) indent = spaces;
        if (spaces < indent || indent == 0) break;
      }
      end = stop;
    }
    return true;
  }

  bool lost(std::size_t at) {
    return refuse(at, "this could not be followed, so that comments near it might be lost", "write it in double quotes");
  }

  std::string_view text_;
  const Lines& lines_;
  const Words& words_;
  std::vector<std::size_t> open_;
  std::optional<std::size_t> mark_;  // a question mark whose key comes next
  Scan scan_;
  Unkept problem_;
};

}  // namespace

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') starts_.push_back(i + 1);
}

std::string_view Lines::line(int number) const {
  const auto start = starts_[static_cast<std::size_t>(number - 1)];
  return text_.substr(start, std::min(text_.find('\n', start), text_.size()) - start);
}

std::size_t Lines::offset_of(const Place& place) const {
  const auto start = starts_[static_cast<std::size_t>(place.line - 1)];
  std::size_t at = start;
  for (int left = place.column - 1; left > 0 && at < text_.size(); --left) {
    ++at;
    while (at < text_.size() && is_continuation(text_[at])) ++at;
  }
  return at;
}

Place Lines::place_of(std::size_t offset) const {
  const auto after = std::ranges::upper_bound(starts_, offset);
  const auto index = static_cast<std::size_t>(after - starts_.begin()) - 1;
  const auto before = text_.substr(starts_[index], offset - starts_[index]);
  const auto characters = std::ranges::count_if(before, [](char c) { return !is_continuation(c); });
  return {{}, static_cast<int>(index) + 1, static_cast<int>(characters) + 1};
}

bool Lines::is_blank(int number) const { return number >= 1 && trim(line(number)).empty(); }

std::expected<Scan, Unkept> scan_comments(std::string_view text, const Lines& lines, const YamlTree& tree) {
  Words words;
  if (tree.root != nullptr) collect_words(*tree.root, lines, words);
  return Scanner(text, lines, words).run();
}

}  // namespace weir::policy
