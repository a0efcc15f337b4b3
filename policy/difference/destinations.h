// The places at which the rules of two policies can differ: one host and port for each set of rules that can match there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/difference/dimensions.h"

namespace weir::policy {

struct Destination {
  std::string host;  // to ask with
  std::uint16_t port = 0;
  std::string host_label;  // what it stands for: "api.github.com", "*.github.com", "other names"
  std::string port_label;  // "443", "other ports"
};

// Destinations where A's and B's rules are the same, each other's place for place.
struct DestinationClass {
  std::vector<Destination> members;  // at least one
  RuleList rules_a, rules_b;         // all that match the host and port
};

struct Destinations {
  std::vector<Destination> all;
  std::vector<DestinationClass> classes;
  std::vector<std::string> port_labels;  // all there are
};

Destinations destinations_of(const Document& a, const Document& b);

}  // namespace weir::policy
