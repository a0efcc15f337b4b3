// `refresh`: what a credential is exchanged for.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHeader = "inject: {header: A, format: '{secret}'}";
constexpr const char* kSigned = "inject: {aws_sigv4: {}}";

std::string with(const std::string& refresh, const std::string& use = kHeader) {
  return "version: 1\ncredentials:\n  c: {from: 'env:A', hosts: [a.com], " + use + ", refresh: {" + refresh + "}}\n";
}
Refresh loaded(const std::string& refresh, const std::string& use = kHeader) {
  const auto policy = load_text(with(refresh, use), "/etc/weir/test.yaml");
  EXPECT_TRUE(policy.ok()) << all_messages(policy);
  return policy.document.credentials.at(0).refresh;
}

const std::string kOauth2 = "token_url: https://l.example/t, grant: client_credentials, client_id: me";
const std::string kToken = "token_url: https://l.example/t, grant: refresh_token, client_id: me";
const std::string kRole = "role: 'arn:aws:iam::123456789012:role/a/b', region: eu-central-1";
std::string oauth2(const std::string& more) { return "oauth2: {" + kOauth2 + more + "}"; }
std::string aws_role(const std::string& more) { return "aws_role: {" + kRole + more + "}"; }

Refresh made(Refresh::Kind kind, const std::string& url, const std::string& client_id, const std::string& account) {
  Refresh refresh;
  refresh.kind = kind;
  refresh.url = url;
  refresh.client_id = client_id;
  refresh.account = account;
  return refresh;
}

TEST(RefreshLoader, ReadsOauth2) {
  auto expected = made(Refresh::Kind::oauth2, "https://l.example/t", "me", "");
  expected.grant = "client_credentials";
  EXPECT_EQ(loaded(oauth2("")), expected);
  expected.secret_in_body = true;
  expected.scopes = {"read", "a:b"};
  expected.parameters = {{"audience", "x y"}, {"n", "1"}, {"empty", ""}};
  EXPECT_EQ(loaded(oauth2(", client_auth: body, scopes: [read, 'a:b'], parameters: {audience: 'x y', n: 1, empty: ''}")), expected);
  const auto secret = loaded("oauth2: {" + kToken + ", client_secret: 'file:s', client_auth: basic}");
  EXPECT_EQ(secret.client_secret, "file:/etc/weir/s");
  EXPECT_EQ(loaded("oauth2: {" + kToken + ", client_secret: 'store:s@3'}").client_secret, "store:s@3");
  EXPECT_EQ(loaded("oauth2: {" + kToken + "}").client_secret, "");
}

TEST(RefreshLoader, ReadsGithubApps) {
  EXPECT_EQ(loaded("github_app: {app: 12345, installation: 678}"),
            made(Refresh::Kind::github_app, "https://api.github.com", "12345", "678"));
  const auto all = loaded("github_app: {app: Iv1.a, installation: 6, api: 'https://git.example/api/v3/', repositories: [a, b.c], permissions: {contents: read}}");
  EXPECT_EQ(all.url, "https://git.example/api/v3");
  EXPECT_THAT(all.scopes, ElementsAre("a", "b.c"));
  EXPECT_EQ(all.parameters, (std::vector<std::pair<std::string, std::string>>{{"contents", "read"}}));
}

TEST(RefreshLoader, ReadsGoogle) {
  auto expected = made(Refresh::Kind::google, "http://[::1]:80/t", "", "a@b.example");
  expected.scopes = {"https://x.example/auth/a"};
  EXPECT_EQ(loaded("google: {scopes: ['https://x.example/auth/a'], subject: a@b.example, token_url: 'http://[::1]:80/t'}"), expected);
  EXPECT_EQ(loaded("google: {scopes: [a]}").url, "");
}

TEST(RefreshLoader, ReadsRoles) {
  auto expected = made(Refresh::Kind::aws_role, "", "", "arn:aws:iam::123456789012:role/a/b");
  expected.region = "eu-central-1";
  EXPECT_EQ(loaded(aws_role(""), kSigned), expected);
  const auto all = loaded(aws_role(", session: a@b, external_id: 'x:1', duration: 2h, endpoint: 'https://sts.example'"), kSigned);
  EXPECT_EQ(all.session, "a@b");
  EXPECT_EQ(all.external_id, "x:1");
  EXPECT_EQ(all.duration_seconds, 7200U);
  EXPECT_EQ(all.url, "https://sts.example");
  EXPECT_TRUE(loaded(aws_role(", web_identity: true"), kSigned).web_identity);
}

