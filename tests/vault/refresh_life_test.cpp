// A token's life: one call at a time, for all who use it; refresh tokens that are replaced; sources that change or go away.
#include <gmock/gmock.h>

#include <memory>
#include <thread>

#include "tests/vault/scratch.h"
#include "tests/vault/scripted_server.h"
#include "vault/lease_keeper.h"
#include "vault/refresh/token_exchange.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
using Kind = RefreshSettings::Kind;
using Change = LeaseKeeper::Change;

std::string token(int number, int seconds = 90, const std::string& next = "") {
  return R"({"access_token":"at-)" + std::to_string(number) + R"(","expires_in":)" + std::to_string(seconds) +
         (next.empty() ? "" : R"(,"refresh_token":")" + next + "\"") + "}";
}

class Life : public Scratch {
 protected:
  RefreshSettings settings(ScriptedServer& server, const char* grant) {
    return {.kind = Kind::oauth2, .url = server.address("/t"), .grant = grant, .client_id = "c", .ca_pem = server.ca_pem()};
  }
  std::shared_ptr<TokenExchange> exchange(ScriptedServer& server, const char* grant, TokenExchange::Keep keep = {}) {
    TokenExchange::Parts parts{.settings = settings(server, grant), .purpose = Purpose::text, .source = "env:RT", .base = nullptr, .client_secret = nullptr,
                               .keep = std::move(keep), .clock = [this] { return now_; }};
    parts.base = std::make_unique<BaseValue>([this]() -> Result<Obtained> {
      ++reads_;
      if (!base_) return std::unexpected(base_.error());
      return Obtained{Secret(*base_), base_lasts_, base_refresher_};
    }, true, [this] { return now_; });
    return std::make_shared<TokenExchange>(std::move(parts));
  }
  std::int64_t now_ = 1'000'000;
  Result<std::string> base_ = "rt-1";
  std::int64_t base_lasts_ = 0;
  std::shared_ptr<Refresher> base_refresher_;
  int reads_ = 0;
};

TEST_F(Life, TokenIsRefreshedAtTwoThirdsAndServesToItsEndWhileTheServiceIsAway) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  auto tokens = exchange(server, "client_credentials");
  auto got = tokens->obtain();
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->lasts_ms, 90'000);
  LeaseKeeper keeper([this] { return now_; });
  const auto id = keeper.add("c", std::move(*got));
  now_ += 60'000;
  auto jobs = keeper.due();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(keeper.finished(id, jobs[0].refresher->refresh()).change, Change::replaced);
  EXPECT_EQ((*keeper.value(id))->reveal(), "at-2");
  server.close();
  now_ += 60'000;
  jobs = keeper.due();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(keeper.finished(id, jobs[0].refresher->refresh()).change, Change::failed);
  now_ += 29'999;
  EXPECT_EQ((*keeper.value(id))->reveal(), "at-2");
  now_ += 1;
  EXPECT_EQ(code_of(keeper.value(id)), "refresh_unreachable");
}

TEST_F(Life, NoEndsTheTokenAtOnce) {
  ScriptedServer server({{200, token(1)}, {401, R"({"error":"invalid_client"})"}});
  auto tokens = exchange(server, "client_credentials");
  LeaseKeeper keeper([this] { return now_; });
  const auto id = keeper.add("c", *tokens->obtain());
  now_ += 60'000;
  const auto jobs = keeper.due();
  EXPECT_EQ(keeper.finished(id, jobs[0].refresher->refresh()).change, Change::lost);
  EXPECT_EQ(code_of(keeper.value(id)), "refresh_denied");
}

TEST_F(Life, AllWhoUseItShareOneTokenAndOneCall) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  auto tokens = exchange(server, "client_credentials");
  std::vector<Result<Obtained>> got(4);
  {
    std::vector<std::jthread> threads;
    for (auto& each : got) threads.emplace_back([&] { each = tokens->obtain(); });
  }
  for (const auto& each : got) EXPECT_EQ(each->value.reveal(), "at-1");
  EXPECT_EQ(server.requests().size(), 1U);
  now_ += 60'000;
  {
    std::vector<std::jthread> threads;
    for (auto& each : got) threads.emplace_back([&] { EXPECT_EQ(each->refresher->refresh()->value->reveal(), "at-2"); });
  }
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Life, AnotherValueAtTheSourceMeansAnotherToken) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  auto tokens = exchange(server, "client_credentials");
  const auto first = tokens->obtain();
  base_ = "another";
  const auto second = tokens->obtain();
  EXPECT_EQ(second->value.reveal(), "at-2");
}

TEST_F(Life, TokenIsLetGoWithItsLastUser) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  auto tokens = exchange(server, "client_credentials");
  auto first = tokens->obtain();
  auto second = tokens->obtain();
  EXPECT_TRUE(first->refresher->release());
  EXPECT_EQ(tokens->obtain()->value.reveal(), "at-1");
  EXPECT_TRUE(second->refresher->release());
  EXPECT_EQ(tokens->obtain()->value.reveal(), "at-2");
}

