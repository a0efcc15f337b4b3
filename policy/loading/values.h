// The small languages inside of a policy's values: hosts, ports, sizes, durations, rates, addresses.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "policy/document/check.h"

namespace weir::policy {

template <class T>
using Read = std::expected<T, Problem>;

Read<HostPattern> read_host_pattern(std::string_view text);  // name, *.name, *, each with :port; [v6], [v6]:port
Read<std::uint16_t> read_port(std::string_view text);        // 1 to 65535
Read<std::uint64_t> read_count(std::string_view text, std::uint64_t least, std::uint64_t most);
Read<std::uint64_t> read_size(std::string_view text);      // octets: 4096, 64KiB, 100MiB, 10GiB, 1TiB
Read<std::uint32_t> read_duration(std::string_view text);  // seconds: 30s, 5min (or 5m), 1h
Read<Rate> read_rate(std::string_view text);               // 60/min; also /s, /h, /day
Read<FixedAddress> read_fixed_address(std::string_view host,
                                      std::string_view target);  // 127.0.0.1, 127.0.0.1:8443, [::1]:8443
Read<std::string> read_proxy(std::string_view text);             // http://host:port

// A path in the file `file`: "~/" is the home directory, a relative one starts at the file's folder.
std::string resolve_path(std::string_view path, const std::string& file);

}  // namespace weir::policy
