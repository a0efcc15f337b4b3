// Time zones by name, from the zone database of the host.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "policy/loading/values.h"

namespace weir::policy {

class Zones {
 public:
  explicit Zones(std::string folder = "/usr/share/zoneinfo") : folder_(std::move(folder)) {}

  // What the clocks of the zone do from now on, as POSIX TZ: the footer of its file (RFC 8536 §3.3). Empty: UTC.
  const Read<std::string>& rule_of(const std::string& name);

 private:
  Read<std::string> read(const std::string& name) const;
  std::string like(const std::string& name) const;  // a hint

  std::string folder_;
  std::map<std::string, Read<std::string>> known_;
};

}  // namespace weir::policy
