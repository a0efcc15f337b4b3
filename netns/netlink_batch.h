// Netlink requests made ahead of time, so that the forked child that sends them needs neither memory nor libraries.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct nlmsghdr;

namespace weir::netns {

// Messages with sequence numbers 0, 1, 2 … in one buffer. A value.
struct NetlinkBatch {
  struct Step {
    std::string what;   // what the message asks for, in words, for the error
    bool ipv6 = false;  // left undone where the kernel has no IPv6, or has it switched off for the interface
  };
  std::string bytes;
  std::vector<Step> steps;       // steps[i] describes the message with sequence number i
  std::uint32_t last_reply = 0;  // the acknowledgement of this one ends the conversation

  std::uint32_t next_sequence() const { return static_cast<std::uint32_t>(steps.size()); }
  void append(const nlmsghdr* message, std::string what, bool ipv6 = false);
};

struct NetlinkOutcome {
  int error = 0;               // errno; 0: all was done
  std::uint32_t sequence = 0;  // of the message that was refused
};

// Sends the batch on a netlink socket and waits for the kernel's answers. The first refusal that counts ends it.
// Makes only system calls: fit for a forked child.
NetlinkOutcome run_batch(int netlink_socket, const NetlinkBatch& batch);

// A netlink socket that gives up after a few seconds without an answer; -1 and errno.
int open_netlink(int protocol);

}  // namespace weir::netns
