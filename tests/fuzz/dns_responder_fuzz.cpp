// Any octets to the DNS responder: no crash, and what comes back is a response that ldns itself can read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/dns/ldns_headers.h"
#include "proxy/dns/responder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static weir::proxy::SyntheticAddresses addresses;
  static weir::proxy::DnsResponder responder(addresses, [](std::string_view name) { return name.size() % 2 == 0; });
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto outcome = responder.answer(bytes.substr(1), (data[0] & 1U) != 0);
  if (outcome.reply.empty()) return 0;
  ldns_pkt* packet = nullptr;
  const auto status = ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(outcome.reply.data()), outcome.reply.size());
  if (status != LDNS_STATUS_OK || ldns_pkt_id(packet) != ldns_read_uint16(data + 1)) std::abort();
  ldns_pkt_free(packet);
  return 0;
}
