#include "base/encoding.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Hex, GoesThereAndBack) {
  const std::string bytes("\x00\x7f\xff z", 5);
  EXPECT_EQ(hex_encode(bytes), "007fff207a");
  EXPECT_EQ(hex_decode("007fFF207a"), bytes);
}

TEST(Hex, RefusesWhatIsNotHex) {
  EXPECT_FALSE(hex_decode("0"));
  EXPECT_FALSE(hex_decode("0g"));
}

TEST(Base64, PadsAsRfc4648Section10Shows) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace weir
