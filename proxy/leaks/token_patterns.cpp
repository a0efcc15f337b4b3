#include "proxy/leaks/token_patterns.h"

#include <hs/hs_runtime.h>

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <vector>

#include "proxy/leaks/token_match.h"
#include "proxy/leaks/token_shapes.h"

namespace weir::proxy::leaks {

extern const std::span<const char> kTokenDatabase;  // made by make_token_database

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// The database as it is used, and what a scan writes to: some KiB, made when first something is looked for; a thread has its own.
class AnchorScanner {
 public:
  AnchorScanner() {
    if (hs_deserialize_database(kTokenDatabase.data(), kTokenDatabase.size(), &database_) != HS_SUCCESS || hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS)
      throw std::bad_alloc();
  }
  AnchorScanner(const AnchorScanner&) = delete;
  AnchorScanner& operator=(const AnchorScanner&) = delete;
  ~AnchorScanner() {
    hs_free_scratch(scratch_);
    hs_free_database(database_);
  }

  // `met(shape, end of the anchor)`.
  template <class Met>
  void scan(std::string_view bytes, Met& met) {
    const auto on_match = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
      (*static_cast<Met*>(context))(id, static_cast<std::size_t>(to));
      return 0;
    };
    constexpr std::size_t kMost = std::size_t{1} << 31;  // hs_scan() counts in 32 bits; nothing of ours comes near
    if (hs_scan(database_, bytes.data(), static_cast<unsigned>(std::min(bytes.size(), kMost)), 0, scratch_, on_match, &met) != HS_SUCCESS)
      throw std::bad_alloc();
  }

 private:
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
};

// The anchors by their first character, lower case; each once for each case that it may have.
struct AnchorStarts {
  std::array<std::vector<const TokenShape*>, 256> by_first;
  std::size_t longest = 0;
  AnchorStarts() {
    for (const auto& shape : token_shapes()) {
      by_first[static_cast<unsigned char>(lower(shape.anchor[0]))].push_back(&shape);
      longest = std::max(longest, shape.anchor.size());
    }
  }
};

const AnchorStarts& anchor_starts() {
  static const AnchorStarts starts;
  return starts;
}

bool begins_anchor(const TokenShape& shape, std::string_view bytes) {
  if (bytes.size() >= shape.anchor.size()) return false;
  const auto same = [&](char a, char b) { return shape.any_case ? lower(a) == lower(b) : a == b; };
  return std::equal(bytes.begin(), bytes.end(), shape.anchor.begin(), same);
}

// How many bytes at the end are the beginning of an anchor.
std::size_t cut_anchor(std::string_view bytes) {
  const auto& starts = anchor_starts();
  for (std::size_t size = std::min(bytes.size(), starts.longest - 1); size > 0; --size) {
    const auto end = bytes.substr(bytes.size() - size);
    for (const auto* shape : starts.by_first[static_cast<unsigned char>(lower(end[0]))])
      if (begins_anchor(*shape, end)) return size;
  }
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Telegram's tokens begin with a number of ten digits at most, a colon and "AA".
std::size_t cut_number(std::string_view bytes) {
  std::size_t end = bytes.size();
  if (bytes.ends_with(":A")) end -= 2;
  if (bytes.ends_with(":")) end -= 1;
  std::size_t begin = end;
  while (begin > 0 && end - begin < 11 && is_digit(bytes[begin - 1])) --begin;
  return begin == end || end - begin > 10 ? 0 : bytes.size() - begin;
}

// OpenAI's first keys have their mark in the middle: "sk-" and 20 characters come before it.
std::size_t cut_front(std::string_view bytes) {
  constexpr std::string_view kPrefix = "sk-";
  constexpr std::size_t kFront = 20, kMark = 8;
  const auto end = bytes.substr(bytes.size() - std::min(bytes.size(), kPrefix.size() + kFront + kMark));
  const std::size_t at = end.rfind(kPrefix);
  if (at == std::string_view::npos || !std::all_of(end.begin() + static_cast<std::ptrdiff_t>(at), end.end(), [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
      }))
    return 0;
  return end.size() - at;
}

struct Scanned {
  std::vector<TokenHit> hits;  // in no order
  std::size_t needed = 0;      // bytes at the end that may belong to one
};

Scanned scan(std::string_view bytes, bool last, std::string_view before) {
  Scanned scanned;
  if (bytes.empty()) return scanned;
  thread_local AnchorScanner anchors;
  const auto shapes = token_shapes();
  std::size_t from = bytes.size();
  auto met = [&](unsigned id, std::size_t end) {
    const auto& shape = shapes[id];
    const auto verdict = token_at(shape, bytes, end - shape.anchor.size(), last, before);
    if (verdict.kind == TokenVerdict::Kind::yes)
      scanned.hits.push_back({.kind = shape.kind, .begin = verdict.begin, .end = verdict.end});
    if (verdict.kind == TokenVerdict::Kind::more) from = std::min(from, verdict.begin);
  };
  anchors.scan(bytes, met);
  if (last) return scanned;
  scanned.needed = std::min(std::max({bytes.size() - from, cut_anchor(bytes), cut_front(bytes), cut_number(bytes)}), kLongestRun);
  return scanned;
}

}  // namespace

std::size_t scan_tokens(std::string_view bytes, bool last, const std::function<bool(const TokenHit&)>& found, std::string_view before) {
  auto scanned = scan(bytes, last, before);
  auto& hits = scanned.hits;
  // One text is one hit: an anchor may be met inside another's token, or mean two shapes.
  std::sort(hits.begin(), hits.end(), [](const TokenHit& a, const TokenHit& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::size_t end = 0;
  for (const auto& hit : hits) {
    if (hit.begin < end) continue;
    end = hit.end;
    if (!found(hit)) break;
  }
  return scanned.needed;
}

void find_tokens(std::string_view bytes, const std::function<bool(const TokenHit&)>& found) { (void)scan_tokens(bytes, true, found); }

std::size_t incomplete_token(std::string_view bytes) {
  const std::size_t from = bytes.size() - std::min(bytes.size(), kLongestRun);
  return scan(bytes.substr(from), false, bytes.substr(0, from)).needed;
}

}  // namespace weir::proxy::leaks
