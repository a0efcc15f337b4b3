// Everything that is wrong with a file is said at once, with its place, and how to mend it.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// One error in a file of "version: 1" and this.
std::string only_error(const std::string& text) {
  const auto errors = errors_in("version: 1\n" + text);
  if (errors.size() == 1) return errors[0];
  std::string all = std::to_string(errors.size()) + " errors:";
  for (const auto& error : errors) all += "\n" + error;
  return all;
}

std::string in_rule(const std::string& keys) { return only_error("rules:\n- hosts: [a.com]\n  " + keys + "\n"); }
std::string in_credential(const std::string& from, const std::string& header, const std::string& format) {
  return only_error("credentials:\n  c: {from: '" + from + "', hosts: [a.com], inject: {header: '" + header +
                    "', format: '" + format + "'}}\n");
}

TEST(LoadError, ShowsTheLineWithACaretAndTheNearestKey) {
  const auto loaded = load_text("version: 1\nrules:\n  - hosts: [a.com]\n    method: GET\n", "p.yaml");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(format(loaded.diagnostics[0]),
            "p.yaml:4:5: error: unknown key `method` in a rule\n"
            "    method: GET\n"
            "    ^\n"
            "  did you mean `methods`?");
}

TEST(LoadError, PointsAtTheCharacterInLinesThatAreNotAscii) {
  const auto loaded = load_text("version: 1\nrules: [{name: 'grüße', hosts: [a..b]}]\n", "p.yaml");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].place.column, 33);
  EXPECT_THAT(format(loaded.diagnostics[0]), HasSubstr("\n" + std::string(32, ' ') + "^"));
}

TEST(LoadError, TellsAllErrorsAtOnceInOrderOfPlace) {
  const auto errors = errors_in(
      "defualt: deny\nlimits: {connections: none}\nrules:\n  - hosts: [a..b, '*x.com']\n    action: alow\nuse: "
      "[nothing-like-it]\n");
  ASSERT_EQ(errors.size(), 7U) << testing::PrintToString(errors);
  EXPECT_THAT(errors[0], HasSubstr("1:1 "));
  EXPECT_THAT(errors, Contains(HasSubstr("needs the key `version`")));
  EXPECT_THAT(errors, Contains(HasSubstr("did you mean `default`?")));
  EXPECT_THAT(errors[2], HasSubstr("2:23 `none` is not a number"));
  EXPECT_THAT(errors[3], HasSubstr("4:13 "));
  EXPECT_THAT(errors[4], HasSubstr("4:19 "));
  EXPECT_THAT(errors[5], HasSubstr("5:13 "));
  EXPECT_THAT(errors[6], HasSubstr("6:7 unknown preset"));
}

TEST(LoadError, NeedsVersionOne) {
  EXPECT_THAT(errors_in("rules: []\n"), ElementsAre(HasSubstr("needs the key `version`")));
  EXPECT_THAT(errors_in("version: 2\n"), ElementsAre(HasSubstr("write `version: 1`")));
  EXPECT_THAT(errors_in("version: '1'\n"), ElementsAre(HasSubstr("write `version: 1`")));
  EXPECT_THAT(errors_in("version:\n"), ElementsAre(HasSubstr("no value")));
}

TEST(LoadError, RefusesEmptyFilesAndOtherThings) {
  EXPECT_THAT(errors_in(""), ElementsAre(HasSubstr("empty")));
  EXPECT_THAT(errors_in("# only a comment\n"), ElementsAre(HasSubstr("empty")));
  EXPECT_THAT(errors_in("- a\n"), ElementsAre(HasSubstr("must be a map")));
  EXPECT_THAT(errors_in("hello\n"), ElementsAre(HasSubstr("must be a map")));
}

TEST(LoadError, RefusesDefaultAllow) { EXPECT_THAT(only_error("default: allow"), HasSubstr("not a value of `default`")); }

TEST(LoadError, RefusesActionsItDoesNotHave) {
  EXPECT_THAT(in_rule("action: Deny"), HasSubstr("did you mean `deny`?"));
  EXPECT_THAT(in_rule("action: [deny]"), HasSubstr("must be a single value"));
}

