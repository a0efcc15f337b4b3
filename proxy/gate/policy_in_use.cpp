#include "proxy/gate/policy_in_use.h"

#include <algorithm>

namespace weir::proxy {

Result<std::shared_ptr<PolicyInUse>> PolicyInUse::make(std::uint32_t generation, std::string_view document, const std::string& upstream_ca_pem,
                                                       std::vector<std::string> placeholders, std::string_view roots, io::Loop& loop, io::Resolver& resolver, KeeperLink& keeper,
                                                       const PolicyInUse* before) {
  auto decoded = policy::decode(document);
  if (!decoded) return std::unexpected(decoded.error());
  auto compiled = policy::Policy::compile(std::move(*decoded));
  if (!compiled) return std::unexpected(compiled.error());
  std::shared_ptr<UpstreamTls> tls;
  if (before != nullptr && before->upstream_ca_pem_ == upstream_ca_pem) {
    tls = before->tls_;
  } else {
    auto made = UpstreamTls::create(roots, upstream_ca_pem);
    if (!made) return std::unexpected(made.error());
    tls = std::move(*made);
  }
  return std::make_shared<PolicyInUse>(generation, std::move(*compiled), std::move(tls), upstream_ca_pem, std::move(placeholders), loop, resolver, keeper);
}

PolicyInUse::PolicyInUse(std::uint32_t for_generation, policy::Policy compiled, std::shared_ptr<UpstreamTls> tls, std::string ca_pem,
                         std::vector<std::string> placeholders, io::Loop& loop, io::Resolver& resolver, KeeperLink& keeper)
    : generation(for_generation), policy(std::move(compiled)),
      credentials(for_generation, policy.document(), std::move(placeholders), keeper), pool(loop, resolver, *tls, policy), tls_(std::move(tls)),
      upstream_ca_pem_(std::move(ca_pem)), keeper_(keeper), all_requests_(policy.document().limits.requests_per_minute, 60) {
  const auto& rules = policy.document().rules;
  for (std::uint32_t i = 0; i < rules.size(); ++i)
    if (rules[i].rate) rule_rates_.emplace(i, RateLimit(rules[i].rate->count, rules[i].rate->seconds));
}

PolicyInUse::~PolicyInUse() { keeper_.release_policy(generation); }

bool PolicyInUse::count_request(const policy::Decision& decision, io::Deadline now, const policy::Rule*& rule) {
  rule = nullptr;
  if (!all_requests_.has_room(now)) return false;
  for (const auto index : decision.rates) {
    const auto found = rule_rates_.find(index);
    if (found == rule_rates_.end() || found->second.has_room(now)) continue;
    rule = &document().rules[index];
    return false;
  }
  all_requests_.take();
  for (const auto index : decision.rates)
    if (const auto found = rule_rates_.find(index); found != rule_rates_.end()) found->second.take();
  return true;
}

bool PolicyInUse::names_address(const std::string& literal, std::uint16_t port) const {
  return !policy.named_addresses(literal, port).empty();
}

}  // namespace weir::proxy
