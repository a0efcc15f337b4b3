// What keeper and proxy say to each other over their message channel (base/message_channel.h). The keeper trusts nothing
// that comes from the proxy: the proxy parses hostile bytes and may have been taken over (SECURITY: G5). Integers are in the
// machine's own order: both ends are one program on one machine.
//
//   keeper → proxy, once:  the configuration, as a message whose descriptors are, in order: a memory file with
//                          encode_config()'s bytes, the TCP listener, the DNS UDP socket, the DNS TCP listener, the drop log,
//                          and the system's root certificates (a PEM file).
//   proxy → keeper:        'R'                                     ready: restricted and accepting
//                          'E' u64 number of the first, then events: u8 type size, type, u32 fields size, fields
//                          'S' u32 generation, u32 credential, u8 Purpose
//                                                                  asks for the secret of that credential of that policy
//                          'C' u64 question, u32 generation, u32 oauth, then for each: u32 credential, u32 size, bytes
//                                                                  tokens that were caught at that endpoint of the policy: keep them
//                          'Q' u64 question, u32 generation, u32 rule (kNoRule: the default), fields
//                                                                  asks whether a request may pass. The fields (events/event.h):
//                                                                  request, scheme, method, host, port, path, and operation,
//                                                                  operation_name where one decided
//                          'W' u64 question                        nobody waits for the answer any more
//                          'O' u64 question, Endpoints             which programs hold this connection
//                          'L' u32 generation                      that policy decides from here on
//                          'B' u32 generation, text                that policy cannot be used; the one before stays
//                          'G' u32 generation                      no request is under that policy any more
//                          'F' text                                cannot go on
//   keeper → proxy:        'A' u64 upto                            events up to this number are in the store
//                          'N' u64 upto                            those not yet acknowledged, up to this number, are not recorded
//                          'V' u32 generation, u32 credential, u8 Purpose, u8 found, bytes     the secret, or why there is none
//                          'K' u64 question, u8 kept, text         whether caught tokens are kept; why not
//                          'Y' u32 generation, u32 credential      that secret has changed or ended: forget it, ask anew
//                          'D' u64 question, u8 verdict, text      Verdict; text: who decided, or why not
//                          'H' u64 question, then for each: u16 size, path         the executables; none: not known
//                          'P' u32 generation, with a memory file of encode_policy()'s bytes: decide by this one
//                          'X'                                     finish: report what is open, then exit
//
// The policy that the configuration brings is generation 1.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "policy/document.h"

namespace weir::proxy {

struct ProxyConfig {
  std::string sandbox_id;
  std::string policy_document;      // policy::encode()
  std::string ca_certificate_pem;   // the sandbox's CA
  Secret ca_key_der;
  std::string upstream_ca_pem;      // contents of the policy's upstream.ca_file
  std::string hosts_file;           // contents of /etc/hosts: names that the host resolves without DNS
  std::vector<std::string> placeholders;  // one for each credential of the policy; empty: it has none
};

std::string encode_config(const ProxyConfig& config);
Result<ProxyConfig> decode_config(std::string_view bytes);

enum class Kind : char {
  ready = 'R',
  events = 'E',
  secret_wanted = 'S',
  tokens_caught = 'C',
  approval_wanted = 'Q',
  approval_withdrawn = 'W',
  owners_wanted = 'O',
  policy_in_force = 'L',
  policy_unusable = 'B',
  policy_released = 'G',
  failed = 'F',
  recorded = 'A',
  not_recorded = 'N',
  secret = 'V',
  tokens_kept = 'K',
  secret_withdrawn = 'Y',
  approval = 'D',
  owners = 'H',
  policy = 'P',
  finish = 'X'
};

// What a secret is wanted for: to be put into a request, which is recorded; or to be looked for in what must not hold it.
enum class Purpose : std::uint8_t { use = 0, look_for = 1 };

inline constexpr std::uint32_t kNoRule = 0xffffffff;

enum class Verdict : std::uint8_t { denied = 0, granted = 1, expired = 2 };

// The two ends of a TCP connection as the sandbox's kernel sees them: IPv6, or IPv4-mapped (RFC 4291 §2.5.5.2); ports in host order.
struct Endpoints {
  std::uint8_t source[16];
  std::uint8_t destination[16];
  std::uint16_t source_port;
  std::uint16_t destination_port;
};

// What a reload brings.
struct PolicyBundle {
  std::string policy_document;  // policy::encode()
  std::string upstream_ca_pem;  // contents of its upstream.ca_file
  std::vector<std::string> placeholders;  // as in ProxyConfig
};
std::string encode_policy(const PolicyBundle& bundle);
Result<PolicyBundle> decode_policy(std::string_view bytes);

// Fixed-size integers at the front of a message.
template <class T>
void put(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}
template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

// One event of an 'E' message, appended. Returns its size.
void put_event(std::string& out, std::string_view type, std::string_view fields);
// Takes the next event off `in`; false when what is there cannot be one.
bool take_event(std::string_view& in, std::string_view& type, std::string_view& fields);

}  // namespace weir::proxy
