// What a policy file says, as plain values: the loader makes it, `Policy` compiles it, the channel to the proxy
// carries it. No meaning is applied here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
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

// `name: glob` under `query` or `headers`. In the glob `*` stands for any characters, also none; all else is literal.
struct NamedGlob {
  std::string name;  // query: as decoded; headers: lower case
  std::string glob;
  bool operator==(const NamedGlob&) const = default;
};

// `60/min`: a bucket of `count` that refills evenly over `seconds`.
struct Rate {
  std::uint32_t count = 0;
  std::uint32_t seconds = 0;  // 1, 60, 3600 or 86400
  bool operator==(const Rate&) const = default;
};

// One entry under `when`.
//   weekly:   "mon-fri 09:00-17:30 Europe/Berlin"; days, times and zone may each be left out ("sat,sun", "22:00-06:00")
//   interval: "2026-03-01T00:00Z/2026-04-01T00:00Z" (RFC 3339 times, ISO 8601 interval)
struct TimeWindow {
  enum class Kind : std::uint8_t { weekly, interval } kind = Kind::weekly;
  std::uint8_t days = 0x7f;    // bit 0: Monday; the day on which the window begins
  std::uint16_t from = 0;      // minutes after midnight in the zone
  std::uint16_t to = 1440;     // exclusive; at or before `from`: of the next day
  std::string zone{};          // as written; empty: UTC
  std::string zone_rule{};     // what the zone means from now on, as POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3"); empty: UTC
  std::int64_t begin = 0;      // of an interval: seconds since 1970, UTC
  std::int64_t end = 0;        // exclusive
  bool operator==(const TimeWindow&) const = default;
};

// Each operation of the body counts by itself: an operation (query, mutation, subscription) with one of its root fields.
struct GraphqlCondition {
  std::vector<std::string> operations;  // of "query", "mutation", "subscription"; empty: any
  std::vector<std::string> fields;      // globs (`*` any characters) on root field names; empty: any
  bool operator==(const GraphqlCondition&) const = default;
};

// `jsonrpc: {methods}` and `mcp: {methods, tools}`: each call of the body counts by itself. A condition with `tools` and no
// `methods` is about tools/call only; with both, `tools` narrows tools/call and leaves the other methods alone.
struct RpcCondition {
  bool mcp = false;                  // written as `mcp`
  std::vector<std::string> methods;  // globs (`*` any characters); empty: any, or tools/call when there are tools
  std::vector<std::string> tools;    // globs on params.name of tools/call; mcp only
  bool operator==(const RpcCondition&) const = default;
};

struct Rule {
  std::string name;  // as written, else "rule 3"
  Action action = Action::allow;
  std::vector<HostPattern> hosts{};      // under `hosts`, or under `tcp`: then each has a port
  bool tcp = false;                    // a raw TCP connection, carried as it is; no condition on requests
  bool passthrough = false;            // tls: passthrough; TLS carried as it is; no condition on requests
  std::vector<std::uint16_t> ports{};    // empty: 443 and 80, or what the host pattern says
  std::vector<std::string> methods{};    // empty: any; upper case
  std::vector<std::string> paths{};      // globs on CanonicalPath::decoded; empty: any
  bool encoded_slash = false;          // encoded_slash: allow
  std::vector<NamedGlob> query{};        // each must be there, and every value of it match
  std::vector<NamedGlob> headers{};      // the same
  std::vector<std::string> content_types{};  // globs on the media type, lower case, without parameters; empty: any
  std::optional<std::uint64_t> body_max{};   // octets; a request that is larger is denied. Never in a rule that denies.
  std::optional<Rate> rate{};                // a request beyond it is denied. Never in a rule that denies.
  std::vector<TimeWindow> when{};            // any of them; empty: always
  std::optional<bool> websocket{};  // true: WebSocket handshakes alone. Not given: a rule that denies takes both, others none
  std::optional<GraphqlCondition> graphql{};
  std::optional<RpcCondition> rpc{};
  std::vector<std::string> process{};    // path globs on the executables that hold the connection; empty: any
  std::vector<std::string> addresses{};  // CIDRs that the upstream address may also be in, though private
  Place place;

  bool is_tunnel() const { return tcp || passthrough; }
  // Whether it looks at anything within a connection: then a tunnel to the same place would go past it.
  bool looks_inside() const {
    return !methods.empty() || !paths.empty() || !query.empty() || !headers.empty() || !content_types.empty() || body_max ||
           websocket || graphql || rpc;
  }
  bool operator==(const Rule&) const = default;
};

// How a credential's value is put into a request by weir; what the client sent in that place is dropped.
struct Injection {
  enum class Kind : std::uint8_t {
    none,                // the credential is a substitute, or is only kept for `oauth`
    header,              // `name: format`
    basic,               // Authorization: Basic, of `username` and `format` (RFC 7617)
    query,               // the parameter `name` of the target's query, percent-encoded
    cookie,              // the cookie `name` (RFC 6265)
    client_certificate,  // TLS towards the upstream: the value is a certificate chain and its key, in PEM form
    aws_sigv4            // AWS Signature Version 4: the request is signed anew; the value: see vault/aws_keys.h
  } kind = Kind::none;
  std::string name;      // header, query, cookie: as written
  std::string format;    // header, basic (the password), query, cookie: holds "{secret}" once or more
  std::string username;  // basic
  std::string region;    // aws_sigv4: empty: as the client's own signature says
  std::string service;   // aws_sigv4: the same
  bool operator==(const Injection&) const = default;
};

