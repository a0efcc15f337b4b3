// What the line-wise readers of logins share. Private to launch/logins/.
#pragma once

#include <fmt/format.h>

#include <set>

#include "launch/logins/scan.h"

namespace weir::launch {

inline std::unexpected<Error> unreadable(std::size_t line, std::string_view what) {
  return fail("login_unreadable", fmt::format("line {}: {}", line, what));
}

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }

// A stretch of the whole text; lines are given without their end (LF or CR LF).
struct Span {
  std::size_t from = 0;
  std::size_t size = 0;
  std::string_view in(std::string_view text) const { return text.substr(from, size); }
  bool empty() const { return size == 0; }
};

inline Span trimmed(std::string_view text, Span span) {
  while (span.size > 0 && is_blank(text[span.from])) ++span.from, --span.size;
  while (span.size > 0 && is_blank(text[span.from + span.size - 1])) --span.size;
  return span;
}

// Calls `take(number, line)` for each line until it gives an error.
template <class Take>
Result<void> each_line(std::string_view text, Take take) {
  if (text.find('\0') != std::string_view::npos) return fail("login_unreadable", "it has a NUL in it");
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    Span line{from, end - from};
    if (line.size > 0 && text[end - 1] == '\r') --line.size;
    if (line.in(text).find('\r') != std::string_view::npos) return unreadable(number + 1, "a carriage return within a line");
    if (auto done = take(++number, line); !done) return done;
    from = end + 1;
  }
  return {};
}

// Takes values in; refuses one whose path is there already.
class Values {
 public:
  Result<void> add(std::size_t line, std::vector<std::string> path, Span span, FoundValue::Kind kind = FoundValue::Kind::text) {
    if (!seen_.insert(path).second) return unreadable(line, "the name stands twice in the same place");
    found_.push_back({std::move(path), span.from, span.size, kind});
    return {};
  }
  std::vector<FoundValue> take() { return std::move(found_); }

 private:
  std::set<std::vector<std::string>> seen_;
  std::vector<FoundValue> found_;
};

}  // namespace weir::launch
