#include "proxy/leaks/literal_matcher.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <numeric>

namespace weir::proxy::leaks {
namespace {

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / the golden ratio (Knuth, volume 3, §6.4)
constexpr std::uint64_t kNoCase = 0x2020202020202020;
constexpr std::size_t kShortGram = 4, kLongGram = 8, kLongestStride = 8;
constexpr std::size_t kLatestWindow = 64;   // by then a literal's gram must have been met
constexpr std::size_t kBeginning = 4;       // octets by which beginnings are told apart at first

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
unsigned char no_case(char c) { return static_cast<unsigned char>(c) | 0x20; }

std::uint64_t load(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
std::uint64_t load(const char* at, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, std::min(size, sizeof value));
  return value;
}

std::uint64_t hash_of(std::uint64_t gram, std::uint64_t mask) { return ((gram | kNoCase) & mask) * kMultiplier; }
// Mixed once more: the table takes the upper bits of the first.
std::uint64_t mix(std::uint64_t hash) { return (hash ^ hash >> 31) * kMultiplier; }

bool is_set(const std::uint64_t* bits, std::uint64_t at) { return (bits[at >> 6] >> (at & 63) & 1) != 0; }
void set(std::uint64_t* bits, std::uint64_t at) { bits[at >> 6] |= std::uint64_t{1} << (at & 63); }

unsigned log2_at_least(std::size_t count, unsigned least, unsigned most) {
  return std::clamp(static_cast<unsigned>(std::bit_width(count)), least, most);
}

// Of the first octets of a literal or of what is there, at most kBeginning; their number is part of it.
std::uint64_t beginning_hash(std::string_view bytes) {
  const std::size_t size = std::min(bytes.size(), kBeginning);
  std::uint64_t gram = 0;
  for (std::size_t i = 0; i < size; ++i) gram |= static_cast<std::uint64_t>(no_case(bytes[i])) << (8 * i);
  return (gram | static_cast<std::uint64_t>(size) << 40) * kMultiplier;
}

bool same_hex(char literal, char there) { return literal == lower(there); }

// Percent: the two digits after '%' have no case (RFC 3986 §2.1); a '%' of the text itself is never left as it is.
bool same_percent(std::string_view literal, std::string_view there) {
  for (std::size_t i = 0, digits = 0; i < there.size(); ++i) {
    if (digits != 0 ? !same_hex(literal[i], there[i]) : literal[i] != there[i]) return false;
    digits = literal[i] == '%' ? 2 : digits - (digits != 0);
  }
  return true;
}

// JSON: the four digits after \u have no case (RFC 8259 §7). An escaped reverse solidus is not the beginning of one.
bool same_escapes(std::string_view literal, std::string_view there) {
  bool escape = false;
  for (std::size_t i = 0, digits = 0; i < there.size(); ++i) {
    if (digits != 0 ? !same_hex(literal[i], there[i]) : literal[i] != there[i]) return false;
    if (digits != 0) --digits;
    if (escape && literal[i] == 'u') digits = 4;
    escape = !escape && literal[i] == '\\';
  }
  return true;
}

}  // namespace

LiteralMatcher::LiteralMatcher(Literals literals) : literals_(std::move(literals)) {
  choose_sizes();
  build_grams();
  build_beginnings();
}

std::string_view LiteralMatcher::octets_of(const Literal& literal) const { return literals_.octets.reveal().substr(literal.at, literal.size); }

std::size_t LiteralMatcher::memory() const { return literals_.octets.size() + tables_.size(); }

void LiteralMatcher::choose_sizes() {
  std::size_t shortest = SIZE_MAX;
  for (const auto& literal : literals_.list) {
    shortest = std::min<std::size_t>(shortest, literal.size);
    longest_ = std::max<std::size_t>(longest_, literal.size);
  }
  gram_ = shortest >= kLongGram + 3 ? kLongGram : kShortGram;
  gram_mask_ = gram_ == kLongGram ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * gram_)) - 1;
  stride_ = std::min(shortest - gram_ + 1, kLongestStride);

  const std::size_t window = stride_ + gram_ - 1;
  for (auto& literal : literals_.list) {
    // As late as may be: what many literals have in common stands in front.
    const std::size_t end = std::min<std::size_t>(literal.size, kLatestWindow);
    literal.window = static_cast<std::uint8_t>(end - window);
    window_end_ = std::max(window_end_, end);
  }

  const std::size_t count = literals_.list.size(), entries = count * stride_;
  const unsigned present = log2_at_least(entries * 16, 12, 21), begin = log2_at_least(count * 32, 12, 18);
  buckets_ = std::uint32_t{1} << log2_at_least(entries / 2, 4, 20);
  present_shift_ = 64 - present;
  begin_shift_ = 64 - begin;
  const std::size_t present_words = std::size_t{1} << (present - 6), begin_words = std::size_t{1} << (begin - 6);
  tables_ = Secret::of_size(8 * (present_words + begin_words) + 4 * (buckets_ + 1 + count) + sizeof(Entry) * entries);
  present_ = reinterpret_cast<std::uint64_t*>(tables_.data());  // of_size() gives pages, zero-filled
  beginnings_ = present_ + present_words;
  first_ = reinterpret_cast<std::uint32_t*>(beginnings_ + begin_words);
  sorted_ = first_ + buckets_ + 1;
  entries_ = reinterpret_cast<Entry*>(sorted_ + count);
}

