// Collects what is wrong with a file, so that its author sees everything at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/document/check.h"
#include "policy/loader.h"

namespace weir::policy {

// A place as the parser keeps it for each of a million nodes: the file's name is held once, by Diagnostics.
struct Spot {
  const std::string* file = nullptr;
  int line = 0;  // as in Place
  int column = 0;
  bool operator==(const Spot&) const = default;
  operator Place() const { return {file == nullptr ? std::string() : *file, line, column}; }
};

void sort_by_place(std::vector<Diagnostic>& diagnostics);

class Diagnostics {
 public:
  Diagnostics(std::string file, std::string_view text);  // `text` must outlive this

  // Line and octet from 0. The place counts characters, as editors do.
  Place place_at(int line, int octet) const;
  Spot spot(int line, int column) const { return {&file_, line, column}; }  // as in Place; this must outlive it
  Place start() const { return {file_, 1, 1}; }
  Place whole_file() const { return {file_, 0, 0}; }

  void error(const Place& place, std::string message, std::string hint = {});
  void error(const Place& place, const Problem& problem) { error(place, problem.message, problem.hint); }
  void warning(const Place& place, std::string message, std::string hint = {});

  bool has_errors() const { return has_errors_; }
  bool is_full() const { return list_.size() >= kMax; }
  std::vector<Diagnostic> take();  // in order of place

 private:
  // A file that is not a policy at all should not print a page for each of its lines.
  static constexpr std::size_t kMax = 200;

  void add(Diagnostic::Severity severity, const Place& place, std::string message, std::string hint);
  std::string_view line(int number) const;

  std::string file_;
  std::vector<std::string_view> lines_;
  std::vector<Diagnostic> list_;
  bool has_errors_ = false;
};

}  // namespace weir::policy
