// From what a session did to the policy that allows it: the smallest in readable form. Pure.
//
// Hosts are never generalised. Of paths, what varies becomes `*`: names of repositories and packages (three or more beside each
// other that lead equally deep), numbers, ids, hashes, dates. Where a tree is large and uneven, `/**` stands for what is below.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "policy/document.h"

namespace weir::policy {

struct Observation {
  std::string scheme;  // "https", "http": a request. "tcp", "tls": a connection that was not looked into
  std::string host;    // canonical
  std::uint16_t port = 0;
  std::string method{};
  std::string path{};  // as events have it: decoded, "%2F" for an encoded slash
  bool websocket = false;
  std::uint64_t count = 1;
  std::string refused{};  // the code with which it was refused; empty: it was let through
  bool operator==(const Observation&) const = default;
};

struct LeftOut {
  Observation seen;
  std::string why;  // a sentence
};

struct Learned {
  Document document;                  // the policy, `default: deny`, and the rules that were learned behind its own
  std::vector<std::string> comments;  // one for each of document.rules; empty for the policy's own
  std::vector<LeftOut> left_out;      // what the document does not allow, though it was asked for
  std::uint64_t requests = 0;         // that the learned rules allow
  std::uint64_t connections = 0;      // raw ones
  std::size_t rules = 0;              // learned
  std::size_t hosts = 0;              // in them
};

// `policy` is the one under which it was seen. Its rules, credentials, presets, upstream and limits are kept. decide() allows
// every observation under the result, but for those that are left out.
Learned learn(const Document& policy, std::span<const Observation> observations);

}  // namespace weir::policy
