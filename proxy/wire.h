// What keeper and proxy say to each other over their message channel (base/message_channel.h). The keeper trusts nothing
// that comes from the proxy: the proxy parses hostile bytes and may have been taken over (SECURITY: G5). Integers are in the
// machine's own order: both ends are one program on one machine.
//
//   keeper → proxy, once:  the configuration, as a message whose descriptors are, in order: a memory file with
//                          encode_config()'s bytes, the TCP listener, the DNS UDP socket, the DNS TCP listener, the drop log,
//                          and the system's root certificates (a PEM file).
//   proxy → keeper:        'R'                                     ready: restricted and accepting
//                          'E' u64 number of the first, then events: u8 type size, type, u32 fields size, fields
//                          'S' u32 credential                      asks for the secret of that credential of its policy
//                          'F' text                                cannot go on
//   keeper → proxy:        'A' u64 upto                            events up to this number are in the store
//                          'N' u64 upto                            those not yet acknowledged, up to this number, are not recorded
//                          'V' u32 credential, u8 found, bytes     the secret, or why there is none
//                          'X'                                     finish: report what is open, then exit
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

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
};

std::string encode_config(const ProxyConfig& config);
Result<ProxyConfig> decode_config(std::string_view bytes);

enum class Kind : char { ready = 'R', events = 'E', secret_wanted = 'S', failed = 'F', recorded = 'A', not_recorded = 'N', secret = 'V', finish = 'X' };

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
