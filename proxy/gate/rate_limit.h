// A rate as a bucket that refills steadily and starts full: an agent that begins with a burst is not refused for it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "proxy/io/loop.h"

namespace weir::proxy {

class RateLimit {
 public:
  // `count` in `seconds`; a count of 0 is no limit.
  RateLimit(std::uint32_t count, std::uint32_t seconds) : size_(count), per_ms_(seconds == 0 ? 0 : count / (seconds * 1000.0)), tokens_(count) {}

  bool has_room(io::Deadline now_ms) {
    if (size_ == 0) return true;
    if (last_ms_ != 0 && now_ms > last_ms_) tokens_ = std::min(size_, tokens_ + static_cast<double>(now_ms - last_ms_) * per_ms_);
    last_ms_ = now_ms;
    return tokens_ >= 1;
  }
  void take() {
    if (size_ != 0) tokens_ -= 1;
  }

 private:
  double size_;
  double per_ms_;
  double tokens_;
  io::Deadline last_ms_ = 0;
};

}  // namespace weir::proxy
