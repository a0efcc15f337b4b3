// DNS messages as bytes: what a query says, and how a reply is written. ldns does the names and the reply's records;
// nothing of a query but its question and its OPT record is ever looked into. No state, no policy.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/dns/ldns_headers.h"

namespace weir::proxy::dns {

struct FreeRecord {
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
using Record = std::unique_ptr<ldns_rr, FreeRecord>;

struct Edns {
  std::uint16_t udp_size = 512;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
};

// A query as far as it can be understood. `rcode` is what to answer where it cannot be taken further.
struct Query {
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;
  ldns_pkt_rcode rcode = LDNS_RCODE_NOERROR;  // FORMERR or NOTIMPL, or NOERROR when it is a well-formed question
  Record question;                            // null where the message has no readable question
  std::optional<Edns> edns;
};

// nullopt: not a query at all (shorter than a header, or itself a response): to be dropped, not answered.
std::optional<Query> read_query(std::string_view bytes);

std::string name_text(const ldns_rr& question);  // presentation form without the last dot; "." for the root
std::string type_text(ldns_rr_type type);

struct Reply {
  std::uint8_t rcode = LDNS_RCODE_NOERROR;
  std::uint8_t extended_rcode = 0;  // the upper eight bits (RFC 6891 §6.1.3)
  std::vector<Record> answers{};
  std::optional<std::uint16_t> extended_error{};  // RFC 8914 info-code; sent only to a client that speaks EDNS
  std::string extended_error_text{};
};

Record address_record(const ldns_rr& question, in_addr address);
Record address_record(const ldns_rr& question, const in6_addr& address);
Record pointer_record(const ldns_rr& question, std::string_view name);  // null: not a name

// The reply's bytes. Over UDP it is at most what the client takes (RFC 6891 §6.2.5), else cut down with TC set.
std::string write_reply(const Query& query, const Reply& reply, bool udp);

// The address that a name under in-addr.arpa or ip6.arpa stands for (RFC 1035 §3.5, RFC 3596 §2.5).
// `name` in lower case, without the last dot. The in6_addr is v4-mapped for in-addr.arpa.
std::optional<in6_addr> reverse_address(std::string_view name);

}  // namespace weir::proxy::dns
