// GitHub Apps, Google's service accounts and AWS roles: what is signed and sent, and what is made of the answers.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/time.h"
#include "tests/vault/keys.h"
#include "tests/vault/scratch.h"
#include "tests/vault/scripted_server.h"
#include "vault/refresh/aws_signature.h"
#include "vault/refresh/exchange.h"
#include "vault/refresh/jwt.h"
#include "vault/refresh/sts_answer.h"

namespace weir::vault {
namespace {

using namespace test;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = RefreshSettings::Kind;

std::int64_t now_s() { return wall_clock_us() / 1'000'000; }

std::string decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(std::count(text.end() - 2, text.end(), '=')));
  return out;
}

struct Jwt {
  json header, claims;
};
// What the token says, when its signature is the key's.
std::optional<Jwt> verified(const std::string& token, const TestKey& key) {
  const auto first = token.find('.'), second = token.rfind('.');
  if (first == std::string::npos || first == second) return std::nullopt;
  const std::string text = token.substr(0, second), signature = decoded(token.substr(second + 1));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get());
  const int good = EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                    reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  if (good != 1) return std::nullopt;
  return Jwt{json::parse(decoded(token.substr(0, first))), json::parse(decoded(token.substr(first + 1, second - first - 1)))};
}

Result<Exchanged> ask(const RefreshSettings& given, std::string_view base) {
  http::Trust trust;
  trust.ca_pem = given.ca_pem;
  http::Client client(trust, {.attempts = 2, .attempt_ms = 2000, .all_ms = 4000, .first_pause_ms = 1}, {"date", "x-ratelimit-remaining"});
  const Secret value(base), none;
  return exchange(client, given, value, none);
}

class Services : public testing::Test {
 protected:
  static void SetUpTestSuite() { key_ = rsa_key(); }
  static void TearDownTestSuite() { key_.reset(); }
  static TestKey key_;
};
TestKey Services::key_;

RefreshSettings app(ScriptedServer& server) {
  return {.kind = Kind::github_app, .url = server.address("/"), .client_id = "12345", .account = "678", .ca_pem = server.ca_pem()};
}

TEST_F(Services, GithubAppAsksForItsInstallationsTokenWithASignedToken) {
  const std::string ends = format_timestamp((now_s() + 3600) * 1'000'000).substr(0, 19) + "Z";
  ScriptedServer server({{201, R"({"token":"ghs_x","expires_at":")" + ends + R"("})"}});
  auto given = app(server);
  given.scopes = {"me/one", "two"};
  given.parameters = {{"contents", "read"}, {"issues", "write"}};
  for (const bool traditional : {true, false}) {
    const auto got = ask(given, key_pem(key_, nullptr, traditional));
    ASSERT_TRUE(got) << message_of(got);
    EXPECT_EQ(got->value.reveal(), "ghs_x");
    EXPECT_NEAR(static_cast<double>(got->lasts_ms), 3'600'000, 3'000);
  }
  EXPECT_TRUE(server.requests().front().starts_with("POST /app/installations/678/access_tokens HTTP/1.1\r\n"));
  EXPECT_EQ(json::parse(server.body(0)), json::parse(R"({"repositories":["one","two"],"permissions":{"contents":"read","issues":"write"}})"));
  EXPECT_EQ(server.field(0, "Accept"), "application/vnd.github+json");
  EXPECT_EQ(server.field(0, "User-Agent"), "weir");
  const auto jwt = verified(server.field(0, "Authorization").substr(7), key_);
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->header, json::parse(R"({"alg":"RS256","typ":"JWT"})"));
  EXPECT_EQ(jwt->claims["iss"], "12345");
  EXPECT_NEAR(jwt->claims["iat"].get<double>(), static_cast<double>(now_s() - 60), 3);
  EXPECT_LE(jwt->claims["exp"].get<std::int64_t>(), now_s() + 600);
  EXPECT_FALSE(verified(server.field(0, "Authorization").substr(7), rsa_key()));
}

TEST_F(Services, GithubTokenLastsByGithubsClock) {
  ScriptedServer server({{201, R"({"token":"ghs_x","expires_at":"2020-01-01T01:00:00Z"})", "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n"}});
  EXPECT_EQ(ask(app(server), key_pem(key_))->lasts_ms, 3'600'000);
  EXPECT_EQ(server.body(0), "{}") << "all repositories and permissions";
}

