// How long each wait may take, in milliseconds. Every co_await on a peer has one of these.
#pragma once

#include <cstdint>

namespace weir::proxy {

inline constexpr std::uint64_t kFirstByteMs = 60'000;          // from accept to the first byte of a client
inline constexpr std::uint64_t kHandshakeMs = 15'000;          // TLS, either side
inline constexpr std::uint64_t kHeadMs = 60'000;               // from the first byte of a request to the end of its head
inline constexpr std::uint64_t kIdleMs = 300'000;              // a kept-alive client connection between requests
inline constexpr std::uint64_t kConnectMs = 10'000;            // TCP, each address
inline constexpr std::uint64_t kResolveMs = 15'000;
inline constexpr std::uint64_t kResponseHeadMs = 900'000;      // models that think for minutes send nothing meanwhile
inline constexpr std::uint64_t kProgressMs = 900'000;          // between two pieces of a body, either way
inline constexpr std::uint64_t kPoolIdleMs = 55'000;           // an unused upstream connection
inline constexpr std::uint64_t kDrainMs = 3'000;               // for the rest of a body that nobody wants
inline constexpr std::uint64_t kFinishMs = 500;                // for connections to end after their sandbox has
inline constexpr std::uint64_t kClockMs = 15'000;              // between two looks at a policy's times
inline constexpr std::uint64_t kDnsTcpMs = 10'000;

}  // namespace weir::proxy
