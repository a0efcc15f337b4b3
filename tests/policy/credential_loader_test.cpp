// What a policy may say of how credentials are used, and what it is told when it says something else.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with(const std::string& keys) { return "version: 1\ncredentials:\n  c: {from: 'store:x', hosts: [a.com], " + keys + "}\n"; }
std::string injecting(const std::string& inject) { return with("inject: " + inject); }

Credential loaded(const std::string& text) {
  const auto policy = load_text(text, "/etc/weir/test.yaml");
  EXPECT_TRUE(policy.ok()) << all_messages(policy) << text;
  return policy.document.credentials.empty() ? Credential{} : policy.document.credentials.front();
}

// The only error, at the text that stands first in the file.
void expect_error(const std::string& text, const std::string& at, const std::string& message) {
  const auto policy = load_text(text, "test.yaml");
  ASSERT_EQ(policy.diagnostics.size(), 1U) << all_messages(policy) << text;
  const auto& found = policy.diagnostics.front();
  EXPECT_THAT(found.message + " | " + found.hint, HasSubstr(message)) << text;
  std::size_t line_start = 0;
  for (int line = 1; line < found.place.line; ++line) line_start = text.find('\n', line_start) + 1;
  EXPECT_EQ(text.substr(line_start + static_cast<std::size_t>(found.place.column) - 1, at.size()), at) << all_messages(policy);
}