void LiteralMatcher::build_grams() {
  const auto& list = literals_.list;
  const auto each_gram = [&](const auto& use) {
    for (std::uint32_t i = 0; i < list.size(); ++i)
      for (std::size_t k = 0; k < stride_; ++k) {
        const std::size_t offset = list[i].window + k;
        use(i, static_cast<std::uint8_t>(offset), hash_of(load(octets_of(list[i]).data() + offset, gram_), gram_mask_));
      }
  };
  // Counted, then placed: buckets one after the other.
  each_gram([&](std::uint32_t, std::uint8_t, std::uint64_t hash) {
    set(present_, hash >> present_shift_);
    ++first_[(mix(hash) & (buckets_ - 1)) + 1];
  });
  for (std::uint32_t i = 0; i < buckets_; ++i) first_[i + 1] += first_[i];
  each_gram([&](std::uint32_t literal, std::uint8_t offset, std::uint64_t hash) {
    const std::uint64_t mixed = mix(hash);
    const std::uint32_t bucket = static_cast<std::uint32_t>(mixed & (buckets_ - 1));
    entries_[first_[bucket]++] = {.tag = static_cast<std::uint32_t>(mixed >> 32), .literal = literal, .offset = offset};
  });
  for (std::uint32_t i = buckets_; i > 0; --i) first_[i] = first_[i - 1];
  first_[0] = 0;
}

void LiteralMatcher::build_beginnings() {
  const auto& list = literals_.list;
  std::iota(sorted_, sorted_ + list.size(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    const auto x = octets_of(list[a]), y = octets_of(list[b]);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), [](char p, char q) { return no_case(p) < no_case(q); });
  };
  std::sort(sorted_, sorted_ + list.size(), before);
  for (const auto& literal : list)
    for (std::size_t size = 1; size <= kBeginning; ++size) set(beginnings_, beginning_hash(octets_of(literal).substr(0, size)) >> begin_shift_);
}

LiteralMatcher::Match LiteralMatcher::compare(const Literal& literal, std::string_view bytes) const {
  const auto octets = octets_of(literal);
  const auto there = bytes.substr(0, octets.size());
  bool same = false;
  switch (literal.comparison) {
    case Comparison::exact: same = std::memcmp(octets.data(), there.data(), there.size()) == 0; break;
    case Comparison::hex: same = std::equal(there.begin(), there.end(), octets.begin(), [](char a, char b) { return same_hex(b, a); }); break;
    case Comparison::percent: same = same_percent(octets, there); break;
    case Comparison::escapes: same = same_escapes(octets, there); break;
  }
  return !same ? Match::no : there.size() < octets.size() ? Match::cut : Match::whole;
}

