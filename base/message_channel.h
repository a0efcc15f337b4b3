// Messages with descriptors over a SOCK_SEQPACKET Unix socket pair: one send is one receive, boundaries kept by the
// kernel (unix(7)). Blocking or not as the socket is; both ends are close-on-exec.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir {

inline constexpr std::size_t kMaxMessage = 192U * 1024;  // below the default socket buffer, so a message always fits
inline constexpr std::size_t kMaxDescriptors = 16;

Result<std::pair<UniqueFd, UniqueFd>> make_channel();

// Sends one message. The descriptors stay the caller's. "channel_full" when the socket does not block and is full.
Result<void> send_message(int channel, std::string_view bytes, std::span<const int> descriptors = {});

struct Message {
  std::string bytes;
  std::vector<UniqueFd> descriptors;
};

// Receives one message. "channel_closed" when the peer is gone, "channel_empty" when the socket does not block and
// has nothing, "channel_truncated" when a message was larger than kMaxMessage (it is lost).
Result<Message> receive_message(int channel);

}  // namespace weir
