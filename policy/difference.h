// What one policy lets through that another does not: by meaning, not by text.
//
// Both policies' conditions cut all possible requests into classes within which neither can tell one request from another.
// One request of each class is put to both, by decide() itself. Where the classes are too many, `bounds` says what was left
// out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/policy.h"

namespace weir::policy {

// A request that owns what a Request only points to.
struct SampleRequest {
  std::string scheme = "https", host, method = "GET", path = "/";  // path: decoded
  std::uint16_t port = 443;
  CanonicalPath canonical;
  std::vector<std::pair<std::string, std::vector<std::string>>> query, headers;  // names with their values
  bool unsound_query = false;
  bool websocket = false;
  bool has_body = false;
  Body body;
  std::int64_t now = 0;
  std::vector<std::string> process;

  // Calls use(Request) with views that are good for the call.
  template <class Use>
  auto with_request(Use&& use) const {
    const std::string query_text = query_string();
    std::vector<HeaderField> fields;
    for (const auto& [name, values] : headers)
      for (const auto& value : values) fields.push_back({name, value});
    Request request;
    request.scheme = scheme;
    request.host = host;
    request.port = port;
    request.method = method;
    request.path = &canonical;
    request.query = query_text;
    request.headers = fields;
    request.websocket = websocket;
    request.body = has_body ? &body : nullptr;
    request.now = now;
    request.process = process;
    return use(request);
  }
  std::string query_string() const;
  std::string url() const;
};

struct Change {
  // opened: B lets more through than A. closed: less. changed: neither, or not comparable.
  enum class Kind : std::uint8_t { opened, closed, changed } kind = Kind::changed;
  enum class Subject : std::uint8_t { requests, addresses, credential, oauth, leaks, rates, upstream, limits, vault } subject = Subject::requests;
  std::string name;                  // of a credential or token; the key of a limit or an upstream setting
  std::string from, to;              // "deny", "allow, body up to 1MiB"; values of settings; empty: there is none
  std::vector<std::string> schemes;  // "tcp", "tls", "https", "http"; empty: https and http alike
  std::vector<std::string> hosts;    // patterns; "other names", "other addresses": all that neither file names
  std::vector<std::string> ports;    // empty: 443 and 80; "any", "other ports"
  std::vector<std::string> methods;  // empty: any; "other methods"
  std::vector<std::string> paths;    // globs; empty: any; see `paths_but`
  std::vector<std::string> paths_but;
  // Beside `paths` and `paths_but`: paths that no glob of the files stands for alone, each an example of those that are decided
  // like it; "paths that can be read in two ways".
  std::vector<std::string> paths_like, paths_but_like;
  std::vector<std::pair<std::string, std::vector<std::string>>> conditions;  // "query page" with what it may be
  std::string rule_a, rule_b;                                                // the rules that decided; empty: the default
  std::string why_a, why_b;                                                  // why each denies: "no_rule" and so on
  std::optional<SampleRequest> example;  // of requests: one that A and B decide differently
};

struct Difference {
  std::vector<Change> changes;
  std::vector<std::string> bounds;  // what was not looked through; empty: everything was
};

// How A and B may see one request: what decide() says, TLS being carried unread only where a rule says so.
struct Verdict {
  Action action = Action::deny;
  std::string_view code;
  const Rule* rule = nullptr;
  std::uint64_t body_max = 0;
  std::vector<Rate> rates{};                 // sorted
  bool same_as(const Verdict& other) const;  // whoever asks cannot tell them apart
};
Verdict verdict_of(const Policy& policy, const Request& request);

Difference compare(const Policy& a, const Policy& b);

// One line for people: "B allows  GET, HEAD  api.github.com  /repos/*  (A denies: no rule)".
std::string describe(const Change& change);

}  // namespace weir::policy
