// The policy that a session teaches: small, readable, and it allows what was seen.
#include "policy/learning.h"

#include <random>

#include "policy/formatting.h"
#include "policy/learning/observed_path.h"
#include "policy/learning/path_patterns.h"
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Observation seen(const std::string& method, const std::string& url, std::uint64_t count = 1) {
  const auto target = parse_target(url);
  if (!target) throw std::runtime_error(target.error().message);
  const bool raw = target->scheme == "tcp" || target->scheme == "tls";
  return {.scheme = target->scheme,
          .host = target->host,
          .port = target->port,
          .method = raw ? "" : method,
          .path = raw ? "" : target->path.decoded,
          .websocket = target->websocket,
          .count = count};
}

// "name: methods hosts paths", for each learned rule.
std::vector<std::string> rules_of(const Learned& learned) {
  std::vector<std::string> all;
  for (std::size_t i = learned.document.rules.size() - learned.rules; i < learned.document.rules.size(); ++i) {
    const auto& rule = learned.document.rules[i];
    std::string text = rule.name + ":";
    for (const auto& method : rule.methods) text += " " + method;
    for (const auto& path : rule.paths) text += " " + path;
    all.push_back(text);
  }
  return all;
}

std::vector<std::string> globs_of(const std::vector<std::string>& paths) {
  std::vector<SeenPath> all;
  for (const auto& path : paths) all.push_back({path, 1});
  std::vector<std::string> globs;
  for (const auto& pattern : generalise(all)) globs.push_back(pattern.glob);
  return globs;
}

Action verdict_of(const Learned& learned, std::string_view method, std::string_view url) {
  const auto policy = Policy::compile(learned.document);
  if (!policy) throw std::runtime_error(policy.error().message);
  return verdict(*policy, method, url);
}

TEST(Learning, MakesOneRuleOfWhatAHostWasReadFor) {
  const auto learned = learn({}, std::vector{seen("GET", "https://api.test/v1/models"), seen("HEAD", "https://api.test/")});
  EXPECT_THAT(rules_of(learned), ElementsAre("read api.test: GET HEAD / /v1/models"));
  EXPECT_THAT(learned.left_out, IsEmpty());
  EXPECT_EQ(learned.document.default_action, Action::deny);
  EXPECT_EQ(learned.requests, 2U);
}

TEST(Learning, KeepsReadingAndWritingApart) {
  const auto learned = learn({}, std::vector{seen("GET", "https://git.test/a/b/info/refs"),
                                             seen("POST", "https://git.test/a/b/git-upload-pack")});
  EXPECT_THAT(rules_of(learned),
              ElementsAre("read git.test: GET HEAD /a/b/info/refs", "POST git.test: POST /a/b/git-upload-pack"));
  EXPECT_EQ(verdict_of(learned, "POST", "https://git.test/a/b/info/refs"), Action::deny);
}

TEST(Learning, PutsHostsWithTheSameRequestsIntoOneRule) {
  const auto learned = learn({}, std::vector{seen("GET", "https://a.test/x", 7), seen("GET", "https://b.test/x", 5),
                                             seen("GET", "https://c.test/y")});
  EXPECT_THAT(rules_of(learned), ElementsAre("read a.test and 1 more: GET HEAD /x", "read c.test: GET HEAD /y"));
  EXPECT_THAT(learned.comments, ElementsAre("12 requests: a.test 7, b.test 5", "1 request"));
  EXPECT_EQ(learned.hosts, 3U);
}

TEST(Learning, NeverGeneralisesHosts) {
  const auto learned = learn({}, std::vector{seen("GET", "https://n1.cdn.test/"), seen("GET", "https://n2.cdn.test/"),
                                             seen("GET", "https://n3.cdn.test/"), seen("GET", "https://n4.cdn.test/")});
  ASSERT_EQ(learned.rules, 1U);
  EXPECT_EQ(learned.document.rules[0].hosts.size(), 4U);
  EXPECT_EQ(verdict_of(learned, "GET", "https://n5.cdn.test/"), Action::deny);
}

TEST(Learning, NamesPortsThatAreNotUsual) {
  const auto learned = learn({}, std::vector{seen("GET", "https://a.test:8443/"), seen("GET", "http://b.test/")});
  EXPECT_THAT(rules_of(learned), ElementsAre("read a.test:8443 and 1 more: GET HEAD /"));
  EXPECT_EQ(verdict_of(learned, "GET", "https://a.test/"), Action::deny);
  EXPECT_EQ(verdict_of(learned, "GET", "http://b.test/"), Action::allow);
}