TEST(RefreshLoader, TakesUrlsThatASecretMayGoTo) {
  for (const char* url : {"https://a.example", "https://a.example:8443/x?y=z", "https://10.0.0.1/t", "https://[2001:db8::1]/t", "http://127.0.0.1/t",
                          "http://127.1.2.3:80", "http://[::1]:8080/t"})
    EXPECT_THAT(errors_in(with(std::string("google: {scopes: [a], token_url: '") + url + "'}")), IsEmpty()) << url;
}

TEST(RefreshLoader, RefusesUrlsThatNoSecretMayGoTo) {
  const std::pair<const char*, const char*> kUrls[] = {
      {"http://a.example/t", "not https"},     {"http://localhost/t", "not https"},          {"http://10.0.0.1/t", "not https"},
      {"http://127.0.0.1.example/t", "not https"}, {"http://[2001:db8::1]/t", "not https"},   {"http://127.1/t", "no usable host"},
      {"a.example/t", "not an https URL"},      {"ftp://a.example/t", "not an https URL"},     {"HTTPS://a.example", "not an https URL"},
      {"https://", "no usable host"},           {"https:///t", "no usable host"},              {"https://*.example/t", "pattern for a host"},
      {"https://a.example/t#x", "fragment"},    {"https://a.example\\t", "no URL has"},        {"https://a b/t", "no URL has"},
      {"https://::1/t", "without brackets"},    {"https://a.example:0/t", "no usable host"},   {"https://a.example/a//b", "two ways"},
      {"https://a.example/../b", "two ways"},  {"wss://a.example/t", "not an https URL"},
  };
  for (const auto& [url, message] : kUrls)
    EXPECT_THAT(errors_in(with(std::string("google: {scopes: [a], token_url: '") + url + "'}")), ElementsAre(HasSubstr(message))) << url;
}

TEST(RefreshLoader, NeverShowsAPasswordThatStandsInAUrl) {
  const auto errors = errors_in(with("google: {scopes: [a], token_url: 'https://user:hunter2@a.example/t'}"));
  EXPECT_THAT(errors, ElementsAre(HasSubstr("user name or password")));
  EXPECT_THAT(errors, ElementsAre(testing::Not(HasSubstr("hunter2"))));
}

