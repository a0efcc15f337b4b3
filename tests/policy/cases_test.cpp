// A deployment's own table of requests and verdicts.
#include "policy/cases.h"

#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'772'445'600;  // 2026-03-02T10:00Z, a Monday

std::vector<Case> cases_of(const std::string& text) {
  const auto cases = load_cases("version: 1\ncases:\n" + text, "/etc/weir/test.cases.yaml");
  if (!cases) throw std::runtime_error(cases.error().message);
  return *cases;
}

std::string error_in(const std::string& text) {
  const auto cases = load_cases(text, "c.yaml");
  return cases ? "no error" : cases.error().message;
}

std::vector<std::string> differences(const Policy& policy, const std::string& text) {
  const auto outcome = run_case(policy, cases_of(text).at(0), kNow);
  if (!outcome) throw std::runtime_error(outcome.error().message);
  return outcome->differences;
}

TEST(Cases, HoldEverythingThatARequestIs) {
  const auto cases = cases_of(
      "- name: all of it\n  method: POST\n  url: https://a.test/x?y=1\n  headers: {Content-Type: application/json, X-Team: [a, b]}\n"
      "  body: '{}'\n  process: /usr/bin/git\n  at: 2026-03-02T11:00+01:00\n  websocket: false\n"
      "  expect: deny\n  rule: r\n  code: rule_denies\n  credential: none\n");
  ASSERT_EQ(cases.size(), 1U);
  const auto& one = cases[0];
  EXPECT_EQ(one.name, "all of it");
  EXPECT_EQ(one.request.method, "POST");
  EXPECT_EQ(one.request.headers.size(), 3U);
  EXPECT_EQ(one.request.body, "{}");
  EXPECT_THAT(one.request.process, ElementsAre("/usr/bin/git"));
  EXPECT_EQ(one.request.at, kNow);
  EXPECT_EQ(one.expect, Action::deny);
  EXPECT_EQ(one.place.line, 3);
}

TEST(Cases, AreNamedByTheirRequestWhenNobodyNamesThem) {
  EXPECT_EQ(cases_of("- {url: 'https://a.test/', expect: deny}\n")[0].name, "https://a.test/");
  EXPECT_EQ(cases_of("- {method: PUT, url: 'https://a.test/', expect: deny}\n")[0].name, "PUT https://a.test/");
}

