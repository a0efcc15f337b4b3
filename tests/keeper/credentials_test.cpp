// How a policy's credentials are fetched before it is put into force, and held while a session runs.
#include <gmock/gmock.h>
#include <uv.h>

#include <chrono>

#include "keeper/credential_leases.h"
#include "keeper/prepared_policy.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

using testing::HasSubstr;

class Credentials : public testing::Test {
 protected:
  policy::Credential& add(const std::string& name, const std::string& from) {
    policy::Credential credential;
    credential.name = name;
    credential.from = from;
    return document_.credentials.emplace_back(std::move(credential));
  }
  Result<PreparedPolicy> prepare() { return prepare_policy({document_, ""}, vault_, false); }

  TemporaryFolder folder_;
  vault::Vault vault_{{folder_ / "vault.json", folder_ / "vault.key"}};
  policy::Document document_;
};

TEST_F(Credentials, SlowOnesAreFetchedSideBySideAndStayInOrder) {
  for (int i = 0; i < 5; ++i) add("c" + std::to_string(i), R"(exec:["/bin/sh","-c","sleep 1; echo )" + std::to_string(i) + "\"]");
  const auto began = std::chrono::steady_clock::now();
  const auto prepared = prepare();
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(3500));
  ASSERT_EQ(prepared->secrets.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(prepared->secrets[i].value.reveal(), std::to_string(i));
}

TEST_F(Credentials, OneThatFailsIsNamedAndTheRestAreNotAwaited) {
  for (int i = 0; i < 20; ++i) add("slow", R"(exec:["/bin/sleep","1"])");
  add("wrong", "env:WEIR_TEST_UNSET");
  const auto prepared = prepare();
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().message, HasSubstr("credential `wrong`: "));
}

TEST_F(Credentials, OnlyWhatALoginIsToBringMayBeAbsent) {
  add("access", "store:tool/access");
  EXPECT_EQ(prepare().error().code, "vault_missing");
  document_.oauth.push_back({"login.example", 443, "/token", {{"access_token", "access"}}, {}});
  auto prepared = prepare();
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_TRUE(prepared->secrets[0].absent);
  ASSERT_TRUE(vault_.keep("store:tool/other", Secret("x")));
  EXPECT_TRUE(prepare()->secrets[0].absent) << "a vault without the entry";
  ASSERT_TRUE(vault_.keep("store:tool/access", Secret("one")));
  prepared = prepare();
  EXPECT_FALSE(prepared->secrets[0].absent);
  EXPECT_EQ(prepared->secrets[0].value.reveal(), "one");
}

TEST_F(Credentials, ValueMustServeForWhatItIsFor) {
  auto& credential = add("certificate", R"(exec:["/bin/echo","s3cret"])");
  credential.inject.kind = policy::Injection::Kind::client_certificate;
  const auto prepared = prepare();
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, "credential_invalid");
  EXPECT_THAT(prepared.error().message, testing::Not(HasSubstr("s3cret")));
}

TEST_F(Credentials, WrongRefreshIsFoundBeforeAnythingIsSent) {
  auto& credential = add("token", R"(exec:["/bin/echo","secret"])");
  credential.refresh.kind = policy::Refresh::Kind::oauth2;
  credential.refresh.url = "http://elsewhere.example/token";
  credential.refresh.grant = "client_credentials";
  credential.refresh.client_id = "c";
  EXPECT_EQ(prepare().error().code, "refresh_invalid");
}

TEST_F(Credentials, ValueThatComesLaterServesAndTakesTheOldOneFromTheProxy) {
  add("access", "store:tool/access");
  static uv_loop_t loop;  // a keeper's is closed by the end of its process, and so is this
  uv_loop_init(&loop);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> withdrawn;
  {
    CredentialLeases leases(&loop, {[&](std::uint32_t generation, std::uint32_t credential) { withdrawn.emplace_back(generation, credential); },
                                    [](std::string_view, const nlohmann::ordered_json&) {}});
    std::vector<vault::Obtained> values(1);
    values[0].absent = true;
    leases.take(3, document_.credentials, std::move(values));
    EXPECT_EQ(leases.value(3, 0).error().code, "credential_absent");
    leases.put(3, 0, Secret("one"));
    EXPECT_EQ((*leases.value(3, 0))->reveal(), "one");
    leases.put(3, 0, Secret("one"));
    leases.put(3, 0, Secret("two"));
    EXPECT_EQ((*leases.value(3, 0))->reveal(), "two");
    leases.put(3, 1, Secret("x"));
    leases.put(4, 0, Secret("x"));
    leases.finish();
  }
  EXPECT_EQ(withdrawn, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{3, 0}, {3, 0}}));
}

}  // namespace
}  // namespace weir::keeper
