#include "base/secret.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace weir {
namespace {

TEST(Secret, MovesWithoutLeavingACopy) {
  Secret first("s3cret");
  Secret second = std::move(first);
  EXPECT_EQ(second.reveal(), "s3cret");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST(Secret, ShrinkingWipesTheRest) {
  Secret secret("abcdef");
  char* data = secret.data();
  secret.shrink(2);
  EXPECT_EQ(secret.reveal(), "ab");
  EXPECT_EQ(std::string(data + 2, 4), std::string(4, '\0'));
}

TEST(Secret, IsLeftOutOfCoreDumps) {
  Secret secret("abcdef");
  const auto address = reinterpret_cast<unsigned long>(secret.data());
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  std::string flags;
  while (std::getline(maps, line)) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) inside = from <= address && address < to;
    if (inside && line.starts_with("VmFlags:")) flags = line;
  }
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
}

}  // namespace
}  // namespace weir