// The sandbox holds a placeholder, random for each sandbox and credential; weir puts the value in its place, at the
// credential's hosts only.
struct Substitution {
  std::string env;    // a variable inside that holds the placeholder; may be empty
  std::string shape;  // of the placeholder: text with `{random:N}` once or more, together 16 or more; empty: no substitution
  // Where it is replaced; at least one.
  bool in_header = true;  // any header's value, also inside the base64 of Basic
  bool in_query = false;
  bool in_path = false;
  bool in_body = false;  // JSON, form and text bodies, and WebSocket text
  bool elsewhere_logged = false;  // `elsewhere: log`: seen on its way to another host it is recorded; else the request is denied
  bool operator==(const Substitution&) const = default;
};

// What `from` is exchanged for, before it is used (`refresh`); renewed before its end. The keeper's alone: encode() leaves it out.
struct Refresh {
  enum class Kind : std::uint8_t { none, oauth2, github_app, google, aws_role } kind = Kind::none;
  std::string url;            // oauth2: token_url; github_app: api; google: token_url, empty: as the key says; aws_role: endpoint, empty: AWS's own
  std::string grant;          // oauth2: "client_credentials" (from: the client's secret) or "refresh_token" (from: the refresh token)
  std::string client_id;      // oauth2; github_app: `app`
  std::string client_secret;  // oauth2, refresh_token: a source as `from` is; empty: a public client
  bool secret_in_body = false;  // oauth2, `client_auth: body` instead of `basic` (RFC 6749 §2.3.1)
  std::string account;        // github_app: `installation`; google: `subject`; aws_role: `role` (an ARN)
  std::vector<std::string> scopes;  // oauth2, google: scopes; github_app: `repositories`
  std::vector<std::pair<std::string, std::string>> parameters;  // oauth2: more of the form (audience, resource …); github_app: `permissions`
  std::string region;         // aws_role
  std::string session;        // aws_role: `session`, the role session's name
  std::string external_id;    // aws_role
  bool web_identity = false;  // aws_role: `from` is an OIDC token (AssumeRoleWithWebIdentity); else it is keys
  std::uint32_t duration_seconds = 0;  // aws_role; 0: AWS's default
  bool operator==(const Refresh&) const = default;
};

struct Credential {
  std::string name;
  // "env:NAME", "file:PATH" (absolute after loading), "store:ENTRY", "vault:PATH#FIELD", or "exec:" and the program with its
  // arguments as a JSON list.
  std::string from;
  std::uint32_t ttl_seconds = 0;  // how long a value from `exec:` or `vault:` serves; 0: as the source has it. Not for the proxy
  std::vector<HostPattern> hosts;
  Injection inject{};         // one of these two is there, never both
  Substitution substitute{};
  Refresh refresh{};
  bool insecure = false;  // may go over plain HTTP
  Place place;
  bool substitutes() const { return !substitute.shape.empty(); }
  bool operator==(const Credential&) const = default;
};

// A token endpoint whose answers are caught: the tokens in them are kept by weir, the sandbox gets the placeholders (`oauth`).
struct OAuthCapture {
  std::string host;  // of token_url, canonical; https always
  std::uint16_t port = 443;
  std::string path;  // as a canonical path's `decoded`
  std::vector<std::pair<std::string, std::string>> keep;  // member of the answer → a credential that substitutes, `from: store:`
  Place place;
  bool operator==(const OAuthCapture&) const = default;
};

// What becomes of a request in which something has the form of a well-known token that is not weir's (`leaks`).
enum class Leaks : std::uint8_t { off, log, ask, deny };

// The HashiCorp Vault or OpenBao that `vault:` sources are read from; what is empty is taken from VAULT_*. It stays with the keeper:
// encode() leaves it out.
struct VaultServer {
  std::string address;  // "https://host:port"
  std::string name_space;
  std::string ca_file, ca_path, client_certificate, client_key;  // absolute after loading
  std::string server_name;
  std::string method;  // of the login: token, approle, jwt, kubernetes, cert, userpass
  std::string mount;   // where it is mounted; empty: the method's own name
  std::string role;    // approle's role_id, or the role's name
  std::string user;
  std::string secret;  // "env:NAME" or "file:PATH": the token, secret_id, JWT or password
  bool wrapped = false;
  bool operator==(const VaultServer&) const = default;
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
  std::uint64_t inspected_body = 1ULL << 20;  // of a body that a `graphql`, `jsonrpc` or `mcp` rule must read first
  std::uint32_t approval_seconds = 300;       // `approval_wait`: how long a request that asks is held
  bool operator==(const Limits&) const = default;
};

struct Document {
  std::string file;  // the file that `weir` was given
  Action default_action = Action::deny;
  std::vector<std::string> use;  // presets that were merged in (their rules and credentials are in the vectors below)
  std::vector<Credential> credentials;
  std::vector<OAuthCapture> oauth{};
  Leaks leaks = Leaks::log;
  std::vector<Rule> rules;
  Upstream upstream;
  VaultServer vault{};
  Limits limits;
  bool operator==(const Document&) const = default;
};

// For the channel between keeper and proxy (CBOR). decode() refuses anything that encode() would not write.
std::string encode(const Document& document);
Result<Document> decode(std::string_view bytes);
Document proxys_part(Document document);  // what encode() writes of it: without `refresh`, `ttl` and the vault section

}  // namespace weir::policy
