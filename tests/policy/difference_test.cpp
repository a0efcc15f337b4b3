// `weir policy diff`: what it says of each kind of change.
#include "policy/difference.h"

#include <fmt/format.h>

#include "policy_testing.h"

namespace weir::policy {
namespace {

using Lines = std::vector<std::string>;

Difference difference(const std::string& a, const std::string& b) { return compare(policy_of(a), policy_of(b)); }

std::string_view name_of(Change::Kind kind) {
  return kind == Change::Kind::opened ? "opened" : kind == Change::Kind::closed ? "closed" : "changed";
}

Lines lines(const std::string& a, const std::string& b) {
  const auto found = difference(a, b);
  Lines out;
  for (const auto& change : found.changes) out.push_back(std::string(name_of(change.kind)) + ": " + describe(change));
  for (const auto& bound : found.bounds) out.push_back("bound: " + bound);
  return out;
}

std::string one_rule(const std::string& more) {
  return "rules:\n  - {name: r, hosts: [a.com]" + (more.empty() ? "" : ", " + more) + "}\n";
}

// From a rule with `a` to one with `b`, on the same host.
Lines from_to(const std::string& a, const std::string& b) { return lines(one_rule(a), one_rule(b)); }

TEST(Difference, IsNothingWhereOnlyTheTextDiffers) {
  EXPECT_EQ(lines("rules:\n  - {name: x, hosts: [a.com], methods: [GET, HEAD]}\n",
                  "rules:\n  - {name: y, hosts: [A.com.], methods: [HEAD]}\n  - {hosts: [a.com], methods: [GET]}\n"),
            Lines{});
  EXPECT_EQ(from_to("paths: [\"/**\"]", "paths: [\"/**\", /a]"), Lines{});
  EXPECT_EQ(from_to("methods: [GET]", "methods: [GET], ports: [443, 80]"), Lines{});
}

TEST(Difference, SaysWhichHostIsNew) {
  EXPECT_EQ(lines(one_rule(""), "rules: [{name: r, hosts: [a.com, b.com]}]\n"),
            (Lines{
                "opened: B allows  any method  b.com  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhatAWildcardBringsIn) {
  EXPECT_EQ(lines(one_rule(""), "rules: [{name: r, hosts: [a.com, \"*.a.com\"]}]\n"),
            (Lines{
                "opened: B allows  any method  *.a.com  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhatANarrowerWildcardTakesAway) {
  EXPECT_EQ(lines("rules: [{name: r, hosts: [\"*\"]}]\n", "rules: [{name: r, hosts: [\"*.a.com\"]}]\n"),
            (Lines{
                "closed: B denies  any method  other names  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysWhichPortIsNew) {
  EXPECT_EQ(lines(one_rule(""), "rules: [{name: r, hosts: [a.com, \"a.com:8443\"]}]\n"),
            (Lines{
                "opened: B allows  any method  a.com (port 8443)  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhichPortsAreGone) {
  EXPECT_EQ(from_to("", "ports: [443]"),
            (Lines{
                "closed: B denies  any method  a.com (port 80)  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysWhichMethodIsNew) {
  EXPECT_EQ(from_to("methods: [GET]", "methods: [GET, POST]"),
            (Lines{
                "opened: B allows  POST  a.com  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatAnyMethodIsAllowed) {
  EXPECT_EQ(from_to("methods: [GET]", ""), (Lines{
                                               "opened: B allows  other methods  a.com  (A denies: no rule; B: rule `r`)",
                                           }));
}

TEST(Difference, SaysWhichPathIsNew) {
  EXPECT_EQ(from_to("paths: [\"/v1/*\"]", "paths: [\"/v1/*\", \"/v2/*\"]"),
            (Lines{
                "opened: B allows  any method  a.com  /v2/*  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhatANarrowerPathTakesAway) {
  EXPECT_EQ(from_to("paths: [\"/v1/**\"]", "paths: [\"/v1/*\"]"),
            (Lines{
                "closed: B denies  any method  a.com  /v1/** but /v1/*  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysThatEncodedSlashesAreAllowed) {
  EXPECT_EQ(from_to("paths: [\"/v1/**\"]", "paths: [\"/v1/**\"], encoded_slash: allow"),
            (Lines{
                "opened: B allows  any method  a.com  (like /v1/x%2Fx)  (A denies: a rule with paths is in play, and the "
                "path has an encoded slash (%2F), rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhichParameterIsAsked) {
  EXPECT_EQ(from_to("query: {page: \"*\"}", "query: {page: \"1*\"}"),
            (Lines{
                "closed: B denies  any method  a.com  query page: like \"\"  (A allows: rule `r`; B: no rule)",
                "closed: B denies  any method  a.com  query page: given with different values  (A allows: rule `r`; B: a "
                "rule with a query condition is in play, and two servers could read this query differently, rule `r`)",
            }));
}

TEST(Difference, SaysThatAParameterNeedNotBeThere) {
  EXPECT_EQ(from_to("query: {page: \"*\"}", ""),
            (Lines{
                "opened: B allows  any method  a.com  query page: absent  (A denies: no rule; B: rule `r`)",
                "opened: B allows  any method  a.com  query page: unreadable  (A denies: a rule with a query condition is "
                "in play, and two servers could read this query differently, rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhichHeaderIsAsked) {
  EXPECT_EQ(from_to("", "headers: {x-team: \"data-*\"}"),
            (Lines{
                "closed: B denies  any method  a.com  header x-team: absent, like \"\"  (A allows: rule `r`; B: no rule)",
                "closed: B denies  any method  a.com  header x-team: given with different values  (A allows: rule `r`; B: "
                "a rule with a header condition is in play, and the header is given more than once, rule `r`)",
            }));
}

TEST(Difference, SaysWhichContentTypeIsNew) {
  EXPECT_EQ(from_to("content_types: [application/json]", "content_types: [application/json, \"image/*\"]"),
            (Lines{
                "opened: B allows  any method  a.com  content type: image/*  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatBodiesMayBeLarger) {
  EXPECT_EQ(from_to("body_max: 1MiB", "body_max: 2MiB"),
            (Lines{
                "opened: B allows, body up to 2MiB any method  a.com  (A allows, body up to 1MiB: rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatBodiesAreLimited) {
  EXPECT_EQ(from_to("", "body_max: 1MiB"),
            (Lines{
                "closed: B allows, body up to 1MiB any method  a.com  (A allows: rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatTheRateIsHigher) {
  EXPECT_EQ(from_to("rate: 60/min", "rate: 100/min"),
            (Lines{
                "opened: B allows, 100/min any method  a.com  (A allows, 60/min: rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatRatesCannotBeCompared) {
  EXPECT_EQ(from_to("rate: 60/min", "rate: 1/s"),
            (Lines{
                "changed: B allows, 1/s any method  a.com  (A allows, 60/min: rule `r`; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhenItHolds) {
  EXPECT_EQ(from_to("when: [\"mon-fri 09:00-17:00\"]", "when: [\"mon-fri 09:00-18:00\"]"),
            (Lines{
                "opened: B allows  any method  a.com  time: mon-fri 09:00-18:00, not mon-fri 09:00-17:00  (A denies: no "
                "rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysFromWhichDayOn) {
  EXPECT_EQ(from_to("", "when: [\"2026-03-01T00:00Z/2026-04-01T00:00Z\"]"),
            (Lines{
                "closed: B denies  any method  a.com  time: not 2026-03-01T00:00Z/2026-04-01T00:00Z  (A allows: rule `r`; "
                "B: no rule)",
            }));
}

TEST(Difference, SaysThatHandshakesAreAllowed) {
  EXPECT_EQ(lines(one_rule(""), one_rule("") + "  - {name: live, hosts: [a.com], websocket: true}\n"),
            (Lines{
                "opened: B allows  any method  a.com  WebSocket  (A denies: no rule; B: rule `live`)",
            }));
}

TEST(Difference, SaysWhichGraphqlOperationIsNew) {
  EXPECT_EQ(from_to("graphql: {operations: [query]}", "graphql: {operations: [query, mutation]}"),
            (Lines{
                "opened: B allows  any method  a.com  body: mutation  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhichGraphqlFieldIsGone) {
  EXPECT_EQ(from_to("graphql: {operations: [query], fields: [viewer, \"repo*\"]}",
                    "graphql: {operations: [query], fields: [viewer]}"),
            (Lines{
                "closed: B denies  any method  a.com  body: query like repo  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysWhichToolIsNew) {
  EXPECT_EQ(from_to("mcp: {tools: [\"search_*\"]}", "mcp: {tools: [\"search_*\", send]}"),
            (Lines{
                "opened: B allows  any method  a.com  body: tools/call send  (A denies: no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysWhichCallIsGone) {
  EXPECT_EQ(from_to("jsonrpc: {methods: [\"eth_*\", net_version]}", "jsonrpc: {methods: [\"eth_*\"]}"),
            (Lines{
                "closed: B denies  any method  a.com  body: call net_version  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysWhichProgramIsNew) {
  EXPECT_EQ(from_to("process: [/usr/bin/git]", "process: [/usr/bin/git, /usr/bin/curl]"),
            (Lines{
                "opened: B allows  any method  a.com  process: /usr/bin/curl, /usr/bin/git with /usr/bin/curl  (A denies: "
                "no rule; B: rule `r`)",
            }));
}

TEST(Difference, SaysThatRawTcpIsCarried) {
  EXPECT_EQ(lines("rules: []\n", "rules: [{name: db, tcp: [\"a.com:5432\"]}]\n"),
            (Lines{
                "opened: B allows  any method  a.com (port 5432)  (A denies: no rule; B: rule `db`)",
                "opened: B allows  tls, tcp a.com (port 5432)  (A denies: no rule; B: rule `db`)",
            }));
}

TEST(Difference, SaysThatTlsIsCarriedUnopened) {
  EXPECT_EQ(from_to("", "tls: passthrough"),
            (Lines{
                "opened: B allows  any method  https a.com  WebSocket  (A denies: no rule; B: rule `r`)",
                "opened: B allows  tls a.com  (A denies: no rule; B: rule `r`)",
                "closed: B denies  any method  http a.com  (A allows: rule `r`; B: no rule)",
            }));
}

TEST(Difference, SaysThatItIsAskedFor) {
  EXPECT_EQ(from_to("", "action: ask"), (Lines{
                                            "closed: B asks    any method  a.com  (A allows: rule `r`; B: rule `r`)",
                                        }));
}

TEST(Difference, SaysThatItIsOnlyRecorded) {
  EXPECT_EQ(from_to("", "action: log"), (Lines{
                                            "changed: B logs    any method  a.com  (A allows: rule `r`; B: rule `r`)",
                                        }));
}

TEST(Difference, SaysThatItIsDenied) {
  EXPECT_EQ(lines(one_rule(""), one_rule("") + "  - {name: no, hosts: [a.com], methods: [DELETE], action: deny}\n"),
            (Lines{
                "closed: B denies  DELETE  a.com  (A allows: rule `r`; B: rule `no`)",
            }));
}

TEST(Difference, SaysWhatTheDefaultOpens) {
  EXPECT_EQ(lines(one_rule(""), "default: log\n" + one_rule("")),
            (Lines{
                "opened: B logs    any method  a.com  WebSocket  (A denies: no rule; B: default)",
                "opened: B logs    tcp a.com, other names, other addresses (any port)  (A denies: no rule; B: default)",
                "opened: B logs    any method  a.com (other ports)  (A denies: no rule; B: default)",
                "opened: B logs    any method  other names, other addresses (any port)  (A denies: no rule; B: default)",
            }));
}

TEST(Difference, SaysWhereACredentialIsNew) {
  EXPECT_EQ(lines("rules: []\n",
                  "credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n"),
            (Lines{
                "opened: credential t (env:T): new at a.com",
            }));
}

TEST(Difference, SaysWhereACredentialNoLongerGoes) {
  EXPECT_EQ(lines("credentials: {t: {from: env:T, hosts: [a.com, b.com], inject: {header: X-Key, format: \"{secret}\"}}}\n",
                  "credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n"),
            (Lines{
                "closed: credential t (env:T): no longer at b.com",
            }));
}

TEST(Difference, SaysThatACredentialComesFromElsewhere) {
  EXPECT_EQ(lines("credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n",
                  "credentials: {t: {from: store:t, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n"),
            (Lines{
                "changed: credential t: env:T in A, store:t in B",
            }));
}

TEST(Difference, SaysThatACredentialIsWrittenInAnotherWay) {
  EXPECT_EQ(lines("credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n",
                  "credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"Bearer {secret}\"}}}\n"),
            (Lines{
                "changed: credential t: X-Key: {secret} in A, X-Key: Bearer {secret} in B",
            }));
}

std::string used(const std::string& use) { return "credentials: {t: {from: 'store:t', hosts: [a.com], " + use + "}}\n"; }

TEST(Difference, SaysThatACredentialIsUsedInAnotherWay) {
  EXPECT_EQ(lines(used("inject: {query: k}"), used("inject: {basic: {username: me}}")),
            (Lines{"changed: credential t: {query: k} in A, {basic: {username: me}} in B"}));
  EXPECT_EQ(lines(used("inject: client_certificate"), used("inject: {aws_sigv4: {service: s3}}")),
            (Lines{"changed: credential t: client_certificate in A, {aws_sigv4: {service: s3}} in B"}));
  EXPECT_EQ(lines(used("inject: {query: k}"), used("substitute: {shape: 'x{random:16}', in: [body]}")),
            (Lines{"changed: credential t: {query: k} in A, placeholder {shape: \"x{random:16}\", in: [body]} in B"}));
  EXPECT_EQ(lines(used("substitute: {shape: 'x{random:16}'}"), used("substitute: {shape: 'x{random:16}', elsewhere: log}")),
            (Lines{"changed: credential t: placeholder {shape: \"x{random:16}\"} in A, placeholder {shape: \"x{random:16}\", elsewhere: log} in B"}));
  EXPECT_EQ(lines(used("inject: {cookie: k}"), used("inject: {cookie: K}")),
            (Lines{"changed: credential t: {cookie: k} in A, {cookie: K} in B"}));
  EXPECT_EQ(lines(used("inject: {header: X-K, format: '{secret}'}"), used("inject: {header: x-k, format: '{secret}'}")), Lines{});
  EXPECT_EQ(lines(used("inject: {query: k}"), used("inject: {query: k, format: '{secret}'}")), Lines{});
}

TEST(Difference, SaysWhatACredentialIsExchangedFor) {
  const std::string use = "inject: {query: k}";
  EXPECT_EQ(lines(used(use), used(use + ", refresh: {google: {scopes: [a]}}")),
            (Lines{"changed: credential t: used as it is in A, exchanged by {google: {scopes: [a]}} in B"}));
  EXPECT_EQ(lines(used(use + ", refresh: {google: {scopes: [a]}}"), used(use + ", refresh: {google: {scopes: [a, b]}}")),
            (Lines{"changed: credential t: exchanged by {google: {scopes: [a]}} in A, exchanged by {google: {scopes: [a, b]}} in B"}));
}

TEST(Difference, SaysWhichTokensAreNoLongerKept) {
  const std::string credentials =
      "credentials: {c: {from: 'store:c', hosts: [a.com], substitute: {shape: '{random:16}'}}, d: {from: 'store:d', hosts: [a.com], substitute: {shape: "
      "'{random:16}'}}}\n";
  const auto kept = [&](const std::string& keep) { return credentials + "oauth: [{token_url: https://l.example/t, keep: {" + keep + "}}]\n"; };
  EXPECT_EQ(lines(kept("t: c, u: d"), kept("t: d")), (Lines{"opened: token u of https://l.example/t: kept as d in A, the sandbox gets it in B",
                                                            "changed: token t of https://l.example/t: kept as c in A, kept as d in B"}));
  EXPECT_EQ(lines(credentials, kept("t: c")), (Lines{"closed: token t of https://l.example/t: the sandbox gets it in A, kept as c in B"}));
  EXPECT_EQ(lines(kept("t: c, u: d"), kept("u: d, t: c")), Lines{});
}

TEST(Difference, SaysWhatBecomesOfLeaks) {
  EXPECT_EQ(lines("leaks: deny\n", "leaks: off\n"), (Lines{"opened: leaks: deny in A, off in B"}));
  EXPECT_EQ(lines("rules: []\n", "leaks: ask\n"), (Lines{"closed: leaks: log in A, ask in B"}));
  EXPECT_EQ(lines("rules: []\n", "leaks: log\n"), Lines{});
}

TEST(Difference, SaysThatACredentialMayGoOverPlainHttp) {
  EXPECT_EQ(lines("credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}}}\n",
                  "credentials: {t: {from: env:T, hosts: [a.com], inject: {header: X-Key, format: \"{secret}\"}, insecure: "
                  "true}}\n"),
            (Lines{
                "opened: credential t: over TLS only in A, over plain HTTP too in B",
            }));
}

TEST(Difference, SaysWhichPrivateNetworksAreNamed) {
  EXPECT_EQ(from_to("addresses: [10.1.0.0/16]", "addresses: [10.0.0.0/8]"),
            (Lines{
                "opened: private addresses for a.com: 10.1.0.0/16 in A, 10.0.0.0/8 in B",
            }));
}

TEST(Difference, SaysWhichPrivateNetworksAreNoLongerNamed) {
  EXPECT_EQ(from_to("addresses: [10.0.0.0/8, 192.168.0.0/16]", "addresses: [10.0.0.0/8]"),
            (Lines{
                "closed: private addresses for a.com: 10.0.0.0/8, 192.168.0.0/16 in A, 10.0.0.0/8 in B",
            }));
}

TEST(Difference, SaysWhereTheWayUpstreamIsAnother) {
  EXPECT_EQ(
      lines("upstream: {proxy: \"http://p.com:1\"}\n", "upstream: {ca_file: /c.pem, resolve: {a.com: \"127.0.0.1:1\"}}\n"),
      (Lines{
          "changed: upstream ca_file: none in A, /c.pem in B",
          "changed: upstream proxy: http://p.com:1 in A, none in B",
          "changed: upstream resolve a.com: none in A, 127.0.0.1:1 in B",
      }));
}

TEST(Difference, SaysWhereSecretsComeFromInAnotherWay) {
  const std::string credential = "credentials: {k: {from: \"vault:secret/k#v\", hosts: [a.com], inject: {header: x-k, format: \"{secret}\"}";
  EXPECT_EQ(lines("vault: {address: \"https://one.example\"}\n" + credential + "}}\n",
                  "vault: {address: \"https://two.example\"}\n" + credential + ", ttl: 10min}}\n"),
            (Lines{
                "changed: credential k: as the source has it in A, for 10min in B",
                "changed: vault address: https://one.example in A, https://two.example in B",
            }));
}

TEST(Difference, SaysWhichLimitsAreOthers) {
  EXPECT_EQ(lines("limits: {connections: 10, request_body: 1MiB, response_body: 1MiB, requests_per_minute: 5, "
                  "inspected_body: 1KiB}\n",
                  "limits: {connections: 5, request_body: 2MiB, response_body: 1KiB, approval_wait: 10min}\n"),
            (Lines{
                "opened: limit requests_per_minute: 5 in A, no limit in B",
                "opened: limit request_body: 1MiB in A, 2MiB in B",
                "closed: limit connections: 10 in A, 5 in B",
                "closed: limit response_body: 1MiB in A, 1KiB in B",
                "changed: limit inspected_body: 1KiB in A, 1MiB in B",
                "changed: limit approval_wait: 5min in A, 10min in B",
            }));
}

TEST(Difference, SaysThatTheDefaultIsStricter) {
  EXPECT_EQ(lines("default: ask\n", "default: deny\n"),
            (Lines{
                "closed: B denies  any method  other names, other addresses (any port)  (A asks: default; B: no rule)",
                "closed: B denies  tcp other names, other addresses (any port)  (A asks: default; B: no rule)",
            }));
}

TEST(Difference, SaysThatRequestsAreCountedTogether) {
  EXPECT_EQ(lines("rules:\n  - {hosts: [a.com], rate: 60/min}\n  - {hosts: [b.com], rate: 60/min}\n",
                  "rules:\n  - {hosts: [a.com, b.com], rate: 60/min}\n"),
            (Lines{
                "changed: rates: requests are counted together in another way",
            }));
}

TEST(Difference, SaysThatADenialCoversLess) {
  EXPECT_EQ(lines(one_rule("") + "  - {name: no, hosts: [a.com], action: deny}\n",
                  one_rule("") + "  - {name: no, hosts: [a.com], methods: [POST], action: deny}\n"),
            (Lines{
                "opened: B allows  other methods  a.com  (A denies: rule `no`; B: rule `r`)",
            }));
}

TEST(Difference, SeesOfANarrowerRuleOnlyThatItIsClosed) {
  const char* const kNarrower[] = {"methods: [GET]",
                                   "paths: [\"/v1/**\"]",
                                   "query: {page: \"1*\"}",
                                   "headers: {x-team: data}",
                                   "content_types: [application/json]",
                                   "ports: [443]",
                                   "when: [mon-fri]",
                                   "graphql: {operations: [query]}",
                                   "jsonrpc: {methods: [\"eth_*\"]}",
                                   "mcp: {tools: [search]}",
                                   "process: [/usr/bin/git]",
                                   "body_max: 1MiB",
                                   "rate: 60/min",
                                   "action: ask"};
  for (const std::string narrower : kNarrower) {
    const auto there = difference(one_rule(""), one_rule(narrower)), back = difference(one_rule(narrower), one_rule(""));
    EXPECT_FALSE(there.changes.empty()) << narrower;
    for (const auto& change : there.changes) EXPECT_EQ(change.kind, Change::Kind::closed) << narrower << describe(change);
    for (const auto& change : back.changes) EXPECT_EQ(change.kind, Change::Kind::opened) << narrower << describe(change);
    EXPECT_EQ(there.bounds, Lines{}) << narrower;
  }
}

TEST(Difference, TellsGlobsFromPathsThatAreExamples) {
  const auto found =
      difference("rules: []\n", one_rule("paths: [\"/a/*\"]") + "  - {hosts: [a.com], paths: [\"/*/b\"], action: deny}\n");
  ASSERT_EQ(found.changes.size(), 1U);
  const auto& change = found.changes.front();
  EXPECT_EQ(change.paths, Lines{"/a/*"});
  EXPECT_EQ(change.paths_but, Lines{"/*/b"});
  const auto slash = difference(one_rule("paths: [\"/v1/**\"]"), one_rule("paths: [\"/v1/**\"], encoded_slash: allow"));
  ASSERT_EQ(slash.changes.size(), 1U);
  EXPECT_EQ(slash.changes.front().paths, Lines{});
  EXPECT_EQ(slash.changes.front().paths_like, Lines{"/v1/x%2Fx"});
}

// Three values, each for another glob, are doubt to rules that two values leave alone.
// Raw TCP passes by a default that is not `deny`, but not where a rule would have to look inside.
TEST(Difference, SeesWhatHappensToRawTcpAlone) {
  const std::string a = "default: ask\n" + one_rule("action: ask");
  const auto found = difference(a, "default: ask\n" + one_rule("websocket: false, action: ask"));
  ASSERT_EQ(found.changes.size(), 1U);
  EXPECT_EQ(found.changes.front().kind, Change::Kind::closed);
  EXPECT_EQ(found.changes.front().schemes, Lines{"tcp"});
}

TEST(Difference, SeesParametersThatAreGivenThreeTimes) {
  const std::string rules =
      one_rule("") +
      "  - {hosts: [a.com], query: {q: a}, action: deny}\n  - {hosts: [a.com], query: {q: b}, action: deny}\n";
  const auto found = difference(rules, rules + "  - {hosts: [a.com], query: {q: c}, action: deny}\n");
  EXPECT_EQ(found.bounds, Lines{});
  for (const auto& change : found.changes) EXPECT_EQ(change.kind, Change::Kind::closed) << describe(change);
}

TEST(Difference, SaysWhatItHasNotLookedThrough) {
  std::string many = "process: [";
  for (const char c : std::string("abcdefgh")) many += fmt::format("/bin/{}, ", c);
  const auto found = difference(one_rule(""), one_rule(many + "/bin/x]"));
  EXPECT_EQ(found.bounds, Lines{"connections held by three or more programs"});
}

}  // namespace
}  // namespace weir::policy