TEST_F(Services, GithubsErrorsAreSaidInWords) {
  const struct {
    int status;
    const char *body, *headers, *code, *says;
  } table[] = {
      {401, R"({"message":"Bad credentials"})", "", "refresh_denied", "does not take the key for the App 12345: Bad credentials"},
      {401, R"({"message":"'Issued at' claim"})", "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n", "refresh_denied", "ahead of the service's"},
      {404, R"({"message":"Not Found"})", "", "refresh_denied", "has no installation 678"},
      {422, R"({"message":"no"})", "", "refresh_denied", "repositories or permissions"},
      {403, R"({"message":"suspended"})", "", "refresh_denied", "(status 403): suspended"},
      {403, R"({"message":"x"})", "x-ratelimit-remaining: 0\r\n", "refresh_busy", "no more requests"},
      {403, R"({"message":"You have exceeded a secondary rate limit"})", "", "refresh_busy", "no more requests"},
      {404, "<html>", "", "refresh_refused", "not as GitHub does"},
      {201, R"({"token":"x"})", "", "refresh_refused", "no token with an end"},
      {201, R"({"token":"x","expires_at":"2020-01-01T00:00:00Z"})", "", "refresh_refused", "over already"},
      {301, "", "", "refresh_refused", "elsewhere"},
  };
  for (const auto& row : table) {
    ScriptedServer server({{row.status, row.body, row.headers}});
    const auto got = ask(app(server), key_pem(key_));
    EXPECT_EQ(code_of(got), row.code) << row.body;
    EXPECT_THAT(message_of(got), HasSubstr(row.says)) << row.body;
  }
}

TEST_F(Services, KeysThatCannotSignAreNamedWithoutTheirText) {
  const struct {
    std::string key;
    const char* says;
  } table[] = {{"s3cret", "no private key in PEM form"},
               {"", "no private key"},
               {key_pem(key_, "pass"), "has a passphrase"},
               {key_pem(key_, "pass", true), "has a passphrase"},
               {key_pem(ec_key()), "no RSA key"},
               {key_pem(rsa_key(1024)), "too few"},
               {key_pem(key_).substr(0, 900), "no private key in PEM form"}};
  for (const auto& row : table) {
    const auto got = signed_jwt("{}", "{}", row.key, "the key");
    EXPECT_EQ(code_of(got), "refresh_invalid");
    EXPECT_THAT(message_of(got), AllOf(HasSubstr(row.says), Not(HasSubstr("s3cret"))));
  }
}

std::string account(ScriptedServer& server, const TestKey& key) {
  return json{{"type", "service_account"},   {"client_email", "a@p.iam.example"},       {"private_key_id", "kid-1"},
              {"private_key", key_pem(key)}, {"token_uri", server.address("/token")}}.dump(1);
}

TEST_F(Services, GoogleServiceAccountSendsASignedAssertion) {
  ScriptedServer server({{200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})"}});
  RefreshSettings given{.kind = Kind::google, .account = "anna@corp.example", .scopes = {"https://a/x", "https://a/y"}, .ca_pem = server.ca_pem()};
  const auto got = ask(given, account(server, key_));
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "ya29.x");
  EXPECT_EQ(got->lasts_ms, 3'599'000);
  const std::string begin = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(server.body(0).starts_with(begin)) << server.body(0);
  const auto jwt = verified(server.body(0).substr(begin.size()), key_);
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->header, json::parse(R"({"alg":"RS256","typ":"JWT","kid":"kid-1"})"));
  EXPECT_EQ(jwt->claims["iss"], "a@p.iam.example");
  EXPECT_EQ(jwt->claims["sub"], "anna@corp.example");
  EXPECT_EQ(jwt->claims["scope"], "https://a/x https://a/y");
  EXPECT_EQ(jwt->claims["aud"], server.address("/token"));
  EXPECT_EQ(jwt->claims["exp"].get<std::int64_t>() - jwt->claims["iat"].get<std::int64_t>(), 3600);
  EXPECT_LE(jwt->claims["iat"].get<std::int64_t>(), now_s());
  given.account.clear();
  given.url = server.address("/other");
  ASSERT_TRUE(ask(given, account(server, key_)));
  const auto other = verified(server.body(1).substr(begin.size()), key_);
  EXPECT_FALSE(other->claims.contains("sub"));
  EXPECT_EQ(other->claims["aud"], server.address("/other"));
}