TEST_F(Life, RefreshTokenThatIsReplacedIsWrittenBack) {
  ScriptedServer server({{200, token(1, 90, "rt-2")}, {200, token(2, 90, "rt-3")}});
  std::string kept;
  auto tokens = exchange(server, "refresh_token", [&](const Secret& value) -> Result<void> {
    kept = value.reveal();
    base_ = kept;
    return {};
  });
  auto got = tokens->obtain();
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(kept, "rt-2");
  EXPECT_EQ(got->note, "");
  EXPECT_EQ(tokens->obtain()->value.reveal(), "at-1") << "what was written back is no reason to ask anew";
  now_ += 60'000;
  ASSERT_TRUE(got->refresher->refresh());
  EXPECT_THAT(server.body(1), HasSubstr("refresh_token=rt-2&"));
  EXPECT_EQ(kept, "rt-3");
}

TEST_F(Life, RefreshTokenThatCannotBeWrittenBackServesForTheSessionAndIsNotedOnce) {
  ScriptedServer server({{200, token(1, 90, "rt-2")}, {200, token(2, 90, "rt-3")}, {200, token(3)}, {200, token(4)}});
  auto tokens = exchange(server, "refresh_token");
  auto got = tokens->obtain();
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_THAT(got->note, HasSubstr("env:RT was replaced by its service, which weir cannot write back"));
  now_ += 60'000;
  auto refreshed = got->refresher->refresh();
  ASSERT_TRUE(refreshed) << message_of(refreshed);
  EXPECT_EQ(refreshed->note, "");
  EXPECT_THAT(server.body(1), HasSubstr("refresh_token=rt-2&"));
  EXPECT_TRUE(got->refresher->release());
  const auto later = tokens->obtain();  // a reload of the policy, much later
  ASSERT_TRUE(later);
  EXPECT_THAT(server.body(2), HasSubstr("refresh_token=rt-3&"));
  base_ = "rt-new";  // somebody has logged in anew
  const auto after = tokens->obtain();
  ASSERT_TRUE(after);
  EXPECT_THAT(server.body(3), HasSubstr("refresh_token=rt-new&"));
}

TEST_F(Life, RefreshTokenThatTheStoreDoesNotTakeServesForTheSession) {
  ScriptedServer server({{200, token(1, 90, "rt-2")}, {200, token(2)}});
  auto tokens = exchange(server, "refresh_token", [](const Secret&) -> Result<void> { return fail("x", "the disk is full"); });
  const auto got = tokens->obtain();
  ASSERT_TRUE(got);
  EXPECT_THAT(got->note, HasSubstr("the disk is full"));
  now_ += 60'000;
  ASSERT_TRUE(got->refresher->refresh());
  EXPECT_THAT(server.body(1), HasSubstr("refresh_token=rt-2&"));
}

TEST_F(Life, RefreshTokenThatAnotherSessionHasUsedIsReadAnewOnce) {
  ScriptedServer server({{400, R"({"error":"invalid_grant"})"}, {200, token(1)}});
  // The first reading gives rt-1, all later ones what the other session stored.
  TokenExchange::Parts parts{.settings = settings(server, "refresh_token"), .purpose = Purpose::text, .source = "store:x", .base = nullptr, .client_secret = nullptr,
                             .keep = {}, .clock = [this] { return now_; }};
  parts.base = std::make_unique<BaseValue>([this]() -> Result<Obtained> { return Obtained{Secret(reads_++ == 0 ? "rt-1" : "rt-2")}; }, true, [this] { return now_; });
  const auto got = std::make_shared<TokenExchange>(std::move(parts))->obtain();
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_THAT(server.body(1), HasSubstr("refresh_token=rt-2&"));
}

TEST_F(Life, SourceThatCannotBeReadDoesNotEndTheTokenThatIsThere) {
  ScriptedServer server({{200, token(1)}});
  auto tokens = exchange(server, "client_credentials");
  const auto got = tokens->obtain();
  base_ = fail("vault_file_missing", "the file is gone");
  now_ += 60'000;
  const auto refreshed = got->refresher->refresh();
  EXPECT_EQ(code_of(refreshed), "refresh_source");
  EXPECT_THAT(message_of(refreshed), HasSubstr("the file is gone"));
  EXPECT_TRUE(is_passing(refreshed.error()));
  EXPECT_EQ(code_of(tokens->obtain()), "vault_file_missing") << "but nothing new is begun with it";
}

struct Counted : Refresher {
  int refreshed = 0, released = 0;
  Result<Refreshed> next = Refreshed{std::nullopt, 0};
  Result<Refreshed> refresh() override {
    ++refreshed;
    if (!next) return std::unexpected(next.error());
    return Refreshed{next->value ? std::optional(next->value->clone()) : std::nullopt, next->lasts_ms};
  }
  Result<void> release() override { return ++released, Result<void>{}; }
};