TEST(RefreshLoader, SaysWhatIsWrong) {
  const struct {
    std::string refresh;
    const char* use;
    const char* message;
  } kCases[] = {
      {"", kHeader, "needs the key `oauth2`"},
      {"oauth: {}", kHeader, "did you mean `oauth2`?"},
      {"google: {scopes: [a]}, github_app: {app: 1, installation: 2}", kHeader, "`github_app` has no place beside `google`"},
      {"oauth2: {grant: client_credentials, client_id: me}", kHeader, "needs the key `token_url`"},
      {"oauth2: {token_url: https://l.example/t, client_id: me}", kHeader, "needs the key `grant`"},
      {"oauth2: {token_url: https://l.example/t, grant: refresh_token}", kHeader, "needs the key `client_id`"},
      {"oauth2: {token_url: https://l.example/t, grant: refresh_tokens, client_id: me}", kHeader, "did you mean `refresh_token`?"},
      {oauth2(", client_secret: 'env:A'"), kHeader, "`client_secret` has no place beside `grant: client_credentials`"},
      {"oauth2: {" + kToken + ", client_auth: body}", kHeader, "no effect without `client_secret`"},
      {"oauth2: {" + kToken + ", client_secret: 'exec:/bin/x'}", kHeader, "`exec:` is not possible here"},
      {"oauth2: {" + kToken + ", client_secret: 'vault:a/b#c'}", kHeader, "`vault:` is not possible here"},
      {"oauth2: {" + kToken + ", client_secret: hunter}", kHeader, "write env:NAME, file:PATH or store:ENTRY"},
      {oauth2(", client_auth: header"), kHeader, "not `basic` or `body`"},
      {oauth2(", scopes: a"), kHeader, "must be a list"},
      {oauth2(", scopes: ['a b']"), kHeader, "not one scope"},
      {oauth2(", parameters: {client_id: x}"), kHeader, "that weir itself sends"},
      {oauth2(", parameters: {grant_type: x}"), kHeader, "that weir itself sends"},
      {oauth2(", parameters: {a: [b]}"), kHeader, "must be a single value"},
      {oauth2(", parameters: {}"), kHeader, "must be a map"},
      {"oauth2: {token_url: https://l.example/t, grant: client_credentials, client_id: 'a b'}", kHeader, "not an identifier"},
      {"github_app: {app: 1}", kHeader, "needs the key `installation`"},
      {"github_app: {app: 1, installation: acme}", kHeader, "not the number of an installation"},
      {"github_app: {app: 1, installation: 2, repositories: [me/site]}", kHeader, "write it without its owner"},
      {"github_app: {app: 1, installation: 2, permissions: {contents: all}}", kHeader, "not read, write or admin"},
      {"github_app: {app: 1, installation: 2, permissions: {'a b': read}}", kHeader, "not a permission"},
      {"github_app: {app: 1, installation: 2, api: 'https://a.example/?b'}", kHeader, "more of a path will follow"},
      {"google: {}", kHeader, "needs the key `scopes`"},
      {"google: {scopes: [a], subject: 'a b'}", kHeader, "not a user's address"},
      {"aws_role: {region: eu}", kSigned, "needs the key `role`"},
      {"aws_role: {role: 'arn:aws:iam::123456789012:role/a'}", kSigned, "needs the key `region`"},
      {"aws_role: {role: reader, region: eu}", kSigned, "not the ARN of a role"},
      {"aws_role: {role: 'arn:aws:sts::123456789012:role/a', region: eu}", kSigned, "not the ARN"},
      {"aws_role: {role: 'arn:aws:iam::12345678901:role/a', region: eu}", kSigned, "not the ARN"},
      {"aws_role: {role: 'arn:aws:iam:eu:123456789012:role/a', region: eu}", kSigned, "not the ARN"},
      {"aws_role: {role: 'arn:aws:iam::123456789012:user/a', region: eu}", kSigned, "not the ARN"},
      {"aws_role: {role: 'arn:aws:iam::123456789012:role/', region: eu}", kSigned, "not the ARN"},
      {aws_role(", duration: 14min"), kSigned, "not between 15min and 12h"},
      {aws_role(", duration: 13h"), kSigned, "not between 15min and 12h"},
      {aws_role(", duration: 1d"), kSigned, "not a length of time"},
      {aws_role(", session: a"), kSigned, "2 to 64"},
      {aws_role(", external_id: 'a b'"), kSigned, "not an external id"},
      {aws_role(", web_identity: 'yes'"), kSigned, "must be true or false"},
      {aws_role(", web_identity: true, external_id: ab"), kSigned, "`external_id` has no place beside `web_identity`"},
      {oauth2(", web_identity: true"), kHeader, "unknown key `web_identity`"},
      {aws_role(", scopes: [a]"), kSigned, "unknown key `scopes`"},
      {aws_role(""), kHeader, "`aws_role` gives keys"},
      {aws_role(""), "substitute: {shape: '{random:16}'}", "`aws_role` gives keys"},
      {"google: {scopes: [a]}", kSigned, "`inject` needs AWS keys"},
      {oauth2(""), "inject: client_certificate", "`inject` needs a certificate and its key"},
      {"github_app: {app: 1, installation: 2}", "inject: client_certificate", "`inject` needs a certificate"},
  };
  for (const auto& one : kCases) EXPECT_THAT(errors_in(with(one.refresh, one.use)), ElementsAre(HasSubstr(one.message))) << one.refresh << one.use;
}

TEST(RefreshLoader, TakesDurationsUpToTheirEnds) {
  EXPECT_EQ(loaded(aws_role(", duration: 15min"), kSigned).duration_seconds, 900U);
  EXPECT_EQ(loaded(aws_role(", duration: 12h"), kSigned).duration_seconds, 43200U);
}

TEST(RefreshLoader, TakesTokensInEveryPlaceForText) {
  for (const char* use : {kHeader, "inject: {basic: {username: x-access-token}}", "inject: {query: access_token}", "inject: {cookie: t}",
                          "substitute: {env: TOKEN, shape: 'ghs_{random:36}'}"})
    EXPECT_THAT(errors_in(with("github_app: {app: 1, installation: 2}", use)), IsEmpty()) << use;
}

}  // namespace
}  // namespace weir::policy
