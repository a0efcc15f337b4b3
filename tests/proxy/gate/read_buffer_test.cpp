#include "proxy/gate/read_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

void put(ReadBuffer& buffer, std::string_view text) {
  const auto space = buffer.space(text.size());
  ASSERT_GE(space.size(), text.size());
  std::copy(text.begin(), text.end(), space.begin());
  buffer.filled(text.size());
}

TEST(ReadBuffer, KeepsWhatIsNotUsedYet) {
  ReadBuffer buffer;
  put(buffer, "hello world");
  buffer.consume(6);
  EXPECT_EQ(buffer.view(), "world");
  put(buffer, "!");
  EXPECT_EQ(buffer.view(), "world!");
}

TEST(ReadBuffer, GrowsWithoutLosingBytes) {
  ReadBuffer buffer;
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    put(buffer, piece);
    all += piece;
    if (i % 7 == 6) {
      buffer.consume(3);
      all.erase(0, 3);
    }
  }
  EXPECT_EQ(buffer.view(), all);
}

TEST(ReadBuffer, HoldsNoMemoryWhenItIsReleased) {
  ReadBuffer buffer;
  put(buffer, "x");
  buffer.release();
  EXPECT_EQ(buffer.view(), "x");  // not while something is in it
  buffer.consume(1);
  buffer.release();
  EXPECT_EQ(buffer.data(), nullptr);
}

}  // namespace
}  // namespace weir::proxy
