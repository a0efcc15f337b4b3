// Many literals found at once in one walk over the bytes. A gram is a few octets (their case not counted); every literal has a window in
// which grams begin at `stride` places one after the other, so that looking at each stride-th place of the bytes meets one of them
// (Wu and Manber's idea, with grams at fixed places). A bit table says which grams there are, in the first-level cache for as many
// literals as a policy has; what it lets through is held against the literals themselves.
//
// Why not Vectorscan, which serves for the tokens: its compiler leaves the literals' octets in freed memory (the engine's code is built in
// malloc()ed pieces that no allocator of ours reaches, besides what operator new has), and takes 16 MiB and 0.2 s for 5,000 literals; here they
// are 0.9 MiB and 14 ms.
// SECURITY: G2, everything that depends on the literals is in Secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "proxy/leaks/forms.h"

namespace weir::proxy::leaks {

class LiteralMatcher {
 public:
  explicit LiteralMatcher(Literals literals);  // at least one, each of Needles::kShortest at least
  LiteralMatcher(LiteralMatcher&&) = default;
  LiteralMatcher& operator=(LiteralMatcher&&) = default;

  // Appends the hits, in no order.
  void find(std::string_view bytes, std::vector<Hit>& hits) const;
  // As well, and gives how many bytes at the end begin a literal that does not end there.
  std::size_t scan(std::string_view bytes, std::vector<Hit>& hits) const;
  // The latter alone.
  std::size_t incomplete(std::string_view bytes) const;

  std::size_t memory() const;  // bytes, locked

 private:
  struct Entry {
    std::uint32_t tag = 0, literal = 0;
    std::uint8_t offset = 0;  // of the gram in the literal
  };
  enum class Match : std::uint8_t { no, cut, whole };

  void choose_sizes();
  void build_grams();
  void build_beginnings();
  std::string_view octets_of(const Literal& literal) const;
  Match compare(const Literal& literal, std::string_view bytes) const;
  template <class Visit>
  void for_each_candidate(std::string_view bytes, const Visit& visit) const;
  template <class Visit>
  void visit_bucket(std::uint64_t hash, const Visit& visit) const;
  std::size_t beginnings(std::string_view bytes, std::size_t than) const;
  bool begins_one(std::string_view bytes) const;
  bool maybe_begins(std::uint64_t hash) const;

  Literals literals_;
  std::size_t longest_ = 0, stride_ = 1, window_end_ = 0;
  std::uint64_t gram_mask_ = 0;
  std::size_t gram_ = 4;
  unsigned present_shift_ = 0, begin_shift_ = 0;
  std::uint32_t buckets_ = 1;
  // In one piece of locked memory: bits of the grams that there are; bits of beginnings; buckets' first entries; entries; the
  // literals in the order of their octets, case not counted.
  Secret tables_;
  std::uint64_t* present_ = nullptr;
  std::uint64_t* beginnings_ = nullptr;
  std::uint32_t* first_ = nullptr;
  std::uint32_t* sorted_ = nullptr;
  Entry* entries_ = nullptr;
};

}  // namespace weir::proxy::leaks