TEST(Learning, GivesWebSocketsARuleOfTheirOwn) {
  const auto learned = learn({}, std::vector{seen("GET", "wss://a.test/live")});
  ASSERT_EQ(learned.rules, 1U);
  EXPECT_EQ(learned.document.rules[0].websocket, std::optional(true));
  EXPECT_EQ(verdict_of(learned, "GET", "wss://a.test/live"), Action::allow);
  EXPECT_EQ(verdict_of(learned, "GET", "https://a.test/live"), Action::deny);
}

TEST(Learning, OpensRawConnectionsOneByOne) {
  const auto learned = learn({}, std::vector{seen("", "tcp://db.test:5432", 3), seen("", "tcp://mail.test:25")});
  EXPECT_THAT(rules_of(learned), ElementsAre("connect to db.test:5432:", "connect to mail.test:25:"));
  EXPECT_THAT(learned.comments, ElementsAre("3 connections", "1 connection"));
  EXPECT_EQ(verdict_of(learned, "", "tcp://db.test:5432"), Action::allow);
  EXPECT_EQ(learned.connections, 4U);
}

TEST(Learning, OpensNoRawConnectionWhereACredentialGoes) {
  const auto policy = document_of(
      "credentials: {t: {from: 'env:T', hosts: ['a.test:5432'], inject: {header: X-T, format: '{secret}'}}}\n");
  const auto learned = learn(policy, std::vector{seen("", "tcp://a.test:5432"), seen("", "tcp://b.test:5432")});
  EXPECT_THAT(rules_of(learned), ElementsAre("connect to b.test:5432:"));
  ASSERT_EQ(learned.left_out.size(), 1U);
  EXPECT_EQ(learned.left_out[0].seen.host, "a.test");
  EXPECT_THAT(learned.left_out[0].why, HasSubstr("needs to look into"));
}

TEST(Learning, KeepsThePolicyUnderWhichItWasSeen) {
  const auto policy = document_of(
      "default: log\nuse: [anthropic]\n"
      "rules: [{name: mine, hosts: [a.test], methods: [GET]}, {name: never, hosts: [b.test], action: deny}]\n"
      "limits: {connections: 7}\n");
  const auto learned = learn(policy, std::vector{seen("GET", "https://a.test/x"), seen("POST", "https://a.test/x")});
  EXPECT_EQ(learned.document.default_action, Action::deny);
  EXPECT_EQ(learned.document.use, policy.use);
  EXPECT_EQ(learned.document.limits, policy.limits);
  EXPECT_THAT(rules_of(learned), ElementsAre("POST a.test: POST /x"));
  ASSERT_EQ(learned.comments.size(), learned.document.rules.size());
  EXPECT_EQ(learned.comments[0], "");
}

TEST(Learning, SaysWhatItCannotAllow) {
  auto ambiguous = seen("GET", "https://a.test/");
  ambiguous.path = "/x//y";
  auto refused = seen("GET", "https://a.test/gists");
  refused.refused = "rule_denies";
  const auto policy = document_of("rules: [{hosts: [a.test], paths: [/gists], action: deny}]\n");
  const auto learned = learn(policy, std::vector{ambiguous, refused, seen("get", "https://a.test/z")});
  EXPECT_EQ(learned.rules, 0U);
  std::vector<std::string> why;
  for (const auto& left_out : learned.left_out) why.push_back(left_out.why);
  EXPECT_THAT(why, testing::UnorderedElementsAre(HasSubstr("two servers"), HasSubstr("rule_denies"), HasSubstr("method")));
}

TEST(Learning, LearnsFromDenialsThatNoRuleMade) {
  auto denied = seen("GET", "https://a.test/x");
  denied.refused = "no_rule";
  EXPECT_THAT(rules_of(learn({}, std::vector{denied})), ElementsAre("read a.test: GET HEAD /x"));
}

