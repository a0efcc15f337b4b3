#include "events/stamp.h"

#include <algorithm>

#include "base/ids.h"
#include "base/time.h"

namespace weir::events {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's base 32
constexpr std::size_t kTime = 4;                                            // where the ten digits of the time begin
constexpr std::size_t kCount = 14;

constexpr std::array<char, 128> make_successors() {
  std::array<char, 128> next{};
  for (std::size_t i = 0; i < 32; ++i) next[static_cast<unsigned char>(kAlphabet[i])] = kAlphabet[(i + 1) % 32];
  return next;
}
constexpr auto kSuccessor = make_successors();

}  // namespace

EventIds::EventIds() { std::ranges::copy(make_id("evt"), text_.begin()); }

void EventIds::append(std::string& out, std::int64_t unix_us) {
  // A clock that is set back does not take the order back with it.
  if (const std::int64_t ms = unix_us / 1000; ms > ms_) {
    ms_ = ms;
    for (std::size_t i = 0; i < 10; ++i) text_[kTime + 9 - i] = kAlphabet[static_cast<std::size_t>(ms >> (5 * i)) & 31];
  }
  for (std::size_t i = text_.size(); i-- > kCount;) {
    text_[i] = kSuccessor[static_cast<unsigned char>(text_[i])];
    if (text_[i] != kAlphabet.front()) break;
  }
  out.append(text_.data(), text_.size());
}

void Timestamps::append(std::string& out, std::int64_t unix_us) {
  const std::int64_t second = unix_us / 1'000'000;
  std::int64_t rest = unix_us % 1'000'000;
  if (second != second_ || rest < 0) {
    text_ = format_timestamp(unix_us);
    second_ = rest < 0 ? INT64_MIN : second;
  } else {
    for (std::size_t at = 26; at-- > 20; rest /= 10) text_[at] = static_cast<char>('0' + rest % 10);
  }
  out.append(text_);
}

}  // namespace weir::events
