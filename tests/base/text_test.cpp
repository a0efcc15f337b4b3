#include "base/text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) { EXPECT_EQ(printable("Grüße, 世界 🙂"), "Grüße, 世界 🙂"); }

TEST(Printable, ShowsWhatWouldDriveATerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb"), "a\\x1b[31m\\x0ab");
  EXPECT_EQ(printable("\xc2\x9b"), "\\u009b");            // C1 CSI
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");        // right-to-left override
}

TEST(Printable, ShowsInvalidUtf8AsBytes) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");          // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");          // cut short
}

TEST(Printable, CutsWithAMark) { EXPECT_EQ(printable(std::string(100, 'a'), 10), "aaaaaaaaaa…"); }

TEST(Nearest, FindsTheSlipOfThePen) {
  const std::string_view keys[] = {"methods", "hosts", "paths"};
  EXPECT_EQ(nearest("method", keys), "methods");
  EXPECT_EQ(nearest("host", keys), "hosts");
  EXPECT_FALSE(nearest("zzzzzz", keys));
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

}  // namespace
}  // namespace weir