TEST(Learning, AllowsEncodedSlashesWhereTheyWereSeen) {
  const auto learned = learn({}, std::vector{seen("GET", "https://r.test/@a%2Fb"), seen("GET", "https://r.test/plain")});
  ASSERT_EQ(learned.rules, 1U);
  EXPECT_TRUE(learned.document.rules[0].encoded_slash);
  EXPECT_THAT(learned.left_out, IsEmpty());
  EXPECT_EQ(verdict_of(learned, "GET", "https://r.test/@a%2fb"), Action::allow);
}

TEST(Learning, WritesAFileThatMeansTheSame) {
  const auto policy = document_of("upstream: {resolve: {a.test: '127.0.0.1:8443'}}\n");
  const auto learned = learn(policy, std::vector{seen("GET", "https://a.test/it's \"here\": {x}"), seen("GET", "https://a.test/1.0"),
                                                 seen("", "tcp://b.test:5432"), seen("GET", "wss://a.test/live")});
  EXPECT_THAT(learned.left_out, IsEmpty());
  const auto text = to_yaml(learned.document, learned.comments);
  const auto loaded = load_text(text, "/etc/weir/learned.yaml");
  ASSERT_TRUE(loaded.ok()) << text << all_messages(loaded);
  EXPECT_THAT(text, HasSubstr("# 1 request\n"));
  const auto again = Policy::compile(loaded.document);
  ASSERT_TRUE(again);
  EXPECT_EQ(verdict(*again, "GET", "https://a.test/it's%20\"here\":%20{x}"), Action::allow);
  EXPECT_EQ(verdict(*again, "GET", "https://a.test/1.1"), Action::deny);
}

TEST(LearnedPaths, LeaveThreeAlikeOpen) {
  EXPECT_THAT(globs_of({"/a/x", "/b/x"}), ElementsAre("/a/x", "/b/x"));
  EXPECT_THAT(globs_of({"/a/x", "/b/x", "/c/x"}), ElementsAre("/*/x"));
  EXPECT_THAT(globs_of({"/org/a/info/refs", "/org/b/info/refs", "/org/c/info/refs"}), ElementsAre("/org/*/info/refs"));
}

TEST(LearnedPaths, TakeWhatLeadsElsewhereForSomethingElse) {
  EXPECT_THAT(globs_of({"/user", "/rate_limit", "/repos/a/b/pulls", "/orgs/a"}),
              ElementsAre("/orgs/a", "/rate_limit", "/repos/a/b/pulls", "/user"));
}

TEST(LearnedPaths, TellValuesByTheirLook) {
  for (const auto* value : {"123", "20240101", "2024-01-01", "2024-01", "6d3f8a2c", "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
                            "sha256:0123", "msg_01XFDUDYJgAACzvnptvVoYEL", "2024-01-01T10:00:00Z"})
    EXPECT_TRUE(looks_like_a_value(value)) << value;
  for (const auto* name : {"v1", "1", "2", "info", "refs", "git-upload-pack", "deadbeef", "left-pad-1.3.0.tgz", "chat", "", "*"})
    EXPECT_FALSE(looks_like_a_value(name)) << name;
  EXPECT_THAT(globs_of({"/items/4711/parts"}), ElementsAre("/items/*/parts"));
  EXPECT_THAT(globs_of({"/api/2/issue"}), ElementsAre("/api/2/issue"));
  EXPECT_THAT(globs_of({"/page/1", "/page/2"}), ElementsAre("/page/*"));
}

TEST(LearnedPaths, ReadAPackageRegistryWell) {
  EXPECT_THAT(globs_of({"/left-pad", "/left-pad/-/left-pad-1.3.0.tgz", "/ms", "/ms/-/ms-2.1.3.tgz", "/debug",
                        "/debug/-/debug-4.3.4.tgz"}),
              ElementsAre("/*", "/*/-/*"));
  EXPECT_THAT(globs_of({"/simple/a/", "/simple/b/", "/simple/c/"}), ElementsAre("/simple/*/"));
}

TEST(LearnedPaths, OpenALargeUnevenTreeBelowAFolder) {
  std::vector<std::string> paths{"/status"};
  for (const std::string letter : {"a", "b"})
    for (const std::string deep : {"x", "x/y", "x/y/z", "p", "p/q", "p/q/r", "p/q/r/s"}) paths.push_back("/pool/" + letter + "/" + deep);
  EXPECT_THAT(globs_of(paths), ElementsAre("/pool/**", "/status"));
}

