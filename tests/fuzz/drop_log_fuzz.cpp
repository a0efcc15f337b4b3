// The drop log carries packets that a sandbox made: its parser on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "netns/drop_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)weir::netns::parse_dropped_packet(bytes);
  std::vector<weir::netns::LoggedPacket> packets;
  weir::netns::parse_drop_messages(bytes, packets);
  if (packets.size() > size / 16) __builtin_trap();  // a message is at least its header
  return 0;
}
