// Changes that requests and connections would see.
#pragma once

#include "policy/difference/destinations.h"

namespace weir::policy {

void compare_requests(const Policy& a, const Policy& b, const Destinations& destinations, Difference& difference);

// What else the two files say: credentials, addresses, rates, upstream, limits.
void compare_settings(const Policy& a, const Policy& b, const Destinations& destinations, Difference& difference);

// Hosts and ports of a change, from the destinations at which it is seen.
void set_destinations(const std::vector<Destination>& seen, const Destinations& all, const Change& like,
                      std::vector<Change>& out);

// A rule as the meaning of its destination sees it: without name, place, hosts, ports, addresses.
Rule conditions_of(const Rule& rule);

}  // namespace weir::policy