TEST(LoadError, RefusesSourcesItDoesNotHave) {
  EXPECT_THAT(in_credential("vault:secret/x", "X", "{secret}"), HasSubstr("names no field"));
  for (const char* from : {"vault:x#y", "vault:/x/y#z", "vault:a/../b#c", "vault:a/b?#c", "vault:a/b?x#c", "vault:a/b#", "exec:[]", "exec:[1]"})
    EXPECT_THAT(in_credential(from, "X", "{secret}"), testing::StartsWith("3:")) << from;
  EXPECT_THAT(in_credential("exec:cat /etc/passwd", "X", "{secret}"), HasSubstr("has a space in it"));
  EXPECT_THAT(in_credential("exec:cat", "X", "{secret}"), HasSubstr("`cat` is not the absolute path of a program"));
  EXPECT_THAT(in_credential("evn:TOKEN", "X", "{secret}"), HasSubstr("did you mean `env:TOKEN`?"));
  for (const char* from : {"TOKEN", "env:", "env:A B", "env:1A", "env:A=B", "file:", "store:", "store:a b", "store:a#b"})
    EXPECT_THAT(in_credential(from, "X", "{secret}"), testing::StartsWith("3:")) << from;
}

TEST(LoadError, RefusesHeadersThatFrameOrRouteTheMessage) {
  for (const char* header :
       {"Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
        "Expect", "Proxy-Authorization", "Proxy-Connection", "HTTP2-Settings", ":authority", "X Y", "X:Y", "Ü"})
    EXPECT_THAT(in_credential("env:A", header, "{secret}"), testing::StartsWith("3:")) << header;
}

TEST(LoadError, RefusesFormatsThatCouldNotBeAHeaderValue) {
  for (const char* format : {"Bearer", "{Secret}", "Bearer {token}", "{secret} {user}", " {secret}", "{secret} ",
                             "ü{secret}", "{secret", "{{secret}}"})
    EXPECT_THAT(in_credential("env:A", "X", format), testing::StartsWith("3:")) << format;
  EXPECT_THAT(
      only_error("credentials: {c: {from: env:A, hosts: [a.com], inject: {header: X, format: \"a\\r\\nHost: {secret}\"}}}"),
      HasSubstr("printable ASCII"));
}

TEST(LoadError, RefusesTwoCredentialsThatWouldSetTheSameHeader) {
  const auto both = [](const std::string& a, const std::string& b, const std::string& header) {
    return errors_in("version: 1\ncredentials:\n  a: {from: env:A, hosts: [" + a +
                     "], inject: {header: Authorization, format: '{secret}'}}\n  b: {from: env:B, hosts: [" + b +
                     "], inject: {header: " + header + ", format: '{secret}'}}\n");
  };
  EXPECT_THAT(both("a.com", "a.com", "authorization"),
              ElementsAre(testing::AllOf(testing::StartsWith("4:3 "), HasSubstr("same header"))));
  EXPECT_THAT(both("a.com", "'*'", "Authorization"), testing::SizeIs(1));
  EXPECT_THAT(both("'*.a.com'", "x.y.a.com", "Authorization"), testing::SizeIs(1));
  EXPECT_THAT(both("'*.a.com'", "'*.b.a.com'", "Authorization"), testing::SizeIs(1));
  EXPECT_THAT(both("'a.com:443'", "a.com", "Authorization"), testing::SizeIs(1));
  EXPECT_THAT(both("a.com", "a.com", "X-Other"), testing::IsEmpty());
  EXPECT_THAT(both("a.com", "b.com", "Authorization"), testing::IsEmpty());
  EXPECT_THAT(both("'*.a.com'", "a.com", "Authorization"), testing::IsEmpty());
  EXPECT_THAT(both("a.com", "'a.com:8443'", "Authorization"), testing::IsEmpty());
  EXPECT_THAT(both("10.0.0.1", "'*'", "Authorization"), testing::IsEmpty());
}

