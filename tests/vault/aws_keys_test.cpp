// The forms in which AWS keys come.
#include "vault/aws_keys.h"

#include <gmock/gmock.h>

namespace weir::vault {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string read(std::string_view text) {
  const auto keys = aws_keys(Secret(text));
  return keys ? std::string(keys->reveal()) : keys.error().code;
}
std::string message(std::string_view text) {
  const auto keys = aws_keys(Secret(text));
  return keys ? "no error" : keys.error().message;
}
constexpr auto kUnreadable = "aws_keys_unreadable";

TEST(AwsKeys, JsonOfACredentialProcess) {
  EXPECT_EQ(read(R"({"Version": 1, "AccessKeyId": "AKIA1", "SecretAccessKey": "s/e+c", "SessionToken": "t==", "Expiration": "2026-01-05T10:11:12Z"})"),
            "AKIA1\ns/e+c\nt==");
  EXPECT_EQ(read(R"({"Version": 1, "AccessKeyId": "AKIA1", "SecretAccessKey": "s\/e\u002bc"})"), "AKIA1\ns/e+c");
  EXPECT_EQ(read(R"({"AccessKeyId": "AKIA1", "SecretAccessKey": "s", "SessionToken": null})"), "AKIA1\ns");
  EXPECT_EQ(read(R"({"AccessKeyId": "AKIA1", "SecretAccessKey": "s", "SessionToken": ""})"), "AKIA1\ns");
}

TEST(AwsKeys, JsonOfOtherServices) {
  EXPECT_EQ(read(R"({"Credentials": {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t"}, "AssumedRoleUser": {"Arn": "x"}})"), "A\ns\nt");
  EXPECT_EQ(read(R"({"roleCredentials": {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1}})"), "A\ns\nt");
  EXPECT_EQ(read(R"({"Code": "Success", "AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"})"), "A\ns\nt");
  EXPECT_EQ(read(R"({"AccessKey": {"UserName": "u", "AccessKeyId": "A", "SecretAccessKey": "s"}})"), "A\ns");
}

TEST(AwsKeys, JsonOfVault) {
  EXPECT_EQ(read(R"({"access_key": "A", "secret_key": "s", "security_token": "t"})"), "A\ns\nt");
  EXPECT_EQ(read(R"({"access_key": "A", "secret_key": "s", "security_token": null, "session_token": "t", "arn": ""})"), "A\ns\nt");
  EXPECT_EQ(read(R"({"lease_id": "l", "data": {"access_key": "A", "secret_key": "s", "security_token": null}})"), "A\ns");
}

TEST(AwsKeys, Lines) {
  EXPECT_EQ(read("A\ns"), "A\ns");
  EXPECT_EQ(read("  A \r\n s=\r\n\r\nt==\r\n"), "A\ns=\nt==");
  EXPECT_EQ(read("# for tests\nA\ns\n"), "A\ns");
}

TEST(AwsKeys, OneProfile) {
  EXPECT_EQ(read("[default]\naws_access_key_id = A\naws_secret_access_key=s=\n"), "A\ns=");
  EXPECT_EQ(read("; mine\n\n[work]\nregion = eu-central-1\naws_session_token = t==\naws_secret_access_key = s\naws_access_key_id = A"), "A\ns\nt==");
  EXPECT_EQ(read("[work]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t\naws_security_token = t\n"), "A\ns\nt");
}

TEST(AwsKeys, Variables) {
  EXPECT_EQ(read("export AWS_ACCESS_KEY_ID=A\nexport AWS_SECRET_ACCESS_KEY=s\nexport AWS_SESSION_TOKEN=t\nexport AWS_CREDENTIAL_EXPIRATION=x\n"), "A\ns\nt");
  EXPECT_EQ(read("AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=s"), "A\ns");
}

TEST(AwsKeys, SeveralProfilesAreNoAnswer) {
  const auto text = "[a]\naws_access_key_id = A\naws_secret_access_key = topsecret\n[b]\naws_access_key_id = B\naws_secret_access_key = s\n";
  EXPECT_EQ(read(text), kUnreadable);
  EXPECT_THAT(message(text), HasSubstr("several profiles"));
  EXPECT_EQ(read("[a]\naws_access_key_id = A\naws_access_key_id = B\naws_secret_access_key = s\n"), kUnreadable);
}

TEST(AwsKeys, BadInputIsRefusedWithoutRepeatingIt) {
  for (const std::string text :
       {"", " \n ", "topsecret", "a\ntopsecret\nc\nd", "a topsecret\nb", "a\ntop\tsecret", "a\ntopsecret\xc3\xa4", "{topsecret", "{}", "[]", "[topsecret]", "# topsecret",
        R"({"AccessKeyId": "A"})", R"({"SecretAccessKey": "topsecret"})", R"({"AccessKeyId": "", "SecretAccessKey": "topsecret"})",
        R"({"AccessKeyId": 1, "SecretAccessKey": "topsecret"})", R"({"AccessKeyId": "A", "SecretAccessKey": ["topsecret"]})",
        R"({"AccessKeyId": "A", "SecretAccessKey": "top\nsecret"})", R"({"AccessKeyId": "A", "SecretAccessKey": "topsecret", "SessionToken": {}})",
        R"({"Credentials": "topsecret"})", R"({"AccessKeyId": "A", "SecretAccessKey": "topsecret"} x)", "[a]\naws_access_key_id = A\n",
        "[a]\naws_secret_access_key = topsecret\n"}) {
    EXPECT_EQ(read(text), kUnreadable) << text;
    EXPECT_THAT(message(text), Not(HasSubstr("topsecret"))) << text;
  }
}

}  // namespace
}  // namespace weir::vault
