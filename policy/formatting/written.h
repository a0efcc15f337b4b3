// Values as a policy file writes them.
#pragma once

#include <cstdint>
#include <string>

#include "policy/document.h"

namespace weir::policy {

std::string written(const TimeWindow& window);        // "mon-fri 09:00-17:30 Europe/Berlin"
std::string written(const Rate& rate);                // "60/min"
std::string written(const FixedAddress& fixed);       // "127.0.0.1:8443": what stands at the host
std::string written(const HostPattern& pattern);      // "*.example.com:8443"
std::string written(const Injection& inject);         // "{query: key}"
std::string written(const Substitution& substitute);  // "{shape: \"tok-{random:40}\"}"
std::string written(const Refresh& refresh);          // "{google: {scopes: [a]}}"
std::string written(Leaks leaks);                     // "ask"
std::string written_size(std::uint64_t octets);       // "100MiB"
std::string written_duration(std::uint32_t seconds);  // "5min"

}  // namespace weir::policy