TEST(LoadError, SaysHowToReplaceAPresetsCredential) {
  const auto errors = errors_in(
      "version: 1\nuse: [anthropic]\ncredentials:\n  my-key: {from: env:A, hosts: [api.anthropic.com], inject: {header: "
      "X-Api-Key, format: '{secret}'}}\n");
  EXPECT_THAT(errors,
              ElementsAre(testing::AllOf(testing::StartsWith("4:3 "), HasSubstr("give yours the name `anthropic`"))));
}

TEST(LoadError, RefusesHostsThatMeanNothing) {
  for (const char* host : {"'*example.com'", "a.*.com",     "'**.a.com'",    "'*.*.com'",
                           "'*.'",           "'*..a'",      "a/b",           "https://a.com/",
                           "10.0.0.0/8",     "127.1",       "'a.com:'",      "'a.com:0'",
                           "'a.com:65536'",  "'a.com:080'", "'a.com:-1'",    "'a.com:x'",
                           "'[::1'",         "'[::1]x'",    "'[a.com]:443'", "'*.10.0.0.1'",
                           "'*.0.0.1'",      "''",          "' '",           "[a]",
                           "{a: b}",         "null"})
    EXPECT_THAT(only_error(std::string("rules:\n- hosts: [") + host + "]\n"), testing::StartsWith("3:11 ")) << host;
  EXPECT_THAT(only_error("rules: [{hosts: [https://a.com:8443/x]}]"), HasSubstr("write `a.com:8443`"));
}

TEST(LoadError, WantsListsWhereThereAreLists) {
  EXPECT_THAT(only_error("rules: [{hosts: a.com}]"), HasSubstr("must be a list"));
  EXPECT_THAT(only_error("rules: [{hosts: []}]"), HasSubstr("empty list"));
  EXPECT_THAT(only_error("rules: {hosts: [a.com]}"), HasSubstr("must be a list"));
  EXPECT_THAT(only_error("rules: [{methods: [GET]}]"), HasSubstr("needs the key `hosts`"));
  EXPECT_THAT(in_rule("methods: GET"), HasSubstr("must be a list"));
  EXPECT_THAT(in_rule("methods: []"), HasSubstr("leave it out for any method"));
  EXPECT_THAT(in_rule("ports: [443, 443]"), HasSubstr("twice"));
}

TEST(LoadError, RefusesValuesOfRules) {
  EXPECT_THAT(in_rule("methods: [get]"), HasSubstr("write `GET`"));
  EXPECT_THAT(in_rule("methods: ['*']"), HasSubstr("leave out `methods`"));
  EXPECT_THAT(in_rule("methods: ['G T']"), HasSubstr("not a method"));
  EXPECT_THAT(in_rule("ports: [0]"), HasSubstr("1 to 65535"));
  EXPECT_THAT(in_rule("ports: [70000]"), HasSubstr("1 to 65535"));
  EXPECT_THAT(in_rule("paths: [v1]"), HasSubstr("does not begin with `/`"));
  EXPECT_THAT(in_rule("paths: ['/a?b']"), HasSubstr("without the query"));
  EXPECT_THAT(in_rule("paths: ['/a%2Fb']"), HasSubstr("encoded_slash: allow"));
  EXPECT_THAT(in_rule("encoded_slash: allow"), HasSubstr("no effect without `paths`"));
  EXPECT_THAT(in_rule("{encoded_slash: yes, paths: [/]}"), testing::Not(""));
  EXPECT_THAT(in_rule("addresses: [10.0.0.1/8]"), HasSubstr("did you mean `10.0.0.0/8`?"));
  EXPECT_THAT(in_rule("addresses: [10.0.0.1]"), HasSubstr("write `10.0.0.1/32`"));
  EXPECT_THAT(in_rule("addresses: [private]"), HasSubstr("not a network"));
  EXPECT_THAT(in_rule("addresses: [10.0.0.0/8]\n  action: deny"), HasSubstr("no effect in a rule that denies"));
}