TEST(Cases, AreReadAsStrictlyAsPolicies) {
  EXPECT_THAT(error_in(""), HasSubstr("the file is empty"));
  EXPECT_THAT(error_in("cases: []\n"), HasSubstr("needs the key `version`"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {ulr: 'https://a.test/', expect: deny}\n"), HasSubstr("did you mean `url`?"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {url: 'https://a.test/', expect: denny}\n"), HasSubstr("did you mean `deny`?"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {url: 'https://a.test/'}\n"), HasSubstr("needs the key `expect`"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {url: 'a.test', expect: deny}\n"), HasSubstr("c.yaml:3:3: error: `a.test` has no scheme"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {url: 'https://a.test/', at: noon, expect: deny}\n"), HasSubstr("`noon` is not a time"));
  EXPECT_THAT(error_in("version: 1\ncases:\n- {url: 'https://a.test/', expect: allow, code: no_rule}\n"), HasSubstr("only a denial"));
}

TEST(Cases, TellAllErrorsAtOnce) {
  const auto error = error_in("version: 1\ncases:\n- {url: 'https://a.test/', expect: x}\n- {urk: y, expect: deny}\n");
  EXPECT_THAT(error, HasSubstr("`x` is not a verdict"));
  EXPECT_THAT(error, HasSubstr("did you mean `url`?"));
}

TEST(Cases, DescribeNothingThatIsNotLookedAt) {
  const auto made = [](const std::string& keys) { return error_in("version: 1\ncases:\n- {expect: deny, " + keys + "}\n"); };
  EXPECT_THAT(made("url: 'tcp://a.test:1', method: GET"), HasSubstr("has no method"));
  EXPECT_THAT(made("url: 'tls://a.test', headers: {a: b}"), HasSubstr("has no headers"));
  EXPECT_THAT(made("url: 'tls://a.test', body: x"), HasSubstr("has no body"));
  EXPECT_THAT(made("url: 'https://a.test/', headers: {host: b.test}"), HasSubstr("follows from the URL"));
  EXPECT_THAT(made("url: 'https://a.test/', headers: {'a b': c}"), HasSubstr("not the name of a header"));
  EXPECT_THAT(made("url: 'https://a.test/', body: x, body_size: 4KiB"), HasSubstr("leave the size out"));
  EXPECT_THAT(made("url: 'https://a.test/', process: git"), HasSubstr("not an absolute path"));
}

TEST(Cases, SayWhatDiffers) {
  const auto policy = policy_of("rules: [{name: read, hosts: [a.test], methods: [GET]}]\n");
  EXPECT_THAT(differences(policy, "- {url: 'https://a.test/', expect: allow, rule: read}\n"), IsEmpty());
  EXPECT_THAT(differences(policy, "- {url: 'https://a.test/', expect: deny}\n"), ElementsAre("expected deny, got allow"));
  EXPECT_THAT(differences(policy, "- {url: 'https://a.test/', expect: allow, rule: write}\n"), ElementsAre("expected rule write, got read"));
  EXPECT_THAT(differences(policy, "- {url: 'https://b.test/', expect: deny, code: rule_denies}\n"),
              ElementsAre("expected code rule_denies, got no_rule"));
  EXPECT_THAT(differences(policy, "- {url: 'https://b.test/', expect: deny, rule: default, code: no_rule}\n"), IsEmpty());
}

TEST(Cases, KnowWhichCredentialGoes) {
  const auto policy = policy_of(
      "credentials: {t: {from: 'env:T', hosts: [a.test], inject: {header: X-T, format: '{secret}'}}}\n"
      "rules: [{hosts: [a.test, b.test], methods: [GET]}]\n");
  EXPECT_THAT(differences(policy, "- {url: 'https://a.test/', expect: allow, credential: t}\n"), IsEmpty());
  EXPECT_THAT(differences(policy, "- {url: 'http://a.test/', expect: allow, credential: none}\n"), IsEmpty());
  EXPECT_THAT(differences(policy, "- {url: 'https://b.test/', expect: allow, credential: t}\n"), ElementsAre("expected credential t, got none"));
  EXPECT_THAT(differences(policy, "- {url: 'https://a.test/', expect: allow, credential: none}\n"), ElementsAre("expected credential none, got t"));
  EXPECT_THAT(differences(policy, "- {method: POST, url: 'https://a.test/', expect: deny, credential: none}\n"), IsEmpty());
}

TEST(DescribedRequest, IsAWebSocketHandshakeByUrlFlagOrHeader) {
  const auto is_handshake = [](Description described) {
    const auto made = DescribedRequest::make(std::move(described), {}, kNow);
    return made && made->request().websocket;
  };
  EXPECT_TRUE(is_handshake({.method = "", .url = "wss://a.test/"}));
  EXPECT_TRUE(is_handshake({.method = "", .url = "https://a.test/", .websocket = true}));
  EXPECT_TRUE(is_handshake({.method = "", .url = "https://a.test/", .headers = {{"Upgrade", "WebSocket"}}}));
  EXPECT_FALSE(is_handshake({.method = "", .url = "https://a.test/"}));
}

TEST(DescribedRequest, CannotReadABodyBeyondTheLimit) {
  Limits limits;
  limits.inspected_body = 4;
  const auto made = DescribedRequest::make({.method = "POST", .url = "https://a.test/", .body = "{\"a\":1}"}, limits, kNow);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->body().rpc.state, Reading::State::unreadable);
  EXPECT_THAT(made->body().rpc.problem, HasSubstr("inspected_body"));
  EXPECT_EQ(made->request().body_size, 7U);
}

TEST(DescribedRequest, SurvivesBeingMoved) {
  auto made = DescribedRequest::make({.method = "GET", .url = "https://a.test/x", .headers = {{"A", "b"}}, .process = {"/p"}}, {}, kNow);
  ASSERT_TRUE(made);
  const DescribedRequest moved = std::move(*made);
  const auto request = moved.request();
  EXPECT_EQ(request.host, "a.test");
  EXPECT_EQ(request.headers[0].value, "b");
  EXPECT_EQ(request.process[0], "/p");
  EXPECT_EQ(request.path->decoded, "/x");
}

}  // namespace
}  // namespace weir::policy