TEST(CredentialUse, ReadsEveryWayToInject) {
  using Kind = Injection::Kind;
  const auto inject = [](const std::string& text) { return loaded(injecting(text)).inject; };
  EXPECT_EQ(inject("{header: X-Key, format: 'a {secret}'}"), (Injection{Kind::header, "X-Key", "a {secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{format: '{secret}', header: X}"), (Injection{Kind::header, "X", "{secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{basic: {username: me, password: 'p{secret}'}}"), (Injection{Kind::basic, {}, "p{secret}", "me", {}, {}}));
  EXPECT_EQ(inject("{basic: {username: me}}"), (Injection{Kind::basic, {}, "{secret}", "me", {}, {}}));
  EXPECT_EQ(inject("{basic: {username: ''}}"), (Injection{Kind::basic, {}, "{secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{query: key}"), (Injection{Kind::query, "key", "{secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{query: 'f[a]', format: 'k {secret}'}"), (Injection{Kind::query, "f[a]", "k {secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{cookie: sid}"), (Injection{Kind::cookie, "sid", "{secret}", {}, {}, {}}));
  EXPECT_EQ(inject("{format: 'v={secret}', cookie: sid}"), (Injection{Kind::cookie, "sid", "v={secret}", {}, {}, {}}));
  EXPECT_EQ(inject("client_certificate"), (Injection{Kind::client_certificate, {}, {}, {}, {}, {}}));
  EXPECT_EQ(inject("{aws_sigv4: {region: eu-central-1, service: s3}}"), (Injection{Kind::aws_sigv4, {}, {}, {}, "eu-central-1", "s3"}));
  EXPECT_EQ(inject("{aws_sigv4: {}}"), (Injection{Kind::aws_sigv4, {}, {}, {}, {}, {}}));
}

TEST(CredentialUse, IsEitherInjectionOrSubstitution) {
  expect_error(with("insecure: false"), "{from", "needs the key `inject` or `substitute`");
  expect_error(with("insecure: false"), "{from", "inject: {header: Authorization");
  expect_error(with("inject: {query: a}, substitute: {shape: '{random:16}'}"), "substitute", "either `inject` or `substitute`");
  expect_error(with("inject: client_certificate, substitute: {shape: '{random:16}'}"), "substitute", "either `inject` or `substitute`");
}

TEST(CredentialUse, SaysWhatIsWrongWithAnInjection) {
  const struct {
    const char* inject;
    const char* at;
    const char* message;
  } kCases[] = {
      {"{header: X}", "{header", "needs the key `format`"},
      {"{header: Host, format: '{secret}'}", "Host", "cannot be set"},
      {"{header: X, format: secret}", "secret}", "does not contain {secret}"},
      {"{query: k, format: \"a\\tb{secret}\"}", "\"a", "printable ASCII"},
      {"{format: '{secret}'}", "{format", "`query`, `cookie` or `aws_sigv4`"},
      {"{}", "{}", "needs the key `header`"},
      {"{basic: {username: 'a:b'}}", "'a:b", "colon"},
      {"{basic: {username: \"a\\x01\"}}", "\"a", "control characters"},
      {"{basic: {username: '{secret}'}}", "'{secret", "cannot be the user name"},
      {"{basic: {username: a, password: b}}", "b}}", "`password` does not contain {secret}"},
      {"{basic: {password: '{secret}'}}", "{password", "`basic` needs the key `username`"},
      {"{basic: {username: a}, format: '{secret}'}", "format", "as `password`"},
      {"{basic: {usrname: a, username: b}}", "usrname", "did you mean `username`?"},
      {"{query: 'a&b'}", "'a&b", "can be written in one way only"},
      {"{query: 'a=b'}", "'a=b", "one way only"},
      {"{query: 'a#b'}", "'a#b", "one way only"},
      {"{query: 'a%20'}", "'a%20", "one way only"},
      {"{query: 'a+b'}", "'a+b", "one way only"},
      {"{query: 'a;b'}", "'a;b", "one way only"},
      {"{query: 'a b'}", "'a b", "one way only"},
      {"{query: 'ü'}", "'\xc3", "one way only"},
      {"{cookie: 'a b'}", "'a b", "not the name of a cookie"},
      {"{cookie: 'a=b'}", "'a=b", "not the name of a cookie"},
      {"{cookie: a, format: 'x {secret}'}", "'x ", "no cookie's value"},
      {"{cookie: a, format: '{secret};b'}", "'{secret", "no cookie's value"},
      {"{cookie: a, query: b}", "query", "`query` has no place beside `cookie`"},
      {"{aws_sigv4: {region: 'a b'}}", "'a b", "not a region"},
      {"{aws_sigv4: {service: 's3/x'}}", "'s3", "not a service"},
      {"{aws_sigv4: {}, format: '{secret}'}", "format", "no place beside `aws_sigv4`"},
      {"{aws_sigv4: {regoin: a}}", "regoin", "did you mean `region`?"},
      {"{quary: a, query: b}", "quary", "did you mean `query`?"},
      {"{quary: a}", "quary", "did you mean `query`?"},
      {"client_certficate", "client", "did you mean `client_certificate`?"},
      {"mtls", "mtls", "for instance: inject: {header"},
      {"{client_certificate: true}", "client_c", "write `inject: client_certificate`"},
      {"[header]", "[header", "must be a map"},
  };
  for (const auto& one : kCases) expect_error(injecting(one.inject), one.at, one.message);
}

TEST(CredentialUse, TellsAllThatIsWrongAtOnce) {
  EXPECT_EQ(errors_in("version: 1\ncredentials:\n  a: {from: 'store:x@0', hosts: [a.com], inject: {cookie: 'a b', format: x}}\n"
                      "  b: {from: 'env:B', hosts: [b.com], substitute: {shape: x, in: [head], env: PATH}}\noauth: []\nleaks: maybe\n")
                .size(),
            8U);
}

TEST(CredentialUse, HasACertificateOverTlsOnly) {
  expect_error(with("inject: client_certificate, insecure: true"), "insecure", "means nothing beside `client_certificate`");
  EXPECT_FALSE(loaded(with("inject: client_certificate, insecure: false")).insecure);
}

TEST(CredentialUse, ReadsSubstitutions) {
  const auto substitute = [](const std::string& keys) { return loaded(with("substitute: {" + keys + "}")).substitute; };
  const auto least = substitute("shape: '{random:16}'");
  EXPECT_EQ(least, (Substitution{.env = {}, .shape = "{random:16}"}));
  const auto most = substitute("env: STRIPE_KEY, shape: 'sk_{random:8}.{random:8}', in: [body, path, query], elsewhere: log");
  EXPECT_EQ(most, (Substitution{.env = "STRIPE_KEY", .shape = "sk_{random:8}.{random:8}", .in_header = false, .in_query = true,
                                .in_path = true, .in_body = true, .elsewhere_logged = true}));
  EXPECT_FALSE(substitute("shape: 'a~/+=-{random:256}', elsewhere: deny").elsewhere_logged);
  EXPECT_EQ(substitute("shape: '{claims}.{random:40}'").shape, "{claims}.{random:40}");
}

TEST(CredentialUse, SaysWhatIsWrongWithASubstitution) {
  const std::string kLong(4096, 'x');
  std::string long_random;
  for (int i = 0; i < 17; ++i) long_random += "{random:256}";
  const std::pair<std::string, std::string> kShapes[] = {
      {"abc", "0 random characters"},         {"{random:15}", "15 random characters, and 16 are the least"},
      {"{random:8}{random:7}", "15 random"},   {"{random:0}", "N from 1 to 256"},
      {"{random:257}", "N from 1 to 256"},     {"{random:016}", "N from 1 to 256"},
      {"{random:}", "N from 1 to 256"},        {"{random:16", "N from 1 to 256"},
      {"{random: 16}", "N from 1 to 256"},     {"{secret}{random:16}", "`{secret}` in `shape`"},
      {"a b{random:16}", "may hold letters"},  {"a\"{random:16}", "may hold letters"},
      {"}{random:16}", "may hold letters"},    {"ü{random:16}", "may hold letters"},
      {"a{claims}{random:16}", "beginning"},   {"{claims}{claims}{random:16}", "beginning"},
      {"{random:16}{claims}", "beginning"},    {"{claims}", "0 random"},
      {kLong + "{random:16}", "longer than"},  {long_random, "more than 4096"},
  };
  for (const auto& [shape, message] : kShapes) expect_error(with("substitute: {shape: '" + shape + "'}"), "'", message);
  const std::pair<std::string, std::string> kKeys[] = {
      {"env: 1A", "not the name of an environment variable"}, {"env: 'A B'", "not the name"},   {"env: A=B", "not the name"},
      {"env: SSL_CERT_FILE", "that weir itself sets"},         {"env: WEIR_SANDBOX", "that weir itself sets"},
      {"in: []", "empty list"},                                {"in: header", "must be a list"}, {"in: [hedaer]", "did you mean `header`?"},
      {"in: [body, body]", "twice"},                           {"elsewhere: ask", "not `deny` or `log`"},
      {"eny: A", "did you mean `env`?"},
  };
  for (const auto& [key, message] : kKeys)
    EXPECT_THAT(errors_in(with("substitute: {shape: '{random:16}', " + key + "}")), ElementsAre(HasSubstr(message))) << key;
  EXPECT_THAT(errors_in(with("substitute: {env: A}")), ElementsAre(HasSubstr("`substitute` needs the key `shape`")));
}

TEST(CredentialUse, TakesVersionsOfEntries) {
  EXPECT_EQ(loaded("version: 1\ncredentials: {c: {from: 'store:a/b@12', hosts: [a.com], inject: {query: k}}}\n").from, "store:a/b@12");
  for (const char* from : {"store:a@", "store:a@0", "store:a@x", "store:a@01", "store:a@-1", "store:@1", "store:a@1@2", "store:/a", "store:a.", "store:a b"})
    EXPECT_THAT(errors_in(std::string("version: 1\ncredentials: {c: {from: '") + from + "', hosts: [a.com], inject: {query: k}}}\n"), testing::SizeIs(1)) << from;
}

TEST(CredentialUse, HasTtlWithRefreshAsWithoutIt) {
  const std::string refresh = "ttl: 1min, inject: {query: k}, refresh: {google: {scopes: [a]}}";
  EXPECT_THAT(errors_in(with(refresh)), ElementsAre(HasSubstr("`ttl` goes with")));
  EXPECT_THAT(errors_in("version: 1\ncredentials: {c: {from: 'exec:/bin/x', hosts: [a.com], " + refresh + "}}\n"), IsEmpty());
}

// Two credentials at one host.
std::vector<std::string> both(const std::string& a, const std::string& b, const std::string& hosts = "a.com") {
  return errors_in("version: 1\ncredentials:\n  a: {from: 'env:A', hosts: [a.com], " + a + "}\n  b: {from: 'env:B', hosts: ['" + hosts + "'], " + b + "}\n");
}

TEST(CredentialConflict, IsTheSamePlaceInARequest) {
  const std::string sigv4 = "inject: {aws_sigv4: {}}", basic = "inject: {basic: {username: a}}", certificate = "inject: client_certificate";
  const auto header = [](const std::string& name) { return "inject: {header: " + name + ", format: '{secret}'}"; };
  const auto named = [](const std::string& kind, const std::string& name) { return "inject: {" + kind + ": " + name + "}"; };
  const struct {
    std::string a, b, what;
  } kCases[] = {
      {header("Authorization"), header("authorization"), "header `authorization`"},
      {header("Authorization"), basic, "header `Authorization`"},
      {basic, sigv4, "header `Authorization`"},
      {sigv4, sigv4, "header `Authorization`"},
      {header("x-amz-date"), sigv4, "header `X-Amz-Date`"},
      {sigv4, header("X-AMZ-Security-Token"), "header `X-AMZ-Security-Token`"},
      {header("x-amz-content-sha256"), sigv4, "header `X-Amz-Content-Sha256`"},
      {sigv4, named("query", "X-Amz-Signature"), "query parameter `X-Amz-Signature`"},
      {basic, basic, "header `Authorization`"},
      {named("query", "k"), named("query", "k"), "query parameter `k`"},
      {named("cookie", "k"), named("cookie", "k"), "cookie `k`"},
      {named("cookie", "k"), header("cookie"), "header `Cookie`"},
      {header("Cookie"), named("cookie", "k"), "header `Cookie`"},
      {certificate, certificate, "client certificate"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(both(one.a, one.b), ElementsAre(HasSubstr("4:3 credentials `a` and `b` would set the same " + one.what + " at the same host")))
        << one.a << one.b;
    EXPECT_THAT(both(one.a, one.b, "b.com"), IsEmpty());
    EXPECT_THAT(both(one.a, one.b, "a.com:8443"), IsEmpty());
    EXPECT_THAT(both(one.a, one.b, "*"), testing::SizeIs(1));
  }
}

TEST(CredentialConflict, IsNotAnotherPlace) {
  const std::pair<const char*, const char*> kCases[] = {
      {"inject: {query: k}", "inject: {query: K}"},
      {"inject: {query: k}", "inject: {cookie: k}"},
      {"inject: {cookie: k}", "inject: {cookie: j}"},
      {"inject: {header: k, format: '{secret}'}", "inject: {query: k}"},
      {"inject: {aws_sigv4: {}}", "inject: {query: k}"},
      {"inject: client_certificate", "inject: {basic: {username: a}}"},
      {"inject: {header: Authorization, format: '{secret}'}", "substitute: {shape: '{random:16}'}"},
      {"substitute: {shape: '{random:16}'}", "substitute: {shape: '{random:16}'}"},
      {"substitute: {env: A, shape: '{random:16}'}", "substitute: {env: a, shape: '{random:16}'}"},
  };
  for (const auto& [a, b] : kCases) EXPECT_THAT(both(a, b), IsEmpty()) << a << b;
}

TEST(CredentialConflict, IsTheSameVariableWhateverTheHosts) {
  const std::string use = "substitute: {env: A, shape: '{random:16}'}";
  EXPECT_THAT(both(use, use, "b.com"), ElementsAre(HasSubstr("credentials `a` and `b` have the same variable `A` | let each have a variable")));
}

TEST(CredentialConflict, IsToldForEveryCredential) {
  std::string text = "version: 1\ncredentials:\n";
  for (const char* name : {"a", "b", "c"}) text += std::string("  ") + name + ": {from: 'env:A', hosts: [a.com], inject: {query: k}}\n";
  EXPECT_THAT(errors_in(text), testing::SizeIs(2));
}

}  // namespace
}  // namespace weir::policy
