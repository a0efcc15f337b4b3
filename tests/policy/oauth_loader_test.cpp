// `oauth` and `leaks`.
#include "policy/lint.h"
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kCredentials =
    "credentials:\n  one: {from: 'store:t/one', hosts: [a.com], substitute: {shape: 'a{random:16}'}}\n"
    "  two: {from: 'store:t/two', hosts: [a.com], substitute: {shape: 'b{random:16}', in: [body]}}\n";
std::string with(const std::string& oauth) { return "version: 1\n" + kCredentials + "oauth: " + oauth + "\n"; }

std::vector<OAuthCapture> loaded(const std::string& oauth) {
  const auto policy = load_text(with(oauth), "test.yaml");
  EXPECT_TRUE(policy.ok()) << all_messages(policy);
  return policy.document.oauth;
}

TEST(OAuthLoader, ReadsTokenEndpoints) {
  const auto all = loaded("[{token_url: 'https://L.example:8443/oauth/token', keep: {access_token: one, authed_user.refresh_token: two}}]");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].host, "l.example");
  EXPECT_EQ(all[0].port, 8443);
  EXPECT_EQ(all[0].path, "/oauth/token");
  EXPECT_EQ(all[0].keep, (std::vector<std::pair<std::string, std::string>>{{"access_token", "one"}, {"authed_user.refresh_token", "two"}}));
  EXPECT_EQ(all[0].place, (Place{"test.yaml", 5, 9}));
  EXPECT_EQ(loaded("[{token_url: https://l.example, keep: {t: one}}]").at(0).path, "/");
  EXPECT_EQ(loaded("[{token_url: https://l.example/a, keep: {t: one}}, {token_url: https://l.example/b, keep: {t: two}}]").size(), 2U);
  // A tool may refresh the same token at one of several places.
  EXPECT_EQ(loaded("[{token_url: https://l.example/a, keep: {t: one}}, {token_url: https://l.example/b, keep: {t: one}}]").size(), 2U);
}

TEST(OAuthLoader, SaysWhatIsWrong) {
  const auto entry = [](const std::string& url) { return "[{token_url: '" + url + "', keep: {t: one}}]"; };
  const std::pair<std::string, const char*> kCases[] = {
      {"[]", "must be a list"},
      {"{token_url: https://l.example/t}", "must be a list"},
      {"[https://l.example/t]", "must be a map"},
      {"[{keep: {t: one}}]", "needs the key `token_url`"},
      {"[{token_url: https://l.example/t}]", "needs the key `keep`"},
      {"[{token_url: https://l.example/t, keeps: {t: one}, keep: {t: one}}]", "did you mean `keep`?"},
      {"[{token_url: https://l.example/t, keep: {}}]", "must be a map"},
      {"[{token_url: https://l.example/t, keep: [one]}]", "must be a map"},
      {"[{token_url: https://l.example/t, keep: {'a b': one}}]", "not the name of a member"},
      {"[{token_url: https://l.example/t, keep: {a..b: one}}]", "not the name of a member"},
      {"[{token_url: https://l.example/t, keep: {t: 'a b'}}]", "not a name for a credential"},
      {entry("http://l.example/t"), "not an https URL"},
      {entry("http://127.0.0.1/t"), "not an https URL"},
      {entry("https://u@l.example/t"), "user name or password"},
      {entry("https://l.example/t#x"), "fragment"},
      {entry("https://l.example/t?a=b"), "the path alone says"},
      {entry("https://l.example/*"), "has a `*`"},
      {entry("https://*.example/t"), "pattern for a host"},
      {entry("https://l.example/a/./b"), "write https://l.example/a/b"},
      {entry("https://l.example/%61"), "write https://l.example/a"},
      {entry("https://l.example/a%20b"), "not in its canonical form"},
      {entry("https://l.example/a%2Fb"), "not in its canonical form"},
      {entry("https://l.example//a"), "two ways"},
      {"[{token_url: https://l.example/t, keep: {t: on}}]", "there is no credential `on` | did you mean `one`?"},
      {"[{token_url: https://l.example/t, keep: {t: something}}]", "`from: store:ENTRY` and `substitute`"},
      {"[{token_url: https://l.example/t, keep: {t: one, u: one}}]", "credential `one` keeps another token already"},
      {"[{token_url: https://l.example/a, keep: {t: one}}, {token_url: 'https://L.example:443/a', keep: {t: two}}]", "has an entry already"},
  };
  for (const auto& [oauth, message] : kCases) EXPECT_THAT(errors_in(with(oauth)), ElementsAre(HasSubstr(message))) << oauth;
}

