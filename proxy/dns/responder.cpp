#include "proxy/dns/responder.h"

#include <arpa/inet.h>

#include <utility>

#include "base/text.h"
#include "policy/canonical.h"
#include "proxy/dns/wire.h"

namespace weir::proxy {
namespace {

using dns::Reply;

constexpr std::string_view kNotAllowed = "weir: the sandbox's policy has no rule that could allow this name";
constexpr std::string_view kNotAName = "weir: this is not a host name";
constexpr std::string_view kNotHere = "weir: answers questions of class IN for single records only";
constexpr std::string_view kFull = "weir: this sandbox has asked for too many different names";

constexpr std::uint8_t kBadVersion = 1;  // the upper bits of BADVERS, 16 (RFC 6891 §9)

Reply refusal(std::string_view text) {
  return {.rcode = LDNS_RCODE_REFUSED, .extended_error = LDNS_EDE_PROHIBITED, .extended_error_text = std::string(text)};
}

bool asks_v4(ldns_rr_type type) { return type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_ANY; }
bool asks_v6(ldns_rr_type type) { return type == LDNS_RR_TYPE_AAAA || type == LDNS_RR_TYPE_ANY; }

// Types that are no records but requests of another kind (RFC 6895 §3.1: 128 to 255), and the zone's own machinery.
bool is_meta(ldns_rr_type type) {
  return type == LDNS_RR_TYPE_OPT || type == 0 || (type >= 128 && type < 256 && type != LDNS_RR_TYPE_ANY);
}

// RFC 6761 §6.3: localhost and all below it are loopback, and no server is asked.
bool is_localhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

void add_addresses(Reply& reply, const ldns_rr& question, in_addr v4, const in6_addr& v6) {
  const ldns_rr_type type = ldns_rr_get_type(&question);
  if (asks_v4(type)) reply.answers.push_back(dns::address_record(question, v4));
  if (asks_v6(type)) reply.answers.push_back(dns::address_record(question, v6));
}

std::string_view verdict_of(const Reply& reply) {
  if (!reply.answers.empty()) return "answered";
  if (reply.rcode == LDNS_RCODE_NOERROR || reply.rcode == LDNS_RCODE_NXDOMAIN) return "empty";
  return "refused";
}

// The answer for the address in a reverse name; nullopt when it is none of ours to speak for.
std::optional<Reply> reverse_reply(const ldns_rr& question, std::string_view name, const SyntheticAddresses& addresses) {
  if (ldns_rr_get_type(&question) != LDNS_RR_TYPE_PTR) return std::nullopt;
  const auto address = dns::reverse_address(name);
  if (!address) return std::nullopt;
  in_addr v4{};
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&*address);
  if (mapped) v4.s_addr = address->s6_addr32[3];
  const bool loopback = mapped ? address->s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(&*address);
  Reply reply;
  if (loopback) {
    reply.answers.push_back(dns::pointer_record(question, "localhost"));
    return reply;
  }
  if (!(mapped ? addresses.in_range(v4) : addresses.in_range(*address))) return std::nullopt;
  const auto target = mapped ? addresses.name_of(v4) : addresses.name_of(*address);
  dns::Record record = target ? dns::pointer_record(question, *target) : nullptr;
  if (record)
    reply.answers.push_back(std::move(record));
  else
    reply.rcode = LDNS_RCODE_NXDOMAIN;
  return reply;
}

Reply reply_to(const dns::Query& query, std::string_view asked, SyntheticAddresses& addresses,
               const std::function<bool(std::string_view)>& allowed) {
  const ldns_rr& question = *query.question;
  const ldns_rr_type type = ldns_rr_get_type(&question);
  if (query.edns && query.edns->version > 0) return {.extended_rcode = kBadVersion};
  if (ldns_rr_get_class(&question) != LDNS_RR_CLASS_IN || is_meta(type)) return refusal(kNotHere);
  const auto name = policy::canonical_host(asked);
  // An IP literal needs no name server; as a name it would only blur what a connection is going to.
  if (!name || policy::is_ip_literal(*name)) return refusal(kNotAName);

  Reply reply;
  if (is_localhost(*name)) {
    add_addresses(reply, question, {.s_addr = htonl(INADDR_LOOPBACK)}, in6addr_loopback);
    return reply;
  }
  if (auto reversed = reverse_reply(question, *name, addresses)) return std::move(*reversed);

  // SECURITY: G1. Refused before anything is remembered: neither a query upstream nor a table entry carries a name
  // that no rule could allow.
  if (!allowed(*name)) return refusal(kNotAllowed);
  if (!asks_v4(type) && !asks_v6(type)) return reply;
  const auto index = addresses.index_of(*name);
  if (!index) {
    reply.rcode = LDNS_RCODE_SERVFAIL;
    reply.extended_error = LDNS_EDE_OTHER;
    reply.extended_error_text = kFull;
    return reply;
  }
  add_addresses(reply, question, addresses.v4(*index), addresses.v6(*index));
  return reply;
}

}  // namespace

DnsResponder::DnsResponder(SyntheticAddresses& addresses, std::function<bool(std::string_view)> allowed)
    : addresses_(addresses), allowed_(std::move(allowed)) {}

DnsOutcome DnsResponder::answer(std::string_view query_bytes, bool udp) {
  DnsOutcome outcome;
  outcome.verdict = "malformed";
  const auto query = dns::read_query(query_bytes);
  if (!query) return outcome;
  if (query->question) {
    outcome.name = dns::name_text(*query->question);
    outcome.qtype = dns::type_text(ldns_rr_get_type(query->question.get()));
  }
  Reply reply;
  if (query->rcode != LDNS_RCODE_NOERROR) {
    reply.rcode = static_cast<std::uint8_t>(query->rcode);
  } else {
    reply = reply_to(*query, outcome.name, addresses_, allowed_);
    outcome.verdict = reply.extended_rcode != 0 ? "malformed" : verdict_of(reply);
  }
  outcome.reply = dns::write_reply(*query, reply, udp);
  return outcome;
}

}  // namespace weir::proxy