TEST(LoadError, RefusesValuesOfLimits) {
  EXPECT_THAT(only_error("limits: {request_body: 100MB}"), HasSubstr("did you mean `100MiB`?"));
  for (const char* size :
       {"-1", "1.5GiB", "1 GiB", "GiB", "0x10", "99999999999999999999", "18446744073709551615KiB", "01", "1e3", "lots"})
    EXPECT_THAT(only_error(std::string("limits: {request_body: ") + size + "}"), testing::StartsWith("2:")) << size;
  EXPECT_THAT(only_error("limits: {connections: 0}"), HasSubstr("from 1"));
  EXPECT_THAT(only_error("limits: {requests_per_minute: 0}"), HasSubstr("from 1"));
  EXPECT_THAT(only_error("limits: {conections: 1}"), HasSubstr("did you mean `connections`?"));
}

TEST(LoadError, RefusesValuesOfUpstream) {
  for (const char* proxy : {"proxy.example:3128", "https://p:1", "socks5://p:1", "http://p", "http://u:p@h:1",
                            "http://h:1/x", "'http://:1'", "http://h:0"})
    EXPECT_THAT(only_error(std::string("upstream: {proxy: ") + proxy + "}"), testing::StartsWith("2:")) << proxy;
  for (const char* target : {"localhost", "127.1", "'127.0.0.1:0'", "'::1:'", "a.com:443", "[127.0.0.1]"})
    EXPECT_THAT(only_error(std::string("upstream: {resolve: {a.com: ") + target + "}}"), testing::StartsWith("2:"))
        << target;
  EXPECT_THAT(only_error("upstream: {resolve: {a.com: 127.0.0.1, A.com.: 127.0.0.2}}"), HasSubstr("given twice"));
  EXPECT_THAT(only_error("upstream: {resolve: {'*.a.com': 127.0.0.1}}"), testing::StartsWith("2:"));
}

TEST(LoadError, RefusesPresetsItDoesNotHave) {
  EXPECT_THAT(only_error("use: [npm]"), HasSubstr("depends on the host, which cannot be asked here"));
  EXPECT_THAT(only_error("use: [antropic]"), HasSubstr("did you mean `anthropic`?"));
  EXPECT_THAT(only_error("use: [anthropic, anthropic]"), HasSubstr("twice"));
  EXPECT_THAT(only_error("use: anthropic"), HasSubstr("must be a list"));
}

TEST(LoadError, RefusesCredentialsThatAreIncomplete) {
  const auto errors = errors_in(
      "version: 1\ncredentials:\n  c: {}\n  'bad name': {from: env:A, hosts: [a.com], inject: {header: X, format: "
      "'{secret}'}}\n  d:\n");
  EXPECT_THAT(errors, Contains(HasSubstr("needs the key `from`")));
  EXPECT_THAT(errors, Contains(HasSubstr("needs the key `hosts`")));
  EXPECT_THAT(errors, Contains(HasSubstr("needs the key `inject`")));
  EXPECT_THAT(errors, Contains(HasSubstr("`bad name` is not a name")));
  EXPECT_THAT(errors, Contains(HasSubstr("credential `d` must be a map")));
}

TEST(LoadError, TakesOnlyTrueAndFalseForFlags) {
  const auto insecure = [](const std::string& value) {
    return errors_in(
        "version: 1\ncredentials: {c: {from: env:A, hosts: [a.com], inject: {header: X, format: '{secret}'}, insecure: " +
        value + "}}");
  };
  EXPECT_THAT(insecure("true"), testing::IsEmpty());
  for (const char* value : {"yes", "'true'", "1", "True"}) EXPECT_THAT(insecure(value), testing::SizeIs(1)) << value;
}

TEST(LoadError, ShowsNothingThatWouldDriveATerminal) {
  const auto loaded = load_text("version: 1\n\"\\e[31mred\\u202e\": x\n", "evil\x1b.yaml");
  for (const auto& diagnostic : loaded.diagnostics) EXPECT_EQ(format(diagnostic).find('\x1b'), std::string::npos);
}

TEST(LoadError, DoesNotPrintAPageForEachLineOfSomethingElse) {
  std::string text = "version: 1\n";
  for (int i = 0; i < 5000; ++i) text += "key" + std::to_string(i) + ": x\n";
  EXPECT_EQ(load_text(text, "x").diagnostics.size(), 200U);
}

}  // namespace
}  // namespace weir::policy
