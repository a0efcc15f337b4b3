// Bytes that come in pieces, looked into so that nothing is missed where one piece ends and the next begins.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/credentials/wiped_text.h"
#include "proxy/leaks/body_scan.h"
#include "proxy/leaks/token_patterns.h"

namespace weir::proxy::leaks {

class StreamScan {
 public:
  StreamScan(const Needles* needles, bool tokens) : needles_(needles), tokens_(tokens) {}

  // Looks at what was held back and the piece. Appends the findings; then `pass(bytes)` is called with what cannot be part of anything
  // that is still to be found, at most twice.
  template <class Pass>
  void feed(std::string_view piece, bool last, std::vector<Finding>& findings, const Pass& pass);

  // All bytes that were fed, less those held back.
  std::uint64_t passed() const { return passed_; }

 private:
  void note_passed(std::string_view bytes);
  std::size_t scan(std::string_view bytes, std::size_t known, bool last, std::vector<Finding>& findings);

  const Needles* needles_;
  bool tokens_;
  WipedText held_;
  std::uint64_t passed_ = 0;
  std::uint64_t told_ = 0;  // the tokens that begin before this place were told
  std::array<char, 3> before_{' ', ' ', ' '};  // what was passed last
};

template <class Pass>
void StreamScan::feed(std::string_view piece, bool last, std::vector<Finding>& findings, const Pass& pass) {
  const std::size_t known = held_.size();
  if (known != 0) held_.append(piece);
  const std::string_view bytes = known != 0 ? held_.view() : piece;
  const std::size_t keep = scan(bytes, known, last, findings);
  const auto free = bytes.substr(0, bytes.size() - keep);
  if (!free.empty()) pass(free);
  passed_ += free.size();
  note_passed(free);
  if (known != 0)
    held_.keep_from(free.size());
  else
    held_.append(piece.substr(free.size()));
}

}  // namespace weir::proxy::leaks