TEST_F(Services, GooglesErrorsAndKeysThatAreNoneAreSaidInWords) {
  ScriptedServer server({{400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})"}, {500, ""}, {500, ""}, {403, "x"}, {200, "{}"}});
  const RefreshSettings given{.kind = Kind::google, .scopes = {"s"}, .ca_pem = server.ca_pem()};
  auto got = ask(given, account(server, key_));
  EXPECT_EQ(code_of(got), "refresh_denied");
  EXPECT_THAT(message_of(got), HasSubstr("a@p.iam.example (invalid_grant): Invalid JWT Signature."));
  EXPECT_EQ(code_of(ask(given, account(server, key_))), "refresh_busy");
  EXPECT_EQ(code_of(ask(given, account(server, key_))), "refresh_refused");
  EXPECT_EQ(code_of(ask(given, account(server, key_))), "refresh_refused");
  const std::pair<const char*, const char*> table[] = {{"s3cret", "no JSON"},
                                                       {"[]", "no JSON"},
                                                       {R"({"type":"authorized_user"})", "refresh: oauth2"},
                                                       {R"({"type":"service_account","client_email":"a"})", "no private_key"},
                                                       {R"({"type":"service_account","client_email":"a","private_key":"s3cret"})", "in PEM form"},
                                                       {R"({"type":"service_account","client_email":"a","private_key":"s3cret","token_uri":"http://x.example/"})", "in the clear"}};
  for (const auto& [key, says] : table) {
    got = ask(given, key);
    EXPECT_EQ(code_of(got), "refresh_invalid") << key;
    EXPECT_THAT(message_of(got), AllOf(HasSubstr(says), Not(HasSubstr("s3cret")))) << key;
  }
}

TEST(AwsSignature, IsTheOneThatBotocoreMakes) {
  constexpr std::int64_t kWhen = 1767323045;
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  auto signature = sign_aws_post({"sts.eu-central-1.amazonaws.com", "/", kForm, "Action=AssumeRole&Version=2011-06-15", "eu-central-1", "sts"},
                                 "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", kWhen);
  EXPECT_EQ(signature.date, "20260102T030405Z");
  EXPECT_EQ(signature.authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
            "Signature=e65993e74e5d57dbccf526be3b8c6a9748007331a7812479fe0188a12e90702d");
  signature = sign_aws_post({"127.0.0.1:8443", "/some/path", kForm, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx", "us-east-1", "sts"},
                            "ASIAEXAMPLE", "secret", "IQoJb3JpZ2luX2VjE/+==", kWhen);
  EXPECT_EQ(signature.authorization,
            "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260102/us-east-1/sts/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
            "Signature=37451d766b89b7da942756761de1f77e970248573fc5405a607121b47ce52158");
}

std::string keys_json(const char* action, const std::string& expiration) {
  return R"({")" + std::string(action) + R"(Response":{")" + action +
         R"(Result":{"Credentials":{"AccessKeyId":"ASIA1","SecretAccessKey":"sec/+=","SessionToken":"tok/+==","Expiration":)" + expiration + "}}}}";
}
std::string keys_xml(const std::string& inner) {
  return R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser><Credentials>)" +
         inner + "</Credentials></AssumeRoleResult></AssumeRoleResponse>";
}

TEST_F(Services, AwsRoleIsAssumedWithASignatureAndItsKeysServe) {
  ScriptedServer server({{200, keys_json("AssumeRole", std::to_string(now_s() + 900) + ".0")},
                         {200, keys_xml("<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>sec/+=</SecretAccessKey><SessionToken>tok/+==</SessionToken><Expiration>" +
                                        format_timestamp((now_s() + 900) * 1'000'000).substr(0, 19) + "Z</Expiration>")}});
  RefreshSettings given{.kind = Kind::aws_role, .url = server.address(), .account = "arn:aws:iam::123456789012:role/x", .region = "eu-central-1",
                        .session = "me", .external_id = "ext/1", .duration_seconds = 900, .ca_pem = server.ca_pem()};
  for (int i = 0; i < 2; ++i) {
    const auto got = ask(given, R"({"AccessKeyId":"AKID","SecretAccessKey":"s3cret","SessionToken":"base+token"})");
    ASSERT_TRUE(got) << message_of(got);
    EXPECT_EQ(got->value.reveal(), "ASIA1\nsec/+=\ntok/+==");
    EXPECT_NEAR(static_cast<double>(got->lasts_ms), 900'000, 3'000);
  }
  EXPECT_EQ(server.body(0), "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&RoleSessionName=me&"
                            "DurationSeconds=900&ExternalId=ext%2F1");
  EXPECT_EQ(server.field(0, "X-Amz-Security-Token"), "base+token");
  EXPECT_EQ(server.field(0, "Accept"), "application/json");
  EXPECT_THAT(server.field(0, "Authorization"), HasSubstr("Credential=AKID/"));
  EXPECT_THAT(server.requests()[0], Not(HasSubstr("s3cret")));
}