template <class Visit>
void LiteralMatcher::visit_bucket(std::uint64_t hash, const Visit& visit) const {
  const std::uint64_t mixed = mix(hash);
  const auto bucket = static_cast<std::uint32_t>(mixed & (buckets_ - 1)), tag = static_cast<std::uint32_t>(mixed >> 32);
  for (std::uint32_t i = first_[bucket]; i != first_[bucket + 1]; ++i)
    if (entries_[i].tag == tag) visit(entries_[i]);
}

// `visit(literal, at)`: one of whose grams is where it would be if the literal stood at `at`.
template <class Visit>
void LiteralMatcher::for_each_candidate(std::string_view bytes, const Visit& visit) const {
  std::size_t at = 0;
  const auto look = [&](std::uint64_t gram) {
    const std::uint64_t hash = hash_of(gram, gram_mask_);
    if (!is_set(present_, hash >> present_shift_)) [[likely]] return;
    visit_bucket(hash, [&](const Entry& entry) {
      if (entry.offset <= at) visit(literals_.list[entry.literal], at - entry.offset);
    });
  };
  for (; at + sizeof(std::uint64_t) <= bytes.size(); at += stride_) look(load(bytes.data() + at));
  for (; at + gram_ <= bytes.size(); at += stride_) look(load(bytes.data() + at, bytes.size() - at));
}

void LiteralMatcher::find(std::string_view bytes, std::vector<Hit>& hits) const {
  for_each_candidate(bytes, [&](const Literal& literal, std::size_t at) {
    if (compare(literal, bytes.substr(at)) == Match::whole) hits.push_back({.id = literal.id, .form = literal.form, .begin = at, .end = at + literal.size});
  });
}

std::size_t LiteralMatcher::scan(std::string_view bytes, std::vector<Hit>& hits) const {
  std::size_t cut = 0;
  for_each_candidate(bytes, [&](const Literal& literal, std::size_t at) {
    const Match match = compare(literal, bytes.substr(at));
    if (match == Match::whole) hits.push_back({.id = literal.id, .form = literal.form, .begin = at, .end = at + literal.size});
    if (match == Match::cut) cut = std::max(cut, bytes.size() - at);
  });
  return beginnings(bytes, cut);
}

std::size_t LiteralMatcher::incomplete(std::string_view bytes) const {
  const auto tail = bytes.substr(bytes.size() - std::min(bytes.size(), longest_ - 1));
  std::size_t cut = 0;
  if (tail.size() >= window_end_)
    for_each_candidate(tail, [&](const Literal& literal, std::size_t at) {
      if (compare(literal, tail.substr(at)) == Match::cut) cut = std::max(cut, tail.size() - at);
    });
  return beginnings(tail, cut);
}

// What begins so late that its grams need not have been met; `than` is what is known, only more is of interest.
std::size_t LiteralMatcher::beginnings(std::string_view bytes, std::size_t than) const {
  for (std::size_t size = std::min(bytes.size(), window_end_ - 1); size > than; --size) {
    const auto end = bytes.substr(bytes.size() - size);
    if (maybe_begins(beginning_hash(end)) && begins_one(end)) return size;
  }
  return than;
}

bool LiteralMatcher::maybe_begins(std::uint64_t hash) const { return is_set(beginnings_, hash >> begin_shift_); }

bool LiteralMatcher::begins_one(std::string_view bytes) const {
  const auto& list = literals_.list;
  const auto order = [&](std::uint32_t literal) {  // of the literal's beginning against the bytes
    const auto octets = octets_of(list[literal]).substr(0, bytes.size());
    for (std::size_t i = 0; i < octets.size(); ++i)
      if (no_case(octets[i]) != no_case(bytes[i])) return no_case(octets[i]) < no_case(bytes[i]) ? -1 : 1;
    return octets.size() < bytes.size() ? -1 : 0;
  };
  const auto* at = std::partition_point(sorted_, sorted_ + list.size(), [&](std::uint32_t literal) { return order(literal) < 0; });
  for (; at != sorted_ + list.size() && order(*at) == 0; ++at)
    if (compare(list[*at], bytes) == Match::cut) return true;
  return false;
}

}  // namespace weir::proxy::leaks
