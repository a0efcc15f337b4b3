// Text that wipes what it lets go of.
#include "proxy/credentials/wiped_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

TEST(WipedText, GrowsAndShrinksLikeText) {
  WipedText text("ab");
  for (int i = 0; i < 1000; ++i) text.push_back('c');
  text.append("d").append("");
  EXPECT_EQ(text.view(), "ab" + std::string(1000, 'c') + "d");
  text.keep_from(1001);
  EXPECT_EQ(text.view(), "cd");
  text.keep_from(0);
  text.grow(3)[1] = 'x';
  EXPECT_EQ(text.view(), std::string("cd\0x\0", 5));
  text.shrink(1);
  EXPECT_EQ(text.view(), "c");
  text.keep_from(1);
  EXPECT_TRUE(text.empty());
  text.append("again");
  EXPECT_EQ(text.view(), "again");
}

TEST(WipedText, WipesWhatItDropsInItsBuffer) {
  WipedText text("0123456789");
  char* const at = text.data();
  text.keep_from(6);
  EXPECT_EQ(std::string(at, 10), std::string("6789\0\0\0\0\0\0", 10));
  text.clear();
  EXPECT_EQ(std::string(at, 10), std::string(10, '\0'));
}

TEST(WipedText, IsMovedWithItsBuffer) {
  WipedText from("secret");
  const char* const at = from.data();
  WipedText to(std::move(from));
  EXPECT_EQ(to.view().data(), at);
  EXPECT_TRUE(from.empty());  // NOLINT: said so
  WipedText other("older");
  other = std::move(to);
  EXPECT_EQ(other.view(), "secret");
  EXPECT_TRUE(to.empty());  // NOLINT
  from.append("new");
  EXPECT_EQ(from.view(), "new");
}

}  // namespace
}  // namespace weir::proxy
