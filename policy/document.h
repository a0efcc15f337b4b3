// What a policy file says, as plain values: the loader makes it, `Policy` compiles it, the channel to the proxy
// carries it. No meaning is applied here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::policy {

enum class Action : std::uint8_t { allow, log, ask, deny };  // in order of strictness; the strictest match wins

struct Place {  // where in which file something was written
  std::string file;
  int line = 0;    // from 1; 0: not from a file
  int column = 0;  // from 1
  bool operator==(const Place&) const = default;
};

struct HostPattern {
  enum class Kind : std::uint8_t { exact, below, any } kind = Kind::exact;  // example.com | *.example.com | *
  std::string name;                                                         // canonical, without "*."; empty for any
  std::optional<std::uint16_t> port;                                        // from host:port
  bool operator==(const HostPattern&) const = default;
};

struct Rule {
  std::string name;  // as written, else "rule 3"
  Action action = Action::allow;
  std::vector<HostPattern> hosts;
  std::vector<std::uint16_t> ports;    // empty: 443 and 80, or what the host pattern says
  std::vector<std::string> methods;    // empty: any; upper case
  std::vector<std::string> paths;      // globs on CanonicalPath::decoded; empty: any
  bool encoded_slash = false;          // encoded_slash: allow
  std::vector<std::string> addresses;  // CIDRs that the upstream address may also be in, though private
  Place place;
  bool operator==(const Rule&) const = default;
};

struct InjectHeader {
  std::string header;  // as written
  std::string format;  // holds "{secret}" once or more
  bool operator==(const InjectHeader&) const = default;
};

struct Credential {
  std::string name;
  std::string from;  // "env:NAME", "file:PATH" (absolute after loading), "store:ENTRY"
  std::vector<HostPattern> hosts;
  InjectHeader inject;
  bool insecure = false;  // may go over plain HTTP
  Place place;
  bool operator==(const Credential&) const = default;
};

struct FixedAddress {
  std::string host;     // canonical
  std::string address;  // canonical IP literal
  std::optional<std::uint16_t> port;
  bool operator==(const FixedAddress&) const = default;
};

struct Upstream {
  std::string ca_file;  // absolute after loading; empty: none
  std::string proxy;    // "http://host:port" or empty
  std::vector<FixedAddress> resolve;
  bool operator==(const Upstream&) const = default;
};

struct Limits {
  std::uint32_t connections = 256;
  std::uint64_t request_body = 10ULL << 30;
  std::uint64_t response_body = 100ULL << 30;
  std::uint32_t requests_per_minute = 0;  // 0: no limit
  bool operator==(const Limits&) const = default;
};

struct Document {
  std::string file;  // the file that `weir` was given
  Action default_action = Action::deny;
  std::vector<std::string> use;  // presets that were merged in (their rules and credentials are in the vectors below)
  std::vector<Credential> credentials;
  std::vector<Rule> rules;
  Upstream upstream;
  Limits limits;
  bool operator==(const Document&) const = default;
};

// For the channel between keeper and proxy (CBOR). decode() refuses anything that encode() would not write.
std::string encode(const Document& document);
Result<Document> decode(std::string_view bytes);

}  // namespace weir::policy
