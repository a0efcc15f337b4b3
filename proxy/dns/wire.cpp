#include "proxy/dns/wire.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <new>

#include "base/text.h"

namespace weir::proxy::dns {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint32_t kTtl = 60;
constexpr std::uint16_t kUdpSize = 1232;     // DNS flag day 2020: fits the smallest IPv6 MTU
constexpr std::uint16_t kMaxAdditional = 4;  // OPT, a signature, and some slack; bounds the work that a query can ask for

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct FreeRdata {
  void operator()(ldns_rdf* rdata) const { ldns_rdf_deep_free(rdata); }
};
struct FreeMemory {
  void operator()(void* memory) const { LDNS_FREE(memory); }
};
using Rdata = std::unique_ptr<ldns_rdf, FreeRdata>;

// One record of the additional section, read without looking into its data. False: malformed.
bool read_additional(const std::uint8_t* wire, std::size_t size, std::size_t& at, std::optional<Edns>& edns) {
  ldns_rdf* raw = nullptr;
  const std::size_t start = at;
  if (ldns_wire2dname(&raw, wire, size, &at) != LDNS_STATUS_OK) return false;
  const Rdata owner(raw);
  if (size - at < 10) return false;
  const std::uint16_t type = ldns_read_uint16(wire + at);
  const std::uint16_t udp_size = ldns_read_uint16(wire + at + 2);
  const std::uint8_t version = wire[at + 5];
  const std::uint16_t flags = ldns_read_uint16(wire + at + 6);
  const std::uint16_t length = ldns_read_uint16(wire + at + 8);
  at += 10;
  if (size - at < length) return false;
  at += length;
  if (type != LDNS_RR_TYPE_OPT) return true;
  if (edns || wire[start] != 0) return false;  // RFC 6891 §6.1.1: one OPT at most, owned by the root
  edns = Edns{.udp_size = udp_size, .version = version, .dnssec_ok = (flags & 0x8000U) != 0};
  return true;
}

std::string finish(ldns_pkt& packet) {
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&raw, &packet, &size) != LDNS_STATUS_OK) return {};
  const std::unique_ptr<std::uint8_t, FreeMemory> owned(raw);
  return {reinterpret_cast<const char*>(raw), size};
}

void add_edns(ldns_pkt& packet, const Query& query, const Reply& reply, bool with_text) {
  if (!query.edns) return;  // RFC 6891 §7: never to a client that did not ask for it
  ldns_pkt_set_edns_udp_size(&packet, kUdpSize);
  ldns_pkt_set_edns_extended_rcode(&packet, reply.extended_rcode);
  ldns_pkt_set_edns_do(&packet, query.edns->dnssec_ok);
  if (!reply.extended_error) return;
  std::string option{static_cast<char>(*reply.extended_error >> 8U), static_cast<char>(*reply.extended_error & 0xFFU)};
  if (with_text) option += reply.extended_error_text;
  ldns_edns_option_list* list = ldns_edns_option_list_new();
  ldns_edns_option* made = ldns_edns_new_from_data(LDNS_EDNS_EDE, option.size(), option.data());
  if (list == nullptr || made == nullptr || !ldns_edns_option_list_push(list, made)) throw std::bad_alloc();
  ldns_pkt_set_edns_option_list(&packet, list);
}

std::string build(const Query& query, const Reply& reply, bool whole) {
  const std::unique_ptr<ldns_pkt, FreePacket> packet(ldns_pkt_new());
  if (!packet) throw std::bad_alloc();
  ldns_pkt_set_id(packet.get(), query.id);
  ldns_pkt_set_qr(packet.get(), true);
  ldns_pkt_set_opcode(packet.get(), static_cast<ldns_pkt_opcode>(query.opcode));
  ldns_pkt_set_rd(packet.get(), query.recursion_desired);
  ldns_pkt_set_cd(packet.get(), query.checking_disabled);
  ldns_pkt_set_ra(packet.get(), true);  // stub resolvers look for it
  ldns_pkt_set_tc(packet.get(), !whole);
  ldns_pkt_set_rcode(packet.get(), reply.rcode);
  const auto push = [&](ldns_pkt_section section, const ldns_rr& record) {
    Record copy(ldns_rr_clone(&record));
    if (!copy || !ldns_pkt_push_rr(packet.get(), section, copy.get())) throw std::bad_alloc();
    (void)copy.release();
  };
  if (query.question) push(LDNS_SECTION_QUESTION, *query.question);
  if (whole)
    for (const Record& answer : reply.answers) push(LDNS_SECTION_ANSWER, *answer);
  add_edns(*packet, query, reply, whole);
  return finish(*packet);
}

// Takes over `data`.
Record answer_record(const ldns_rr& question, ldns_rr_type type, Rdata data) {
  Record record(ldns_rr_new());
  ldns_rdf* owner = ldns_rdf_clone(ldns_rr_owner(&question));
  if (!record || !data || owner == nullptr) throw std::bad_alloc();
  ldns_rr_set_owner(record.get(), owner);
  ldns_rr_set_type(record.get(), type);
  ldns_rr_set_class(record.get(), LDNS_RR_CLASS_IN);
  ldns_rr_set_ttl(record.get(), kTtl);
  if (!ldns_rr_push_rdf(record.get(), data.get())) throw std::bad_alloc();
  (void)data.release();
  return record;
}

}  // namespace