TEST(OAuthLoader, PointsAtTheCredentialThatIsNotThere) {
  EXPECT_THAT(errors_in("version: 1\noauth:\n  - token_url: https://l.example/t\n    keep: {access_token: one}\n" + kCredentials.substr(0, kCredentials.find("  one")) +
                        "  won: {from: 'env:A', hosts: [a.com], inject: {query: k}}\n"),
              ElementsAre(HasSubstr("4:26 there is no credential `one`")));
}

TEST(OAuthLoader, KeepsOnlyWhereTokensCanBeKept) {
  const auto kept = [](const std::string& keys) {
    return errors_in("version: 1\ncredentials: {c: {hosts: [a.com], " + keys + "}}\noauth: [{token_url: https://l.example/t, keep: {t: c}}]\n");
  };
  const std::string placeholder = ", substitute: {shape: '{random:16}'}";
  EXPECT_THAT(kept("from: 'store:x'" + placeholder), IsEmpty());
  EXPECT_THAT(kept("from: 'store:x', inject: {query: k}"), ElementsAre(HasSubstr("has no `substitute`")));
  EXPECT_THAT(kept("from: 'env:X'" + placeholder), ElementsAre(HasSubstr("not from weir's own vault")));
  EXPECT_THAT(kept("from: 'store:x@2'" + placeholder), ElementsAre(HasSubstr("write from: store:x")));
}

TEST(OAuthLoader, RefusesTunnelsToTokenEndpoints) {
  const std::string oauth = with("[{token_url: https://l.example/t, keep: {t: one}}]");
  EXPECT_THAT(errors_in(oauth + "rules: [{hosts: [l.example], tls: passthrough}]\n"),
              ElementsAre(HasSubstr("token endpoint `https://l.example/t` (line 5)")));
  EXPECT_THAT(errors_in(oauth + "rules: [{tcp: ['*.example:443']}]\n"), ElementsAre(HasSubstr("carries connections unopened")));
  EXPECT_THAT(errors_in(oauth + "rules: [{hosts: [l.example], ports: [8443], tls: passthrough}]\n"), IsEmpty());
  EXPECT_THAT(errors_in(oauth + "rules: [{tcp: ['l.example:443'], action: deny}]\n"), IsEmpty());
}

TEST(OAuthLoader, IsCheckedOnceMoreByWhoeverTakesADocument) {
  const auto good = document_of(kCredentials + "oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n");
  ASSERT_TRUE(Policy::compile(good));
  const auto refuses = [&](void (*change)(Document&)) {
    auto document = good;
    change(document);
    return !Policy::compile(document);
  };
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].host = "L.example"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].port = 0; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].path = "t"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].path = ""; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].path = "/a/../b"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].path = "/*"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].path = "/a?b"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].keep.clear(); }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].keep[0].first = ""; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].keep[0].second = "three"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth[0].keep.emplace_back("t", "two"); }));
  EXPECT_TRUE(refuses([](Document& d) { d.oauth.push_back(d.oauth[0]); }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].substitute.shape = "x{random:15}"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].substitute = {}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].substitute.in_header = false; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].substitute.env = "PATH"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].inject = {Injection::Kind::query, "k", "{secret}", {}, {}, {}}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].refresh.url = "https://x.example"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].refresh.kind = Refresh::Kind::aws_role; }));
}

// A file that uses two presets, each with a credential and its own entries of `oauth`.
std::vector<std::string> merged(const std::string& own, const std::string& npm, const std::string& pip, Document* document = nullptr) {
  const auto preset = [&](std::string_view name) -> Result<std::string> { return "version: 1\n" + kCredentials + (name == "npm" ? npm : pip); };
  const auto policy = load_text("version: 1\nuse: [npm, pip]\n" + own, "test.yaml", preset);
  if (document != nullptr) *document = policy.document;
  std::vector<std::string> errors;
  for (const auto& found : policy.diagnostics) errors.push_back(format(found));
  return errors;
}

TEST(OAuthMerging, TakesWhatPresetsBring) {
  Document document;
  const std::string entry = "oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n";
  EXPECT_THAT(merged("", entry, entry, &document), IsEmpty());  // both say the same
  ASSERT_EQ(document.oauth.size(), 1U);
  EXPECT_EQ(document.oauth[0].place.file, "preset:npm");
}

