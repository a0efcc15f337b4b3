// Chance for random documents, and the words that all of them are made of.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "policy/canonical.h"
#include "policy/document.h"

namespace weir::policy {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class Range>
  auto pick(const Range& range) {
    return *(std::begin(range) + static_cast<std::ptrdiff_t>(below(std::size(range))));
  }
  // `least` or more of them, no two alike.
  template <class Range>
  std::vector<std::string> some(std::size_t least, const Range& range) {
    std::vector<std::string> values;
    for (std::size_t i = least + below(3); i > 0; --i) {
      const std::string value(pick(range));
      if (std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
    return values;
  }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

namespace random_documents {

constexpr const char* kHosts[] = {"a.com", "x.a.com",  "y.x.a.com", "b.com",
                                  "com",   "10.0.0.1", "::1",       "xn--bcher-kva.example"};
constexpr const char* kMethods[] = {"GET", "POST", "HEAD", "ON"};
constexpr const char* kPaths[] = {"/",   "/a",  "/a/*", "/a/**", "/**/b", "/*/b",
                                  "/**", "/a*", "/a b", "/a\"b", "/a,b",  "/{x}"};
constexpr const char* kGlobs[] = {"*", "1", "yes", "null", "a*", "data-*", "x y", "\"", "a: b", "é", "- ", "1.5e3", "~"};
constexpr const char* kNames[] = {"service", "page", "q", "on", "1", "a-b"};
constexpr const char* kHeaders[] = {"x-team", "accept", "x-1"};
constexpr const char* kTypes[] = {"application/json", "image/*", "*/*+json"};
constexpr const char* kZones[] = {"", "UTC", "Europe/Berlin"};
constexpr const char* kNetworks[] = {"10.0.0.0/8", "fd00::/8", "192.168.0.0/16"};
constexpr const char* kPrograms[] = {"/usr/bin/git", "/usr/lib/git-core/**"};
constexpr const char* kOperations[] = {"query", "mutation", "subscription"};
constexpr const char* kFields[] = {"viewer", "repo*", "*"};
constexpr const char* kRpcMethods[] = {"initialize", "tools/call", "eth_get*", "notifications/*"};
constexpr std::uint16_t kPorts[] = {443, 80, 8443, 5432};

inline HostPattern host(Dice& dice, bool with_port) {
  HostPattern pattern;
  pattern.name = dice.pick(kHosts);
  if (!is_ip_literal(pattern.name) && dice.one_in(3)) pattern.kind = HostPattern::Kind::below;
  if (dice.one_in(8)) pattern = {HostPattern::Kind::any, "", {}};
  if (with_port || dice.one_in(4)) pattern.port = dice.pick(kPorts);
  return pattern;
}

inline std::vector<HostPattern> hosts(Dice& dice, bool with_port = false) {
  std::vector<HostPattern> all;
  for (std::size_t i = 1 + dice.below(3); i > 0; --i)
    if (const auto one = host(dice, with_port); std::ranges::find(all, one) == all.end()) all.push_back(one);
  return all;
}

}  // namespace random_documents
}  // namespace weir::policy
