// One request's body on its way: looked into piece by piece, also where it is compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/leaks/needles.h"

namespace weir::proxy::leaks {

struct Finding {
  bool token = false;      // by its form alone, and no part of a needle; else a needle
  std::uint32_t needle = 0;  // its id
  Form form = Form::raw;
  std::string_view kind;   // of a token; static
};

struct ScanOptions {
  const Needles* needles = nullptr;  // outlive the scan; null: none
  bool tokens = false;               // whether find_tokens() is asked too
  std::uint64_t decoded_limit = 64ULL << 20;  // of what a compressed body holds: what lies behind is not looked into
};

class BodyScan {
 public:
  // `content_encoding`: the header's value; gzip, x-gzip, deflate (zlib and raw), br, identity, also several one in the other.
  BodyScan(const ScanOptions& options, std::string_view content_encoding);
  BodyScan(BodyScan&&) noexcept;
  BodyScan& operator=(BodyScan&&) noexcept;
  ~BodyScan();

  // Takes the next piece. What may go on now is appended to `out` (the bytes as they came), what may be the start of something is held
  // back; with `last` all goes on. Of a compressed body at most 128 KiB are held. The findings of this piece; where there are some, the
  // caller decides whether `out` goes anywhere. No byte of what was found has been given out before, but for a token's front that
  // says nothing. Throws std::bad_alloc. One call decodes what the piece holds: of a bomb up to `decoded_limit`, some 0.2 s.
  std::vector<Finding> feed(std::string_view piece, bool last, std::string& out);

  // False when some of what was fed was not looked into: an encoding that is not known (also zstd, and more than three in each other), a broken
  // one, or more than the limit (all layers count); after `last` also one that ended too early.
  bool looked_at_all() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::proxy::leaks