TEST_F(Services, AwsWebIdentityIsNotSigned) {
  ScriptedServer server({{200, keys_json("AssumeRoleWithWebIdentity", "1.9E9")}});
  const RefreshSettings given{.kind = Kind::aws_role, .url = server.address("/x"), .account = "arn:aws:iam::123456789012:role/x", .web_identity = true,
                              .ca_pem = server.ca_pem()};
  const auto got = ask(given, "ey.j.wt");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(server.field(0, "Authorization"), "");
  EXPECT_EQ(server.body(0), "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&"
                            "RoleSessionName=weir&WebIdentityToken=ey.j.wt");
}

TEST_F(Services, AwsErrorsAreSaidInWords) {
  const struct {
    int status;
    const char *body, *code, *says;
  } table[] = {
      {403, R"({"Error":{"Code":"AccessDenied","Message":"not authorized"},"RequestId":"x"})", "refresh_denied", "(AccessDenied): not authorized"},
      {403, "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>over</Message></Error></ErrorResponse>", "refresh_denied",
       "(ExpiredToken): over"},
      {403, R"({"Error":{"Code":"SignatureDoesNotMatch","Message":"It does not match.\n\nx-amz-security-token:s3cret"}})", "refresh_denied", "It does not match."},
      {403, R"({"Error":{"Code":"X","Message":"with s3cret"}})", "refresh_denied", "(X)"},
      {400, R"({"Error":{"Code":"Throttling","Message":"Rate exceeded"}})", "refresh_busy", "Throttling"},
      {403, "<html>no</html>", "refresh_refused", "not as STS does"},
      {200, "{}", "refresh_refused", "no keys with an end"},
      {503, "", "refresh_busy", "503"},
  };
  for (const auto& row : table) {
    ScriptedServer server({{row.status, row.body}});
    const RefreshSettings given{.kind = Kind::aws_role, .url = server.address("/"), .account = "arn:aws:iam::123456789012:role/x", .ca_pem = server.ca_pem()};
    const auto got = ask(given, "AKID\ns3cret\ns3cret-token");
    EXPECT_EQ(code_of(got), row.code) << row.body;
    EXPECT_THAT(message_of(got), AllOf(HasSubstr(row.says), Not(HasSubstr("s3cret")))) << row.body;
  }
  EXPECT_EQ(code_of(ask({.kind = Kind::aws_role, .account = "arn:aws:iam::1:role/x"}, "AKID")), "refresh_invalid");
}

TEST(StsAnswer, AnythingButAWholeAnswerIsNone) {
  const std::string id = "<AccessKeyId>A</AccessKeyId>", secret = "<SecretAccessKey>s</SecretAccessKey>", token = "<SessionToken>t</SessionToken>",
                    end = "<Expiration>2030-01-01T00:00:00Z</Expiration>";
  const auto given = read_sts_keys(keys_xml(id + secret + token + end), "AssumeRole");
  ASSERT_TRUE(given);
  EXPECT_EQ(given->keys.reveal(), "A\ns\nt");
  EXPECT_EQ(given->ends_s, 1893456000);
  for (const std::string& bad :
       {keys_xml(id + secret + token), keys_xml(id + secret + end), keys_xml(secret + token + end), keys_xml(id + id + secret + token + end),
        keys_xml(id + secret + token + "<Expiration>soon</Expiration>"), keys_xml("<AccessKeyId>A&#10;B</AccessKeyId>" + secret + token + end),
        keys_xml("<AccessKeyId></AccessKeyId>" + secret + token + end), keys_xml("<AccessKeyId><x/></AccessKeyId>" + secret + token + end),
        keys_xml("<!-- " + id + " -->" + secret + token + end), keys_xml(id + secret + token + end).substr(0, 250), std::string("<Credentials>"), std::string(),
        keys_json("AssumeRole", "\"soon\""), keys_json("AssumeRole", "null"), keys_json("AssumeRole", "-1"), keys_json("AssumeRoleWithWebIdentity", "1.9e9"),
        std::string(R"({"AssumeRoleResponse":{"AssumeRoleResult":{"Credentials":{"AccessKeyId":1,"SecretAccessKey":"s","SessionToken":"t","Expiration":1}}}})"),
        std::string(R"({"AssumeRoleResponse":{"AssumeRoleResult":{"Credentials":{"AccessKeyId":"a\nb","SecretAccessKey":"s","SessionToken":"t","Expiration":1}}}})")})
    EXPECT_FALSE(read_sts_keys(bad, "AssumeRole")) << bad;
  EXPECT_FALSE(read_sts_error("<Error><Code></Code></Error>"));
  EXPECT_FALSE(read_sts_error(R"({"Error":"x"})"));
}

}  // namespace
}  // namespace weir::vault
