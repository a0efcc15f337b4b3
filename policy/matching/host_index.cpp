#include "policy/matching/host_index.h"

namespace weir::policy {

void HostIndex::add(const HostPattern& pattern, std::uint32_t owner, bool any_takes_addresses) {
  const Entry entry{owner, pattern.port.value_or(0)};
  switch (pattern.kind) {
    case HostPattern::Kind::exact:
      exact_[pattern.name].add(entry);
      break;
    case HostPattern::Kind::below:
      below_[pattern.name].add(entry);
      if (pattern.name.size() <= kMaxName) below_lengths_.set(pattern.name.size());
      break;
    case HostPattern::Kind::any:
      any_name_.add(entry);
      if (any_takes_addresses) any_address_.add(entry);
      break;
  }
}

bool matches_host(const HostPattern& pattern, std::string_view host, bool any_takes_addresses) {
  switch (pattern.kind) {
    case HostPattern::Kind::exact:
      return host == pattern.name;
    case HostPattern::Kind::below:
      return !is_ip_literal(host) && host.size() > pattern.name.size() + 1 && host.ends_with(pattern.name) &&
             host[host.size() - pattern.name.size() - 1] == '.';
    case HostPattern::Kind::any:
      return any_takes_addresses || !is_ip_literal(host);
  }
  return false;
}

}  // namespace weir::policy
