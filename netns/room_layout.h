// What every room looks like inside: the few numbers that the setup, the firewall and the tests share.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::netns {

// A fresh network namespace has every port free, so the listeners' ports are fixed. Below 1024 on purpose: a process
// in the room has no CAP_NET_BIND_SERVICE over it, so it can neither want these ports nor take them over when the
// proxy is gone. DNS on 53 also answers a resolver that falls back to 127.0.0.1.
inline constexpr std::uint16_t kTcpPort = 1;
inline constexpr std::uint16_t kDnsPort = 53;

inline constexpr std::uint16_t kDropLogGroup = 1;
inline constexpr std::uint32_t kDropLogSnapshot = 128;  // bytes of each rejected packet; IPv6 with extensions and ports fit

// The room's own addresses on lo, the source of all that leaves for elsewhere. They are there because glibc's
// AI_ADDRCONFIG takes a host with loopback addresses alone for one without any. 192.0.0.8 is IPv4's dummy address
// (RFC 7600), the other a unique local one (RFC 4193). Both are treated like loopback.
inline constexpr std::string_view kOwnAddress4 = "192.0.0.8";
inline constexpr std::string_view kOwnAddress6 = "fd77:6569:7200::1";

}  // namespace weir::netns
