// Queries built octet by octet, so that the tests can build wrong ones as well.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/dns/ldns_headers.h"

namespace weir::proxy::test {

inline std::string u16(unsigned value) {
  return {static_cast<char>(static_cast<unsigned char>(value >> 8U)), static_cast<char>(static_cast<unsigned char>(value))};
}

inline std::string header(unsigned id, unsigned flags, unsigned questions, unsigned answers = 0, unsigned authority = 0,
                          unsigned additional = 0) {
  return u16(id) + u16(flags) + u16(questions) + u16(answers) + u16(authority) + u16(additional);
}

// Labels of a name in presentation form; no escapes.
inline std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    out += static_cast<char>(label.size());
    out += label;
    name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  }
  return out + '\0';
}

inline constexpr unsigned kRecursionDesired = 0x0100;

inline std::string opt(unsigned udp_size = 1232, unsigned version = 0, unsigned flags = 0, std::string_view options = {}) {
  return std::string(1, '\0') + u16(41) + u16(udp_size) + std::string(1, '\0') + static_cast<char>(version) + u16(flags) +
         u16(static_cast<unsigned>(options.size())) + std::string(options);
}

inline std::string query(std::string_view name, ldns_rr_type type, bool edns = false,
                         ldns_rr_class klass = LDNS_RR_CLASS_IN) {
  return header(0x1234, kRecursionDesired, 1, 0, 0, edns ? 1 : 0) + wire_name(name) + u16(type) + u16(klass) +
         (edns ? opt() : "");
}

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, FreePacket>;

inline Packet parse(std::string_view reply) {
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(reply.data()), reply.size()) != LDNS_STATUS_OK)
    return nullptr;
  return Packet(packet);
}

inline std::string text_of(const ldns_rdf* rdata) {
  char* raw = ldns_rdf2str(rdata);
  std::string text = raw;
  LDNS_FREE(raw);
  return text;
}

// The data of the answers, as text.
inline std::string answers(const Packet& packet) {
  std::string out;
  for (std::size_t i = 0; i < ldns_pkt_ancount(packet.get()); ++i) {
    if (!out.empty()) out += ' ';
    out += text_of(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(packet.get()), i), 0));
  }
  return out;
}

}  // namespace weir::proxy::test