TEST_F(Life, ValueThatIsLentIsRefreshedWhenAnExchangeNeedsItAndGivenBackInTheEnd) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}, {200, token(3)}});
  const auto lent = std::make_shared<Counted>();
  base_refresher_ = lent;
  base_lasts_ = 150'000;
  auto tokens = exchange(server, "client_credentials");
  auto got = tokens->obtain();
  now_ += 60'000;
  ASSERT_TRUE(got->refresher->refresh());
  EXPECT_EQ(lent->refreshed, 0) << "60 of 150 s";
  now_ += 60'000;
  lent->next = Refreshed{Secret("rt-2"), 150'000};
  ASSERT_TRUE(got->refresher->refresh());
  EXPECT_EQ(lent->refreshed, 1);
  EXPECT_EQ(reads_, 1);
  EXPECT_TRUE(got->refresher->release());
  EXPECT_EQ(lent->released, 1);
}

TEST_F(Life, ValueThatIsLentServesWhileItsSourceIsAwayAndNotPastItsEnd) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  const auto lent = std::make_shared<Counted>();
  lent->next = fail("vault_unreachable", "away");
  base_refresher_ = lent;
  base_lasts_ = 90'000;
  auto tokens = exchange(server, "client_credentials");
  const auto got = tokens->obtain();
  now_ += 60'000;
  EXPECT_TRUE(got->refresher->refresh());
  now_ += 60'000;
  EXPECT_EQ(code_of(got->refresher->refresh()), "refresh_source");
}

class ThroughTheVault : public Life {
 protected:
  Wanted wanted(ScriptedServer& server, const std::string& from) {
    return {.from = from, .refresh = settings(server, "refresh_token")};
  }
};

TEST_F(ThroughTheVault, NewRefreshTokenGoesToTheStoreItCameFrom) {
  create().set("idp", Secret("rt-1")).value();
  ScriptedServer server({{200, token(1, 90, "rt-2")}});
  Vault vault(paths_);
  const auto got = vault.obtain(wanted(server, "store:idp"));
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "at-1");
  EXPECT_EQ(open()->get("idp")->reveal(), "rt-2");
  EXPECT_EQ(open()->get("idp", 1)->reveal(), "rt-1") << "the old one is kept as a version";
  EXPECT_EQ(vault.obtain(wanted(server, "store:idp"))->value.reveal(), "at-1");
  EXPECT_EQ(server.requests().size(), 1U) << "a reload asks for nothing anew";
}

TEST_F(ThroughTheVault, ClientSecretIsASourceToo) {
  create().set("idp", Secret("rt-1")).value();
  ScriptedServer server({{200, token(1)}});
  auto with_secret = wanted(server, "store:idp");
  with_secret.refresh.client_secret = "file:" + write("secret", "cs\n");
  with_secret.refresh.secret_in_body = true;
  Vault vault(paths_);
  ASSERT_TRUE(vault.obtain(with_secret));
  EXPECT_THAT(server.body(0), HasSubstr("client_secret=cs"));
  with_secret.refresh.client_secret = "file:" + folder_ + "/none";
  EXPECT_THAT(message_of(vault.obtain(with_secret)), HasSubstr("client_secret: "));
}

TEST_F(ThroughTheVault, ProgramGivesTheValueOnceAndAgainWithATtl) {
  ScriptedServer server({{200, token(1)}, {200, token(2)}});
  Vault vault(paths_);
  const auto got = vault.obtain(wanted(server, R"(exec:["/bin/sh","-c","printf 'a\nb'"])"));
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_THAT(server.body(0), HasSubstr("refresh_token=a%0Ab&")) << "line feeds are no matter where nothing is put into a header";
}

TEST_F(ThroughTheVault, WrongSettingsAreFoundBeforeAnythingIsSent) {
  ScriptedServer server({{200, token(1)}});
  auto wrong = wanted(server, "env:PATH");
  wrong.refresh.grant = "password";
  EXPECT_EQ(code_of(Vault(paths_).obtain(wrong)), "refresh_invalid");
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(ThroughTheVault, RefresherThatOutlivesTheVaultFailsAndDoesNotCrash) {
  ScriptedServer server({{200, token(1, 1)}, {200, token(2)}});
  Result<Obtained> got;
  {
    Vault vault(paths_);
    setenv("WEIR_TEST_TOKEN", "rt", 1);
    got = vault.obtain(wanted(server, "env:WEIR_TEST_TOKEN"));
  }
  ASSERT_TRUE(got);
  usleep(700'000);
  EXPECT_EQ(code_of(got->refresher->refresh()), "refresh_source");
  unsetenv("WEIR_TEST_TOKEN");
}

TEST_F(ThroughTheVault, KeepMakesAVaultAndWritesOnlyToEntries) {
  Vault vault(paths_);
  ASSERT_TRUE(vault.keep("store:tool/access", Secret("one")));
  ASSERT_TRUE(vault.keep("store:tool/access", Secret("two")));
  EXPECT_EQ(vault.fetch("store:tool/access")->reveal(), "two");
  EXPECT_EQ(code_of(vault.keep("store:tool/access@1", Secret("x"))), "vault_source_invalid");
  EXPECT_EQ(code_of(vault.keep("env:X", Secret("x"))), "vault_source_invalid");
}

}  // namespace
}  // namespace weir::vault
