// What weir makes of Vault's answers, against a scripted server; a real one is in tests/e2e/test_vault.py.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/unique_fd.h"
#include "tests/vault/scratch.h"
#include "vault/hashicorp/client.h"
#include "vault/hashicorp/secrets.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Answers each request with the next of its script; the last one again and again. "": closes without an answer.
class Script {
 public:
  struct Step {
    int status;
    std::string body, headers = {};
  };
  explicit Script(std::vector<Step> steps)
      : steps_(std::move(steps)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Script() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    for (const auto& request : requests()) lines.push_back(request.substr(0, request.find(" HTTP/")));
    return lines;
  }

 private:
  void serve() {
    for (std::size_t at = 0;; at += at + 1 < steps_.size() ? 1 : 0) {
      const UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      std::string request;
      char block[4096];
      std::size_t head = std::string::npos, length = 0;
      while (head == std::string::npos || request.size() < head + 4 + length) {
        const ssize_t got = ::read(peer.get(), block, sizeof block);
        if (got <= 0) break;
        request.append(block, static_cast<std::size_t>(got));
        head = request.find("\r\n\r\n");
        if (const auto field = request.find("Content-Length: "); field != std::string::npos && field < head)
          length = std::stoul(request.substr(field + 16));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const auto& step = steps_[at];
      if (step.status == 0) continue;
      const std::string answer = "HTTP/1.1 " + std::to_string(step.status) +
                                 " X\r\nContent-Length: " + std::to_string(step.body.size()) + "\r\nConnection: close\r\n" +
                                 step.headers + "\r\n" + step.body;
      (void)!::write(peer.get(), answer.data(), answer.size());
    }
  }
  std::vector<Step> steps_;
  UniqueFd listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

constexpr CallLimits kQuick{.attempts = 3, .attempt_ms = 2000, .all_ms = 4000, .first_pause_ms = 1};

ServerSettings at(const Script& server) {
  ServerSettings settings;
  settings.address = server.address();
  return settings;
}

ServerSettings by(const char* method, const char* role = "", const char* user = "", const char* mount = "") {
  ServerSettings settings;
  settings.method = method;
  settings.role = role;
  settings.user = user;
  settings.mount = mount;
  return settings;
}

VaultClient::Call get(const char* path, const Secret* token = nullptr) {
  VaultClient::Call call;
  call.path = path;
  call.token = token;
  return call;
}

struct Answered {
  std::string code, message;
  std::size_t requests;
};
Answered ask(std::vector<Script::Step> steps) {
  Script server(std::move(steps));
  VaultClient client(at(server), kQuick);
  const Secret token("hvs.s3cret");
  const auto got = client.call(get("secret/data/x", &token));
  return {code_of(got), message_of(got), server.requests().size()};
}

TEST(VaultClient, SaysWhatEachStatusMeans) {
  const struct {
    int status;
    const char *body, *code, *says;
    std::size_t requests;
  } table[] = {
      {403, R"({"errors":["permission denied"]})", "vault_denied", "permission denied on secret/data/x", 1},
      {404, R"({"errors":[]})", "vault_not_found", "has nothing at secret/data/x", 1},
      {400, R"({"errors":["missing role"]})", "vault_invalid", "missing role", 1},
      {503, R"({"errors":["Vault is sealed"]})", "vault_sealed", "is sealed", 3},
      {501, "", "vault_uninitialized", "is not initialised", 3},
      {429, "", "vault_busy", "takes no more requests", 3},
      {472, "", "vault_standby", "standby", 3},
      {473, "", "vault_standby", "standby", 3},
      {412, "", "vault_standby", "standby", 3},
      {500, "<html>", "vault_busy", "500", 3},
      {307, "", "vault_refused", "the token goes nowhere else", 1},
      {0, "", "vault_unreachable", "cannot be reached", 3},
  };
  for (const auto& row : table) {
    const auto answered = ask({{row.status, row.body, "Location: http://127.0.0.1:1/\r\n"}});
    EXPECT_EQ(answered.code, row.code) << row.status;
    EXPECT_THAT(answered.message, testing::AllOf(HasSubstr(row.says), Not(HasSubstr("s3cret")))) << row.status;
    EXPECT_EQ(answered.requests, row.requests) << row.status;
    EXPECT_EQ(is_passing({answered.code, ""}), row.requests == 3) << row.status;
  }
}

TEST(VaultClient, TriesAgainAndTakesTheAnswerThatComes) {
  EXPECT_EQ(ask({{503, ""}, {429, ""}, {200, "{}"}}).code, "");
  EXPECT_EQ(ask({{0, ""}, {200, "{}"}}).code, "");
}

TEST(VaultClient, CallThatMayHaveBeenCarriedOutIsNotRepeated) {
  Script server({{0, ""}, {200, "{}"}});
  VaultClient client(at(server), kQuick);
  auto once = get("database/creds/x");
  once.repeatable = false;
  EXPECT_EQ(code_of(client.call(once)), "vault_unreachable");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(VaultClient, SendsTokenNamespaceAndWhatItWasToldOfTheIndex) {
  Script server({{200, "{}", "X-Vault-Index: abc\r\n"}, {412, ""}, {200, "{}"}});
  auto settings = at(server);
  settings.name_space = "team/a";
  VaultClient client(settings, kQuick);
  const Secret token("hvs.t");
  EXPECT_TRUE(client.call(get("a/b", &token)));
  EXPECT_TRUE(client.call(get("a/b", &token)));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  for (const char* header : {"X-Vault-Token: hvs.t\r\n", "X-Vault-Namespace: team/a\r\n", "X-Vault-Request: true\r\n"})
    EXPECT_THAT(requests[0], HasSubstr(header));
  EXPECT_THAT(requests[0], Not(HasSubstr("X-Vault-Index")));
  EXPECT_THAT(requests[2], HasSubstr("X-Vault-Index: abc\r\n"));
}

TEST(VaultClient, AnswerThatIsTooLongIsRefused) {
  EXPECT_EQ(ask({{200, std::string(2U << 20, 'x')}}).code, "vault_refused");
}

class Scripted : public Scratch {
 protected:
  Result<Obtained> obtain(Script& server, const std::string& reference, ServerSettings settings = {}, Purpose purpose = Purpose::text) {
    settings.address = server.address();
    settings.method = settings.method.empty() ? "token" : settings.method;
    if (settings.mount.empty()) settings.mount = settings.method;
    if (settings.secret.empty()) settings.secret = "file:" + write("token", "hvs.t");
    vault_ = std::make_shared<VaultSecrets>(settings, kQuick);
    return vault_->obtain(*parse_reference(reference), 0, purpose);
  }
  std::shared_ptr<VaultSecrets> vault_;
  const Script::Step no_lookup_{403, ""};
  const Script::Step database_{200, R"({"data":{"path":"database/","type":"database","options":null}})"};
  const Script::Step creds_{
      200,
      R"({"lease_id":"database/creds/r/1","renewable":true,"lease_duration":90,"data":{"username":"u1","password":"p1"}})"};
};

TEST_F(Scripted, LeaseThatIsRenewedKeepsItsValueAndIsRevokedWhenReleased) {
  Script server({no_lookup_,
                 database_,
                 creds_,
                 {200, R"({"lease_id":"database/creds/r/1","renewable":true,"lease_duration":90})"},
                 {204, ""}});
  auto got = obtain(server, "database/creds/r#password");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "p1");
  EXPECT_NEAR(static_cast<double>(got->lasts_ms), 90'000, 2'000);
  auto username = vault_->obtain(*parse_reference("database/creds/r#username"), 0);
  ASSERT_TRUE(username);
  EXPECT_EQ(username->value.reveal(), "u1") << "of the same lease";
  EXPECT_TRUE(got->refresher->release());
  EXPECT_EQ(server.requests().size(), 3U) << "still used";
  EXPECT_TRUE(username->refresher->release());
  EXPECT_THAT(server.lines(),
              ElementsAre("GET /v1/auth/token/lookup-self", "GET /v1/sys/internal/ui/mounts/database/creds/r",
                          "GET /v1/database/creds/r", "PUT /v1/sys/leases/revoke"));
}

TEST_F(Scripted, LeaseIsRenewedWhenLittleOfItIsLeft) {
  const Script::Step brief{
      200, R"({"lease_id":"database/creds/r/1","renewable":true,"lease_duration":1,"data":{"password":"p1"}})"};
  Script server({no_lookup_,
                 database_,
                 brief,
                 {200, R"({"lease_id":"database/creds/r/1","renewable":true,"lease_duration":1})"},
                 {204, ""}});
  auto got = obtain(server, "database/creds/r#password");
  ASSERT_TRUE(got) << message_of(got);
  usleep(600'000);
  const auto refreshed = got->refresher->refresh();
  ASSERT_TRUE(refreshed) << message_of(refreshed);
  EXPECT_FALSE(refreshed->value);
  EXPECT_EQ(server.lines()[3], "PUT /v1/sys/leases/renew");
  EXPECT_THAT(server.requests()[3], HasSubstr(R"({"lease_id":"database/creds/r/1","increment":1})"));
}

TEST_F(Scripted, LeaseThatCannotBeRenewedAnyMoreIsReplaced) {
  const Script::Step brief{200, R"({"lease_id":"l1","renewable":true,"lease_duration":1,"data":{"password":"p1"}})"};
  const Script::Step next{200, R"({"lease_id":"l2","renewable":true,"lease_duration":90,"data":{"password":"p2"}})"};
  Script server({no_lookup_, database_, brief, {400, R"({"errors":["lease not found"]})"}, next, {204, ""}});
  auto got = obtain(server, "database/creds/r#password");
  ASSERT_TRUE(got) << message_of(got);
  usleep(600'000);
  const auto refreshed = got->refresher->refresh();
  ASSERT_TRUE(refreshed) << message_of(refreshed);
  EXPECT_EQ(refreshed->value->reveal(), "p2");
}

TEST_F(Scripted, AllFieldsAreGivenAsJsonOrInTheFormThatTheyAreFor) {
  const Script::Step kv{200, R"({"data":{"data":{"a":"1","b":[2]},"metadata":{"version":1}}})"};
  Script server({no_lookup_, {403, ""}, kv});
  auto got = obtain(server, "secret/data/x#*");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), R"({"a":"1","b":[2]})");
  const Script::Step aws{200, R"({"lease_id":"aws/creds/r/1","renewable":true,"lease_duration":90,)"
                              R"("data":{"access_key":"AKIA1","secret_key":"s","security_token":null}})"};
  const Script::Step engine{200, R"({"data":{"path":"aws/","type":"aws"}})"};
  Script other({no_lookup_, engine, aws, {204, ""}});
  got = obtain(other, "aws/creds/r#*", {}, Purpose::aws_keys);
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "AKIA1\ns");
  Script third({no_lookup_, engine, aws, {204, ""}});
  EXPECT_EQ(code_of(obtain(third, "aws/creds/r#access_key", {}, Purpose::aws_keys)), "credential_invalid");
  EXPECT_EQ(third.lines().back(), "PUT /v1/sys/leases/revoke") << "what cannot serve is given back";
}

TEST_F(Scripted, ThoseWhoWaitedWhileVaultWasAwayGetTheSameAnswer) {
  Script server({no_lookup_, {503, R"({"errors":["Vault is sealed"]})"}});
  ASSERT_EQ(code_of(obtain(server, "secret/data/x#f")), "vault_sealed");
  const auto before = server.requests().size();
  std::vector<std::jthread> callers;
  std::atomic<int> sealed = 0;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] { sealed += code_of(vault_->obtain(*parse_reference("secret/data/x#f"), 0)) == "vault_sealed" ? 1 : 0; });
  callers.clear();
  EXPECT_EQ(sealed, 4);
  EXPECT_LE(server.requests().size() - before, 2 * before) << "not four times all attempts";
}

