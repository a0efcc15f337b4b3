#include "proxy/credentials/beginnings.h"

#include <algorithm>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::proxy {

void Beginnings::add(std::string_view text) {
  const Pair pair{text[0], text.size() > 1 ? text[1] : text[0]};
  const auto bit = static_cast<std::uint8_t>(1U << (static_cast<unsigned char>(pair.second) & 7));
  firsts_[static_cast<unsigned char>(pair.first)] |= bit;
  if (text.size() > 1) {
    seconds_[static_cast<unsigned char>(pair.second)] |= bit;
  } else {
    for (auto& second : seconds_) second |= bit;  // anything may stand behind it
    all_pairs_ = false;
  }
  if (std::find(pairs_.begin(), pairs_.begin() + count_, pair) != pairs_.begin() + count_) return;
  if (count_ == kPairs)
    all_pairs_ = false;
  else
    pairs_[count_++] = pair;
}

void Beginnings::set_escape(char escape) {
  has_escape_ = true;
  escape_ = escape;
  firsts_[static_cast<unsigned char>(escape)] = 0xff;
  seconds_[static_cast<unsigned char>(escape)] = 0xff;
}

std::size_t Beginnings::find(std::string_view in, std::size_t at) const {
  if (in.empty()) return 0;
  const std::size_t last = in.size() - 1;
#if defined(__SSE2__)
  if (all_pairs_) {
    const __m128i escape = _mm_set1_epi8(escape_), escaping = _mm_set1_epi8(has_escape_ ? '\xff' : '\0');
    for (; at + 17 <= in.size(); at += 16) {
      const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + at));
      const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + at + 1));
      const __m128i next_escapes = _mm_and_si128(_mm_cmpeq_epi8(next, escape), escaping);
      __m128i hits = _mm_and_si128(_mm_cmpeq_epi8(here, escape), escaping);
      for (std::size_t i = 0; i < count_; ++i) {
        const __m128i second = _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8(pairs_[i].second)), next_escapes);
        hits = _mm_or_si128(hits, _mm_and_si128(_mm_cmpeq_epi8(here, _mm_set1_epi8(pairs_[i].first)), second));
      }
      if (const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits)); mask != 0)
        return at + static_cast<std::size_t>(std::countr_zero(mask));
    }
  }
#endif
  for (; at < last; ++at)
    if (may_begin(in[at], in[at + 1]) || (has_escape_ && in[at] == escape_)) return at;
  return at == last && firsts_[static_cast<unsigned char>(in[last])] != 0 ? last : in.size();
}

}  // namespace weir::proxy
