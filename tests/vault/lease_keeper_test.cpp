// When values are refreshed, when they end, and what a failed refresh means, by a clock that the test sets.
#include "vault/lease_keeper.h"

#include <gmock/gmock.h>

#include "tests/vault/scratch.h"

namespace weir::vault {
namespace {

using namespace test;
using Change = LeaseKeeper::Change;

struct NoRefresher : Refresher {
  Result<Refreshed> refresh() override { return Refreshed{}; }
};

class Leases : public testing::Test {
 protected:
  LeaseKeeper::Id add(std::int64_t lasts_ms) {
    return keeper_.add("c", {Secret("one"), lasts_ms, std::make_shared<NoRefresher>()});
  }
  std::string value(LeaseKeeper::Id id) {
    const auto got = keeper_.value(id);
    return got ? std::string((*got)->reveal()) : got.error().code;
  }
  std::int64_t now_ = 1'000'000;
  LeaseKeeper keeper_{[this] { return now_; }};
};

TEST_F(Leases, ValueWithoutEndIsNeverDue) {
  const auto id = keeper_.add("c", {Secret("one"), 0, nullptr});
  now_ += 1'000'000'000;
  EXPECT_EQ(value(id), "one");
  EXPECT_TRUE(keeper_.due().empty());
  EXPECT_FALSE(keeper_.next());
}

TEST_F(Leases, RefreshIsDueAtTwoThirdsAndOnlyOnceAtATime) {
  add(9000);
  EXPECT_EQ(keeper_.next(), now_ + 6000);
  now_ += 5999;
  EXPECT_TRUE(keeper_.due().empty());
  now_ += 1;
  EXPECT_EQ(keeper_.due().size(), 1U);
  EXPECT_TRUE(keeper_.due().empty());
  EXPECT_EQ(keeper_.next(), now_ + 3000) << "its end";
}

TEST_F(Leases, RenewalKeepsTheValueAndItsTimeBeginsAnew) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  EXPECT_EQ(keeper_.finished(id, Refreshed{std::nullopt, 9000}).change, Change::renewed);
  now_ += 5999;
  EXPECT_EQ(value(id), "one");
  EXPECT_TRUE(keeper_.due().empty());
  now_ += 1;
  EXPECT_EQ(keeper_.due().size(), 1U);
}

TEST_F(Leases, NewBytesReplaceTheOldAndTheSameBytesDoNot) {
  const auto id = add(9000);
  EXPECT_EQ(keeper_.finished(id, Refreshed{Secret("one"), 9000}).change, Change::renewed);
  EXPECT_EQ(keeper_.finished(id, Refreshed{Secret("two"), 9000}).change, Change::replaced);
  EXPECT_EQ(value(id), "two");
}

TEST_F(Leases, WhileTheSourceIsAwayTheValueServesUntilItsEndAndNoLonger) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  EXPECT_EQ(keeper_.finished(id, fail("vault_unreachable", "away")).change, Change::failed);
  now_ += 2999;
  EXPECT_EQ(value(id), "one");
  EXPECT_TRUE(keeper_.expire().empty());
  now_ += 1;
  EXPECT_EQ(keeper_.expire(), std::vector{id});
  EXPECT_TRUE(keeper_.expire().empty()) << "told once";
  EXPECT_EQ(value(id), "vault_unreachable");
}

TEST_F(Leases, ValueIsGoneAtItsEndThoughNobodyLooked) {
  const auto id = add(9000);
  now_ += 9000;
  EXPECT_EQ(value(id), "credential_expired");
}

TEST_F(Leases, AnswerThatSaysNoEndsTheValueAtOnce) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  EXPECT_EQ(keeper_.finished(id, fail("vault_denied", "no")).change, Change::lost);
  EXPECT_EQ(value(id), "vault_denied");
}

TEST_F(Leases, FailuresAreTriedAgainAtGrowingIntervals) {
  const auto id = add(900'000);
  now_ += 600'000;
  std::int64_t last = 0;
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(keeper_.due().size(), 1U);
    keeper_.finished(id, fail("vault_sealed", ""));
    const auto pause = *keeper_.next() - now_;
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, 30'000);
    last = pause;
    now_ += pause;
  }
  EXPECT_EQ(last, 30'000);
}

TEST_F(Leases, LostValueComesBackWithTheSource) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  keeper_.finished(id, fail("vault_unreachable", ""));
  now_ += 20'000;
  ASSERT_EQ(keeper_.due().size(), 1U);
  EXPECT_EQ(keeper_.finished(id, Refreshed{Secret("two"), 9000}).change, Change::replaced);
  EXPECT_EQ(value(id), "two");
}

TEST_F(Leases, RenewalThatComesAfterTheEndDoesNotBringBackAValueThatIsGone) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  now_ += 4000;
  keeper_.finished(id, Refreshed{std::nullopt, 9000});
  EXPECT_EQ(value(id), "credential_expired");
  EXPECT_TRUE(keeper_.next()) << "and it is fetched anew";
}

TEST_F(Leases, AbsentValueComesWithPutAndHasNoEnd) {
  Obtained none;
  none.absent = true;
  const auto id = keeper_.add("c", std::move(none));
  EXPECT_EQ(value(id), "credential_absent");
  EXPECT_FALSE(keeper_.next());
  EXPECT_TRUE(keeper_.put(id, Secret("one")));
  EXPECT_EQ(value(id), "one");
  EXPECT_FALSE(keeper_.put(id, Secret("one"))) << "the same";
  EXPECT_TRUE(keeper_.put(id, Secret("two")));
  now_ += 1'000'000'000;
  EXPECT_EQ(value(id), "two");
  EXPECT_FALSE(keeper_.put(id + 1, Secret("x")));
}

TEST_F(Leases, WhatWasRemovedMeanwhileIsLeftAlone) {
  const auto id = add(9000);
  now_ += 6000;
  keeper_.due();
  EXPECT_NE(keeper_.remove(id), nullptr);
  EXPECT_EQ(keeper_.finished(id, Refreshed{Secret("two"), 9000}).change, Change::none);
  EXPECT_EQ(value(id), "credential_unavailable");
}

}  // namespace
}  // namespace weir::vault
