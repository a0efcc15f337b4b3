// Tokens of every kind, made by chance as the services make them: almost all must be found, whatever stands around them and wherever
// the bytes are cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "proxy/leaks/body_scan.h"
#include "proxy/leaks/token_shapes.h"
#include "token_testing.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;

TEST(TokenRecall, AlmostEveryTokenIsFoundAndAsWhatItIs) {
  Chance chance(21);
  std::map<std::string, int> missed, made;
  const std::pair<std::string_view, std::string_view> around[] = {{"", ""}, {"token=", "&x=1"}, {"{\"key\": \"", "\"}"}, {"Bearer ", "\r\n"}, {"a%3D", "%26"}, {"line\\n", "\\n"}, {"'", "'"}};
  for (int round = 0; round < 300; ++round)
    for (const auto& token : testing::tokens_of_all_kinds(chance)) {
      const auto& [before, after] = around[chance.below(std::size(around))];
      const bool bare = token.front.empty();
      const auto text = (bare ? std::string(before) : token.front) + token.text + (bare && token.back.empty() ? std::string(after) : token.back);
      const auto kinds = testing::kinds_in(text);
      ++made[token.kind];
      if (kinds.size() != 1 || kinds[0] != token.kind) ++missed[token.kind];
    }
  for (const auto& [kind, count] : missed) EXPECT_LE(count, made[kind] / 50) << kind << ": " << count << " of " << made[kind];
}

TEST(TokenRecall, ATokenIsFoundOnceWhereverTheBodyIsCut) {
  Chance chance(22);
  for (int round = 0; round < 4; ++round)
    for (const auto& token : testing::tokens_of_all_kinds(chance)) {
      const auto text = "some text; " + token.front + token.text + token.back + " and more\n";
      const auto whole = testing::kinds_in(text);
      for (const std::size_t most : {1U, 7U, 40U}) {
        BodyScan scan({.needles = nullptr, .tokens = true}, "");
        std::string out;
        std::vector<std::string> kinds;
        for (std::size_t at = 0; at < text.size();) {
          const std::size_t size = std::min(chance.between(1, most), text.size() - at);
          for (const auto& finding : scan.feed(std::string_view(text).substr(at, size), at + size == text.size(), out)) kinds.emplace_back(finding.kind);
          at += size;
        }
        ASSERT_EQ(kinds, whole) << token.kind << " " << text;
        ASSERT_EQ(out, text);
      }
    }
}

TEST(TokenRecall, EveryShapeIsReadable) {
  for (const auto& shape : token_shapes()) {
    EXPECT_FALSE(shape.kind.empty());
    EXPECT_GE(shape.anchor.size(), 3U);
    for (std::size_t at = shape.form.find('%'); at != std::string_view::npos; at = shape.form.find('%', at + 1)) {
      ASSERT_LT(at + 3, shape.form.size()) << shape.form;
      EXPECT_NE(std::string_view("awhHudb").find(shape.form[at + 1]), std::string_view::npos) << shape.form;
      EXPECT_EQ(shape.form[at + 2], '{') << shape.form;
      EXPECT_NE(shape.form.find('}', at), std::string_view::npos) << shape.form;
    }
  }
}

}  // namespace
}  // namespace weir::proxy::leaks
