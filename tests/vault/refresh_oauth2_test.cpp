// What is sent to a token endpoint, and what is made of its answers.
#include <gmock/gmock.h>

#include "tests/vault/scratch.h"
#include "tests/vault/scripted_server.h"
#include "vault/refresh/exchange.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = RefreshSettings::Kind;

RefreshSettings settings(ScriptedServer& server, const char* grant) {
  return {.kind = Kind::oauth2, .url = server.address("/oauth/token?x=1"), .grant = grant, .client_id = "my id", .ca_pem = server.ca_pem()};
}

Result<Exchanged> ask(const RefreshSettings& given, const char* base, const char* secret = "") {
  http::Client client({.ca_file = {}, .ca_path = {}, .ca_pem = given.ca_pem, .client_certificate = {}, .client_key = {}, .server_name = {}},
                      {.attempts = 2, .attempt_ms = 2000, .all_ms = 4000, .first_pause_ms = 1}, {"date"});
  const Secret value(base);
  const Secret client_secret{std::string_view(secret)};
  return exchange(client, given, value, client_secret);
}

const ScriptedServer::Step kToken{200, R"({"access_token":"at-1","token_type":"Bearer","expires_in":3600})"};

TEST(OAuth2, ClientCredentialsGoInTheBasicFormOfRfc6749) {
  ScriptedServer server({kToken});
  auto given = settings(server, "client_credentials");
  given.scopes = {"read", "write:all"};
  given.parameters = {{"audience", "https://api.example/&x"}};
  const auto got = ask(given, "s3cret/:é");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "at-1");
  EXPECT_EQ(got->lasts_ms, 3'600'000);
  EXPECT_TRUE(got->next_base.empty());
  EXPECT_EQ(server.requests().front().substr(0, server.requests().front().find("\r\n")), "POST /oauth/token?x=1 HTTP/1.1");
  // base64 of "my+id:s3cret%2F%3A%C3%A9"
  EXPECT_EQ(server.field(0, "Authorization"), "Basic bXkraWQ6czNjcmV0JTJGJTNBJUMzJUE5");
  EXPECT_EQ(server.field(0, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(server.field(0, "Accept"), "application/json");
  EXPECT_EQ(server.body(0), "grant_type=client_credentials&scope=read+write%3Aall&audience=https%3A%2F%2Fapi.example%2F%26x");
}

TEST(OAuth2, ClientCredentialsGoInTheBodyWhereThatIsAsked) {
  ScriptedServer server({kToken});
  auto given = settings(server, "client_credentials");
  given.secret_in_body = true;
  ASSERT_TRUE(ask(given, "s3 cret"));
  EXPECT_EQ(server.field(0, "Authorization"), "");
  EXPECT_EQ(server.body(0), "grant_type=client_credentials&client_id=my+id&client_secret=s3+cret");
}

TEST(OAuth2, RefreshTokenOfAPublicClientGoesWithItsIdAndOfAnotherWithItsSecret) {
  ScriptedServer server({kToken});
  ASSERT_TRUE(ask(settings(server, "refresh_token"), "rt-1"));
  ASSERT_TRUE(ask(settings(server, "refresh_token"), "rt-1", "s3cret"));
  EXPECT_EQ(server.body(0), "grant_type=refresh_token&refresh_token=rt-1&client_id=my+id");
  EXPECT_EQ(server.field(0, "Authorization"), "");
  EXPECT_EQ(server.body(1), "grant_type=refresh_token&refresh_token=rt-1");
  EXPECT_EQ(server.field(1, "Authorization"), "Basic bXkraWQ6czNjcmV0");
}

TEST(OAuth2, RefreshTokenThatIsReplacedIsToldAndOneThatIsTheSameIsNot) {
  ScriptedServer server({{200, R"({"access_token":"a","expires_in":"60","refresh_token":"rt-2"})"},
                         {200, R"({"access_token":"a","expires_in":60.0,"refresh_token":"rt-1"})"}});
  auto got = ask(settings(server, "refresh_token"), "rt-1");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->next_base.reveal(), "rt-2");
  EXPECT_EQ(got->lasts_ms, 60'000) << "a string of digits is a number to some services";
  got = ask(settings(server, "refresh_token"), "rt-1");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_TRUE(got->next_base.empty());
}

TEST(OAuth2, TimeThatIsNotSaidIsUnknown) {
  ScriptedServer server({{200, R"({"access_token":"a"})"}});
  EXPECT_EQ(ask(settings(server, "client_credentials"), "s")->lasts_ms, 0);
}

TEST(OAuth2, ErrorsAreSaidInWordsAndHoldNoSecret) {
  const struct {
    int status;
    const char *body, *code, *says;
  } table[] = {
      {401, R"({"error":"invalid_client"})", "refresh_denied", "does not know the client"},
      {400, R"({"error":"invalid_grant","error_description":"Token expired\nmore"})", "refresh_denied", "log in anew (invalid_grant): Token expired"},
      {400, R"({"error":"invalid_grant","error_description":"no rt-s3cret here"})", "refresh_denied", "log in anew (invalid_grant)"},
      {400, R"({"error":"unauthorized_client"})", "refresh_denied", "may not use this grant"},
      {400, R"({"error":"unsupported_grant_type"})", "refresh_denied", "does not know this grant"},
      {400, R"({"error":"invalid_scope"})", "refresh_denied", "scopes"},
      {400, R"({"error":"invalid_request"})", "refresh_denied", "misses something"},
      {200, R"({"ok":false,"error":"token_rotated"})", "refresh_denied", "it says token_rotated"},
      {400, R"({"error":"\u001b[2Jx"})", "refresh_denied", "it says \\x1b"},
      {400, R"({"error":"temporarily_unavailable"})", "refresh_busy", "temporarily_unavailable"},
      {403, "<html>", "refresh_refused", "no JSON"},
      {404, "{}", "refresh_refused", "neither a token nor an error"},
      {200, "{}", "refresh_refused", "neither a token nor an error"},
      {200, R"({"access_token":12})", "refresh_refused", "neither a token nor an error"},
      {200, R"({"access_token":"a\nb"})", "refresh_refused", "a line feed"},
      {200, R"({"access_token":""})", "refresh_refused", "is empty"},
      {200, R"({"access_token":"a","token_type":"DPoP"})", "refresh_refused", "dpop"},
      {200, R"({"access_token":"a","expires_in":0})", "refresh_refused", "no time to come"},
      {200, R"({"access_token":"a","expires_in":-5})", "refresh_refused", "no time to come"},
      {200, R"({"access_token":"a","expires_in":"soon"})", "refresh_refused", "no time to come"},
      {302, "", "refresh_refused", "sends the request elsewhere"},
      {429, "", "refresh_busy", "takes no requests for now"},
      {503, "", "refresh_busy", "503"},
  };
  for (const auto& row : table) {
    ScriptedServer server({{row.status, row.body, "Location: https://127.0.0.1:1/\r\n"}});
    const auto got = ask(settings(server, "refresh_token"), "rt-s3cret", "cs-s3cret");
    EXPECT_EQ(code_of(got), row.code) << row.status << row.body;
    EXPECT_THAT(message_of(got), AllOf(HasSubstr(row.says), Not(HasSubstr("s3cret")), Not(HasSubstr("\x1b")), Not(HasSubstr("\n")))) << row.body;
    EXPECT_EQ(is_passing({got.error().code, ""}), std::string(row.code) != "refresh_denied");
  }
}

TEST(OAuth2, RefreshTokenIsNotSentAgainWhereItMayHaveBeenUsed) {
  ScriptedServer server({{0, ""}, kToken});
  EXPECT_EQ(code_of(ask(settings(server, "refresh_token"), "rt-1")), "refresh_unreachable");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(OAuth2, ClientCredentialsAreSentAgain) {
  ScriptedServer server({{0, ""}, {503, ""}, kToken});
  EXPECT_EQ(code_of(ask(settings(server, "client_credentials"), "s")), "refresh_busy") << "two attempts";
  EXPECT_TRUE(ask(settings(server, "client_credentials"), "s"));
}

TEST(OAuth2, CertificateIsVerified) {
  ScriptedServer server({kToken});
  auto given = settings(server, "client_credentials");
  given.ca_pem.clear();
  const auto got = ask(given, "s");
  EXPECT_EQ(code_of(got), "refresh_unreachable");
  EXPECT_THAT(message_of(got), HasSubstr("certificate"));
  EXPECT_TRUE(server.requests().empty());
}

TEST(OAuth2, AnswerThatIsTooLongIsRefused) {
  ScriptedServer server({{200, std::string(100'000, ' ')}});
  EXPECT_THAT(message_of(ask(settings(server, "client_credentials"), "s")), HasSubstr("longer than 64 KiB"));
}

TEST(RefreshSettings, WrongOnesAreNamed) {
  const auto oauth = [](auto change) {
    RefreshSettings settings{.kind = Kind::oauth2, .url = "https://a.example/t", .grant = "client_credentials", .client_id = "c"};
    change(settings);
    return check_refresh(settings);
  };
  EXPECT_TRUE(oauth([](auto&) {}));
  for (const char* url : {"http://127.0.0.1:80/t", "http://127.1.2.3", "http://[::1]:8/", "http://localhost/t?x"})
    EXPECT_TRUE(oauth([&](auto& s) { s.url = url; })) << url;
  for (const char* url : {"http://a.example/t", "ftp://a.example", "https://", "https://u:p@a.example/", "https://a.example/#x", "https://a b/",
                          "https://a.example/\r\nX: y", "http://127.0.0.1.example/", "http://127.1/", "http://1270.0.0.1/", "http://[::1].example/", "http://localhost@x.example/", "a.example"})
    EXPECT_EQ(code_of(oauth([&](auto& s) { s.url = url; })), "refresh_invalid") << url;
  EXPECT_THAT(message_of(oauth([](auto& s) { s.url = ""; })), HasSubstr("token_url"));
  EXPECT_THAT(message_of(oauth([](auto& s) { s.grant = "password"; })), HasSubstr("neither"));
  EXPECT_THAT(message_of(oauth([](auto& s) { s.client_id = ""; })), HasSubstr("client_id"));
  EXPECT_THAT(message_of(oauth([](auto& s) { s.client_secret = "env:X"; })), HasSubstr("what `from` gives"));
  EXPECT_THAT(message_of(oauth([](auto& s) { s.parameters = {{"grant_type", "x"}}; })), HasSubstr("a key of its own"));
  EXPECT_THAT(message_of(oauth([](auto& s) { s.scopes = {"a b"}; })), HasSubstr("is no scope"));

  const auto github = [](auto change) {
    RefreshSettings settings{.kind = Kind::github_app, .client_id = "1", .account = "2"};
    change(settings);
    return check_refresh(settings);
  };
  EXPECT_TRUE(github([](auto& s) { s.scopes = {"me/repo.x"}, s.parameters = {{"contents", "read"}}; }));
  EXPECT_FALSE(github([](auto& s) { s.account = "2/../3"; }));
  EXPECT_FALSE(github([](auto& s) { s.account = ""; }));
  EXPECT_FALSE(github([](auto& s) { s.client_id = ""; }));
  EXPECT_FALSE(github([](auto& s) { s.scopes = {"me/a b"}; }));
  EXPECT_FALSE(github([](auto& s) { s.parameters = {{"contents", "all"}}; }));

  const auto aws = [](auto change) {
    RefreshSettings settings{.kind = Kind::aws_role, .account = "arn:aws:iam::123456789012:role/x", .region = "eu-central-1"};
    change(settings);
    return check_refresh(settings);
  };
  EXPECT_TRUE(aws([](auto& s) { s.session = "a@b", s.duration_seconds = 900, s.external_id = "x y"; }));
  EXPECT_FALSE(aws([](auto& s) { s.account = "role/x"; }));
  EXPECT_FALSE(aws([](auto& s) { s.region = "eu.example/"; }));
  EXPECT_FALSE(aws([](auto& s) { s.session = "a b"; }));
  EXPECT_FALSE(aws([](auto& s) { s.duration_seconds = 60; }));
  EXPECT_FALSE(aws([](auto& s) { s.web_identity = true, s.external_id = "x"; }));
  EXPECT_FALSE(check_refresh({.kind = Kind::google}));
}

}  // namespace
}  // namespace weir::vault