std::optional<Query> read_query(std::string_view bytes) {
  const auto* wire = reinterpret_cast<const std::uint8_t*>(bytes.data());
  // A response is never answered, or two servers could be made to talk to each other for ever.
  if (bytes.size() < kHeader || LDNS_QR_WIRE(wire)) return std::nullopt;
  Query query;
  query.id = LDNS_ID_WIRE(wire);
  query.opcode = LDNS_OPCODE_WIRE(wire);
  query.recursion_desired = LDNS_RD_WIRE(wire);
  query.checking_disabled = LDNS_CD_WIRE(wire);
  query.rcode = LDNS_RCODE_FORMERR;
  if (query.opcode != LDNS_PACKET_QUERY) {
    query.rcode = LDNS_RCODE_NOTIMPL;
    return query;
  }
  // RFC 9619: one question. A plain query carries no answers and no authority, and is not cut.
  if (LDNS_QDCOUNT(wire) != 1 || LDNS_ANCOUNT(wire) != 0 || LDNS_NSCOUNT(wire) != 0 || LDNS_TC_WIRE(wire) ||
      LDNS_ARCOUNT(wire) > kMaxAdditional)
    return query;
  std::size_t at = kHeader;
  ldns_rr* raw = nullptr;
  if (ldns_wire2rr(&raw, wire, bytes.size(), &at, LDNS_SECTION_QUESTION) != LDNS_STATUS_OK) return query;
  Record question(raw);
  // The first name of a message has nothing to point back to: a compressed one points into the header.
  if (at != kHeader + ldns_rdf_size(ldns_rr_owner(raw)) + 4) return query;
  query.question = std::move(question);
  for (std::uint16_t left = LDNS_ARCOUNT(wire); left > 0; --left)
    if (!read_additional(wire, bytes.size(), at, query.edns)) return query;
  if (at != bytes.size()) return query;
  query.rcode = LDNS_RCODE_NOERROR;
  return query;
}

std::string name_text(const ldns_rr& question) {
  const std::unique_ptr<char, FreeMemory> text(ldns_rdf2str(ldns_rr_owner(&question)));
  if (!text) throw std::bad_alloc();
  std::string name = text.get();
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

std::string type_text(ldns_rr_type type) {
  const std::unique_ptr<char, FreeMemory> text(ldns_rr_type2str(type));
  if (!text) throw std::bad_alloc();
  return text.get();
}

Record address_record(const ldns_rr& question, in_addr address) {
  return answer_record(question, LDNS_RR_TYPE_A, Rdata(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, sizeof address, &address)));
}

Record address_record(const ldns_rr& question, const in6_addr& address) {
  return answer_record(question, LDNS_RR_TYPE_AAAA,
                       Rdata(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_AAAA, sizeof address, &address)));
}

Record pointer_record(const ldns_rr& question, std::string_view name) {
  Rdata target(ldns_dname_new_frm_str(std::string(name).c_str()));
  if (!target) return nullptr;
  return answer_record(question, LDNS_RR_TYPE_PTR, std::move(target));
}

std::string write_reply(const Query& query, const Reply& reply, bool udp) {
  std::string bytes = build(query, reply, true);
  const std::size_t limit =
      !udp ? LDNS_MAX_PACKETLEN : std::clamp<std::size_t>(query.edns ? query.edns->udp_size : 512, 512, kUdpSize);
  if (bytes.size() > limit) bytes = build(query, reply, false);
  return bytes;
}

std::optional<in6_addr> reverse_address(std::string_view name) {
  in6_addr address{};
  auto labels = split(name, '.');
  if (labels.size() == 6 && name.ends_with(".in-addr.arpa")) {
    address.s6_addr[10] = address.s6_addr[11] = 0xff;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string_view label = labels[3 - i];
      const char* end = label.data() + label.size();
      const auto [stop, error] = std::from_chars(label.data(), end, address.s6_addr[12 + i]);
      if (error != std::errc() || stop != end || (label.size() > 1 && label[0] == '0')) return std::nullopt;
    }
    return address;
  }
  if (labels.size() == 34 && name.ends_with(".ip6.arpa")) {
    for (std::size_t i = 0; i < 32; ++i) {
      std::uint8_t nibble = 0;
      const std::string_view label = labels[31 - i];
      if (label.size() != 1) return std::nullopt;
      const auto [stop, error] = std::from_chars(label.data(), label.data() + 1, nibble, 16);
      if (error != std::errc() || stop != label.data() + 1) return std::nullopt;
      address.s6_addr[i / 2] = static_cast<std::uint8_t>(address.s6_addr[i / 2] << 4U | nibble);
    }
    return address;
  }
  return std::nullopt;
}

}  // namespace weir::proxy::dns
