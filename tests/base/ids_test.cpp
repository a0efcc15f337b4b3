#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>

#include "base/time.h"

namespace weir {
namespace {

TEST(Ids, AreDistinctAndRecognised) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) {
    const auto id = make_id("evt");
    EXPECT_TRUE(is_id(id, "evt")) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(Ids, RefusesWhatCouldBecomeAnotherPath) {
  EXPECT_FALSE(is_id("ses_../../../../../../../../..", "ses"));
  EXPECT_FALSE(is_id("ses_", "ses"));
  EXPECT_FALSE(is_id(make_id("ses"), "sbx"));
}

TEST(Time, WritesRfc3339InUtcWithMicroseconds) {
  EXPECT_EQ(format_timestamp(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_timestamp(1767607872345678), "2026-01-05T10:11:12.345678Z");
}

}  // namespace
}  // namespace weir