TEST_F(Scripted, LoginsSendWhatTheirMethodTakes) {
  const struct {
    ServerSettings settings;
    const char *line, *body;
  } table[] = {
      {by("approle", "r\"1"), "POST /v1/auth/approle/login", R"({"role_id":"r\"1","secret_id":"hvs.t"})"},
      {by("jwt", "ci", "", "gitlab"), "POST /v1/auth/gitlab/login", R"({"role":"ci","jwt":"hvs.t"})"},
      {by("kubernetes", "pod"), "POST /v1/auth/kubernetes/login", R"({"role":"pod","jwt":"hvs.t"})"},
      {by("cert"), "POST /v1/auth/cert/login", "{}"},
      {by("userpass", "", "anna"), "POST /v1/auth/userpass/login/anna", R"({"password":"hvs.t"})"},
  };
  for (const auto& row : table) {
    Script server({{200, R"({"auth":{"client_token":"hvs.own","lease_duration":3600,"renewable":true}})"},
                   {403, ""},
                   {200, R"({"data":{"data":{"f":"v"},"metadata":{"version":1}}})"},
                   {204, ""}});
    auto got = obtain(server, "secret/data/x#f", row.settings);
    ASSERT_TRUE(got) << row.line << message_of(got);
    EXPECT_EQ(got->value.reveal(), "v");
    got = fail("", "");
    vault_.reset();  // logs out
    const auto requests = server.requests();
    EXPECT_EQ(server.lines().front(), row.line);
    EXPECT_TRUE(requests.front().ends_with(std::string("\r\n\r\n") + row.body)) << requests.front();
    EXPECT_EQ(server.lines().back(), "POST /v1/auth/token/revoke-self") << row.line;
    EXPECT_THAT(requests.back(), HasSubstr("X-Vault-Token: hvs.own\r\n"));
  }
}

}  // namespace
}  // namespace weir::vault