TEST(LearnedPaths, NeverOpenAWholeHost) {
  std::vector<std::string> paths;
  for (const std::string letter : {"a", "b"})
    for (const std::string deep : {"x", "x/y", "x/y/z", "p", "p/q", "p/q/r", "p/q/r/s"}) paths.push_back("/" + letter + "/" + deep);
  const auto globs = globs_of(paths);
  EXPECT_EQ(std::ranges::find(globs, "/**"), globs.end());
}

TEST(LearnedPaths, HoldWhatGlobsCannot) {
  EXPECT_THAT(globs_of({"/a?b"}), ElementsAre("/a*b"));
  EXPECT_THAT(globs_of({"/**/x"}), ElementsAre("/*/x"));
}

TEST(LearnedPaths, AreAmbiguousWhereTheRecordDoesNotTell) {
  for (const auto* path : {"/a//b", "/a/../b", "/a%zz", "/a%41", "/a\xEF\xBF\xBD<ff>", "/a…[cut 9000 bytes]", "", "a"})
    EXPECT_TRUE(observed_path(path).ambiguous) << path;
  for (const auto* path : {"/", "/a b", "/a?b#c", "/grüße", "/a%2Fb", "/a:b@c"}) {
    EXPECT_FALSE(observed_path(path).ambiguous) << path;
    EXPECT_EQ(observed_path(path).decoded, path);
  }
}

// Whatever was seen: it is allowed, or it is said to be left out; and nobody else's host is.
TEST(Learning, AllowsEveryObservationOrSaysWhyNot) {
  std::mt19937 random(7);
  const auto pick = [&](auto&& list) { return *(std::begin(list) + static_cast<long>(random() % std::size(list))); };
  const std::vector<std::string> segments{"a",  "b", "c",  "d", "v1", "1",  "22",   "333",    "6d3f8a2c", "x.tgz", "",    "-",
                                          "ü",  "*", "**", "?", "%2F", "..", "a b", "sha256:x", "@s",     "\\",    "..;", "#"};
  const std::vector<std::string> methods{"GET", "HEAD", "POST", "DELETE", "get", "M-SEARCH"};
  const std::vector<std::string> hosts{"a.test", "b.test", "10.1.2.3", "2001:db8::1"};
  const std::vector<std::uint16_t> ports{443, 80, 8443};
  for (int round = 0; round < 400; ++round) {
    std::vector<Observation> observations;
    for (unsigned i = 0; i < 1 + random() % 40; ++i) {
      Observation one{.scheme = pick(std::vector<std::string>{"https", "https", "https", "http", "tcp", "tls"}), .host = pick(hosts), .port = pick(ports)};
      if (one.scheme == "https" || one.scheme == "http") {
        one.method = pick(methods);
        for (unsigned depth = 0; depth < 1 + random() % 5; ++depth) one.path += "/" + pick(segments);
        one.websocket = random() % 10 == 0;
      }
      observations.push_back(one);
    }
    const auto policy = document_of(round % 2 == 0 ? "rules: []\n" : "rules: [{hosts: [a.test], methods: [GET], paths: ['/a/**']}]\n");
    const auto learned = learn(policy, observations);
    const auto compiled = Policy::compile(learned.document);
    ASSERT_TRUE(compiled) << compiled.error().message;
    const auto text = to_yaml(learned.document, learned.comments);
    ASSERT_TRUE(load_text(text, "/etc/weir/learned.yaml").ok()) << text << all_messages(load_text(text, "/etc/weir/learned.yaml"));
    for (const auto& one : observations) {
      const auto path = observed_path(one.path);
      Request request{.scheme = one.scheme, .host = one.host, .port = one.port, .method = one.method, .path = &path};
      request.websocket = one.websocket;
      const bool left_out = std::ranges::any_of(learned.left_out, [&](const LeftOut& left) {
        return left.seen.host == one.host && left.seen.path == one.path && left.seen.method == one.method;
      });
      EXPECT_TRUE(left_out || compiled->decide(request).action == Action::allow) << one.method << " " << one.path << "\n" << text;
    }
    const auto other = canonical_path("/a");
    EXPECT_EQ(compiled->decide({.scheme = "https", .host = "c.test", .port = 443, .method = "GET", .path = &other}).action, Action::deny);
  }
}

}  // namespace
}  // namespace weir::policy