TEST(OAuthMerging, LetsTheFilesOwnWin) {
  Document document;
  EXPECT_THAT(merged("oauth: [{token_url: https://l.example/t, keep: {mine: two}}]\n", "oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n",
                     "oauth: [{token_url: https://l.example/u, keep: {t: one}}]\n", &document),
              IsEmpty());
  ASSERT_EQ(document.oauth.size(), 2U);
  EXPECT_EQ(document.oauth[0].keep[0].first, "mine");
  EXPECT_EQ(document.oauth[1].path, "/u");
}

TEST(OAuthMerging, SaysWherePresetsDisagree) {
  const std::string one = "oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n", two = "oauth: [{token_url: https://l.example/t, keep: {t: two}}]\n";
  EXPECT_THAT(merged("", one, two), ElementsAre(HasSubstr("presets disagree about `https://l.example/t` under `oauth` (preset:npm and preset:pip)")));
  EXPECT_THAT(merged("oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n", one, two), IsEmpty());
}

TEST(OAuthMerging, PointsAtTheFileWhereItBreaksWhatAPresetKeeps) {
  EXPECT_THAT(merged("credentials: {one: {from: 'env:A', hosts: [a.com], inject: {query: k}}}\n", "oauth: [{token_url: https://l.example/t, keep: {t: one}}]\n", ""),
              ElementsAre(testing::AllOf(HasSubstr("test.yaml:2:"), HasSubstr("credential `one` has no `substitute`"))));
}

TEST(OAuthLint, WarnsOfEndpointsThatNoRuleReaches) {
  const auto warnings = [](const std::string& rules) {
    const auto text = with("[{token_url: 'https://l.example:8443/t', keep: {t: one}}]") + rules;
    auto policy = load_text(text, "test.yaml");
    add_warnings(policy, text);
    std::string all;
    for (const auto& found : policy.diagnostics) all += found.message + " | " + found.hint + "\n";
    return all;
  };
  const std::string kWarning = "no rule lets a login through to `https://l.example:8443/t`";
  EXPECT_THAT(warnings(""), HasSubstr(kWarning));
  EXPECT_THAT(warnings(""), HasSubstr("hosts: [l.example:8443]"));
  EXPECT_THAT(warnings("rules: [{hosts: [l.example]}]\n"), HasSubstr(kWarning));
  EXPECT_THAT(warnings("rules: [{hosts: ['l.example:8443'], methods: [GET]}]\n"), HasSubstr(kWarning));
  EXPECT_THAT(warnings("rules: [{hosts: ['l.example:8443'], paths: [/u]}]\n"), HasSubstr(kWarning));
  EXPECT_THAT(warnings("rules: [{hosts: ['l.example:8443'], action: deny}]\n"), HasSubstr(kWarning));
  for (const char* rules : {"rules: [{hosts: ['l.example:8443']}]\n", "rules: [{hosts: ['*.example:8443'], methods: [GET, POST], paths: ['/*']}]\n",
                            "default: log\n", "rules: [{hosts: ['l.example:8443'], action: ask}]\n"})
    EXPECT_THAT(warnings(rules), testing::Not(HasSubstr(kWarning))) << rules;
}

TEST(LeaksLoader, ReadsEveryWord) {
  const auto leaks = [](const std::string& word) { return document_of("leaks: " + word + "\n").leaks; };
  EXPECT_EQ(document_of("rules: []\n").leaks, Leaks::log);
  EXPECT_EQ(leaks("off"), Leaks::off);  // a boolean in YAML 1.1, a word here
  EXPECT_EQ(leaks("\"off\""), Leaks::off);
  EXPECT_EQ(leaks("log"), Leaks::log);
  EXPECT_EQ(leaks("ask"), Leaks::ask);
  EXPECT_EQ(leaks("deny"), Leaks::deny);
}

TEST(LeaksLoader, RefusesAllElse) {
  EXPECT_THAT(errors_in("version: 1\nleaks: dney\n"), ElementsAre(HasSubstr("2:8 `dney` does not say what becomes of leaks | did you mean `deny`?")));
  EXPECT_THAT(errors_in("version: 1\nleaks: false\n"), ElementsAre(HasSubstr("did you mean `off`?")));
  EXPECT_THAT(errors_in("version: 1\nleaks: [off]\n"), ElementsAre(HasSubstr("must be a single value")));
  EXPECT_THAT(errors_in("version: 1\nleaks:\n"), ElementsAre(HasSubstr("has no value")));
}

}  // namespace
}  // namespace weir::policy
