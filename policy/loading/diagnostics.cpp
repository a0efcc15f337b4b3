#include "policy/loading/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxLine = 240;

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// The first `count` characters.
std::string_view first_characters(std::string_view utf8, std::size_t count) {
  std::size_t at = 0;
  while (at < utf8.size() && count > 0) {
    ++at;
    while (at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0U) == 0x80U) ++at;
    --count;
  }
  return utf8.substr(0, at);
}

std::string for_terminal(std::string_view line) {
  std::string spaced(line);
  std::ranges::replace(spaced, '\t', ' ');
  return printable(spaced);
}

}  // namespace

Diagnostics::Diagnostics(std::string file, std::string_view text) : file_(std::move(file)), lines_(split(text, '\n')) {}

std::string_view Diagnostics::line(int number) const {
  if (number < 1 || static_cast<std::size_t>(number) > lines_.size()) return {};
  auto text = lines_[static_cast<std::size_t>(number - 1)];
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Place Diagnostics::place_at(int line_from_zero, int octet) const {
  if (line_from_zero < 0) return start();
  const auto before =
      line(line_from_zero + 1)
          .substr(0, std::min(static_cast<std::size_t>(std::max(octet, 0)), line(line_from_zero + 1).size()));
  return {file_, line_from_zero + 1, static_cast<int>(count_characters(before)) + 1};
}

void Diagnostics::add(Diagnostic::Severity severity, const Place& place, std::string message, std::string hint) {
  if (is_full()) return;
  std::string source(line(place.line));
  if (source.size() > kMaxLine) {
    // The part that matters may be out of sight; then the place alone has to do.
    const bool near = place.column < static_cast<int>(kMaxLine / 4);
    source = near ? std::string(first_characters(source, kMaxLine / 2)) + "…" : std::string();
  }
  if (list_.size() + 1 == kMax) message += " (further problems are not shown)";
  list_.push_back({severity, place, std::move(message), std::move(hint), std::move(source)});
}

void Diagnostics::error(const Place& place, std::string message, std::string hint) {
  has_errors_ = true;
  add(Diagnostic::Severity::error, place, std::move(message), std::move(hint));
}

void Diagnostics::warning(const Place& place, std::string message, std::string hint) {
  add(Diagnostic::Severity::warning, place, std::move(message), std::move(hint));
}

std::vector<Diagnostic> Diagnostics::take() {
  sort_by_place(list_);
  return std::move(list_);
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  const auto key = [](const Diagnostic& d) { return std::tie(d.place.line, d.place.column, d.severity, d.message, d.hint); };
  std::ranges::sort(diagnostics, [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

std::string format(const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
  std::string out = printable(place.file, 1024);
  if (place.line > 0) out += fmt::format(":{}:{}", place.line, place.column);
  out += fmt::format(": {}: {}", is_error ? "error" : "warning", printable(diagnostic.message));
  if (place.line > 0 && !diagnostic.source_line.empty()) {
    const auto before = first_characters(diagnostic.source_line, static_cast<std::size_t>(std::max(place.column - 1, 0)));
    out += "\n" + for_terminal(diagnostic.source_line);
    out += "\n" + std::string(count_characters(for_terminal(before)), ' ') + "^";
  }
  if (!diagnostic.hint.empty()) out += "\n  " + printable(diagnostic.hint);
  return out;
}

bool Loaded::ok() const {
  return std::ranges::none_of(diagnostics, [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

}  // namespace weir::policy
