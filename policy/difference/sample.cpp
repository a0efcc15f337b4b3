#include <fmt/format.h>

#include <algorithm>

#include "policy/difference.h"
#include "policy/difference/glob_classes.h"

namespace weir::policy {

namespace {

std::string query_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/*").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

std::string SampleRequest::query_string() const {
  std::string out;
  for (const auto& [name, values] : query)
    for (const auto& value : values) out += (out.empty() ? "" : "&") + query_escaped(name) + "=" + query_escaped(value);
  return unsound_query ? out + ";" : out;
}

std::string SampleRequest::url() const {
  const bool v6 = host.find(':') != std::string::npos;
  const bool usual = port == (scheme == "http" ? 80 : 443) && scheme != "tcp";
  auto out = fmt::format("{}://{}{}{}", scheme, v6 ? "[" : "", host, v6 ? "]" : "");
  if (!usual) out += fmt::format(":{}", port);
  if (scheme == "tcp" || scheme == "tls") return out;
  out += canonical.wire;
  const auto text = query_string();
  return text.empty() ? out : out + "?" + text;
}

bool Verdict::same_as(const Verdict& other) const {
  if (action != other.action) return false;
  return action == Action::deny || (body_max == other.body_max && rates == other.rates);
}

Verdict verdict_of(const Policy& policy, const Request& request) {
  // TLS is opened unless a rule says otherwise. What is neither TLS nor HTTP is carried wherever decide() lets it pass, be
  // it only by a default that is not `deny`.
  if (request.scheme == "tls") {
    const bool carried = policy.treatment_of(request.host, request.port) != Treatment::inspect;
    if (!carried) return {.action = Action::deny, .code = "no_rule", .rule = nullptr, .body_max = 0};
  }
  const auto decision = policy.decide(request);
  Verdict verdict{decision.action, decision.code, decision.rule, decision.body_max};
  for (const auto index : decision.rates) verdict.rates.push_back(*policy.document().rules[index].rate);
  std::ranges::sort(verdict.rates, {}, [](const Rate& rate) { return std::pair(rate.seconds, rate.count); });
  return verdict;
}

}  // namespace weir::policy
