// Credentials from programs and from Vault, as a policy file names them, and as it is written again.
#include "policy/formatting.h"
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::HasSubstr;

std::string credential(const std::string& from, const std::string& more = "") {
  return "credentials:\n  c: {from: " + from + ", hosts: [a.com], inject: {header: X, format: '{secret}'}" + more + "}\n";
}
std::string vault(const std::string& section) { return "vault: " + section + "\n"; }

std::string first_error(const std::string& text) {
  const auto loaded = load_text("version: 1\n" + text, "/etc/weir/test.yaml");
  return loaded.diagnostics.empty() ? "" : format(loaded.diagnostics.front());
}

TEST(LoadSources, ProgramIsAPathOrAListAndBecomesAList) {
  EXPECT_EQ(document_of(credential("exec:/bin/token")).credentials[0].from, R"(exec:["/bin/token"])");
  EXPECT_EQ(document_of(credential("{exec: [/bin/pass, show, 'a b\"c']}", ", ttl: 10min")).credentials[0].from,
            R"(exec:["/bin/pass","show","a b\"c"])");
  EXPECT_EQ(document_of(credential("exec:/bin/token", ", ttl: 10min")).credentials[0].ttl_seconds, 600U);
  EXPECT_EQ(document_of(credential("'vault:a/b?version=2#c'")).credentials[0].from, "vault:a/b?version=2#c");
}

TEST(LoadSources, RefusesWhatCouldBeReadTwoWays) {
  EXPECT_THAT(first_error(credential("{exec: [pass]}")), HasSubstr("not the absolute path"));
  EXPECT_THAT(first_error(credential("{exec: []}")), HasSubstr("exec"));
  EXPECT_THAT(first_error(credential("{exce: [/a]}")), HasSubstr("needs the key `exec`"));
  EXPECT_THAT(first_error(credential("{}")), HasSubstr("exec"));
  EXPECT_THAT(first_error(credential("env:A", ", ttl: 10min")), HasSubstr("`ttl` goes with"));
  EXPECT_THAT(first_error(credential("exec:/a", ", ttl: soon")), HasSubstr("soon"));
}

TEST(LoadVault, ReadsEveryKey) {
  const auto server =
      document_of(
          vault("{address: 'https://v:8200', namespace: n, ca_file: ca.pem, ca_path: /cas, client_certificate: c.pem, "
                "client_key: "
                "c.key, server_name: s, auth: {method: approle, mount: m, role: r, secret: 'file:id', wrapped: true}}"))
          .vault;
  EXPECT_EQ(server, (VaultServer{"https://v:8200", "n", "/etc/weir/ca.pem", "/cas", "/etc/weir/c.pem", "/etc/weir/c.key",
                                 "s", "approle", "m", "r", "", "file:/etc/weir/id", true}));
}

TEST(LoadVault, RefusesASecretInTheFileAndLoginsThatCannotBe) {
  EXPECT_THAT(first_error(vault("{auth: {method: token, secret: hvs.abc}}")), HasSubstr("never what it is"));
  EXPECT_THAT(first_error(vault("{auth: {method: tokn}}")), HasSubstr("did you mean `token`?"));
  EXPECT_THAT(first_error(vault("{auth: {role: r}}")), HasSubstr("method"));
  EXPECT_THAT(first_error(vault("{auth: {method: approle, secret: 'env:A'}}")), HasSubstr("needs `role`"));
  EXPECT_THAT(first_error(vault("{auth: {method: approle, role: r}}")), HasSubstr("needs `secret`"));
  EXPECT_THAT(first_error(vault("{auth: {method: userpass, secret: 'env:A'}}")), HasSubstr("needs `user`"));
  EXPECT_THAT(first_error(vault("{auth: {method: token, role: r}}")), HasSubstr("has no use for `role`"));
  EXPECT_THAT(first_error(vault("{address: v.example}")), HasSubstr("not an address of Vault"));
  EXPECT_THAT(first_error(vault("{adress: 'https://v'}")), HasSubstr("did you mean `address`?"));
}

TEST(LoadVault, IsWrittenAgainAsItWasRead) {
  const auto document = document_of(credential("{exec: [/bin/pass, show, 'a b']}", ", ttl: 10min") +
                                    vault("{address: 'https://v:8200', namespace: n, auth: {method: jwt, mount: gitlab, "
                                          "role: ci, secret: 'env:JWT', wrapped: true}}"));
  const auto text = to_yaml(document);
  const auto again = load_text(text, "/etc/weir/test.yaml");
  ASSERT_TRUE(again.ok()) << text;
  EXPECT_EQ(again.document.vault, document.vault) << text;
  EXPECT_EQ(again.document.credentials[0].from, document.credentials[0].from) << text;
  EXPECT_EQ(again.document.credentials[0].ttl_seconds, 600U) << text;
}

TEST(LoadVault, StaysWithTheKeeper) {
  const auto document = document_of(vault("{address: 'https://v:8200'}"));
  EXPECT_EQ(encode(document).find("https://v:8200"), std::string::npos);
}

}  // namespace
}  // namespace weir::policy
