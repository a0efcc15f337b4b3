// Where one of several texts may begin.
#include "proxy/credentials/beginnings.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

// No beginning is missed, whatever the number of texts, and few places are given that are none.
TEST(Beginnings, MissNothing) {
  std::mt19937 random(5);
  const auto up_to = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  std::size_t given = 0, true_ones = 0;
  for (int round = 0; round < 9000; ++round) {
    Beginnings beginnings;
    const bool escapes = up_to(1) == 0;
    if (escapes) beginnings.set_escape('%');
    std::vector<std::string> texts(1 + up_to(11));
    for (auto& text : texts) {
      text = {static_cast<char>('a' + up_to(15)), static_cast<char>('a' + up_to(15))};
      beginnings.add(text);
    }
    std::string in;
    for (auto left = up_to(80); left > 0; --left) in += up_to(30) == 0 ? '%' : static_cast<char>('a' + up_to(20));
    const auto may_begin = [&](std::size_t at) {
      if (escapes && in[at] == '%') return true;
      for (const auto& text : texts)
        if (in[at] == text[0] && (at + 1 == in.size() || in[at + 1] == text[1] || (escapes && in[at + 1] == '%')))
          return true;
      return false;
    };
    for (std::size_t at = 0; at <= in.size();) {
      const auto found = beginnings.find(in, at);
      ASSERT_GE(found, at);
      ASSERT_LE(found, in.size());
      for (; at < found; ++at) ASSERT_FALSE(may_begin(at)) << in << " " << at;
      if (found == in.size()) break;
      ++given;
      true_ones += may_begin(found) ? 1 : 0;
      at = found + 1;
    }
  }
  EXPECT_GT(true_ones, 10000U);
  EXPECT_LT(given, true_ones * 2);
}

TEST(Beginnings, OfATextWithOneOctetAreAllPlacesOfIt) {
  Beginnings beginnings;
  beginnings.add("a");
  EXPECT_EQ(beginnings.find("xxab", 0), 2U);
  EXPECT_EQ(beginnings.find("xxxxxxxxxxxxxxxxxxxxxxxxxxxxac", 0), 28U);
  EXPECT_EQ(beginnings.find("bcd", 0), 3U);
  EXPECT_EQ(beginnings.find("", 0), 0U);
}

}  // namespace
}  // namespace weir::proxy
