// What must hold whatever the texts and the bytes are.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "leaks_testing.h"
#include "proxy/leaks/body_scan.h"
#include "proxy/leaks/forms.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;
using testing::hits_in;

struct Texts {
  std::vector<std::string> texts;
  Needles needles;
};

Texts some_texts(Chance& chance, std::size_t count, std::size_t shortest) {
  Texts made;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = chance.one_in(8) ? chance.between(64, 300) : chance.between(shortest, 48);
    made.texts.push_back(chance.text(size, chance.one_in(2) ? testing::kPassword : testing::kBase62));
  }
  std::vector<Needle> needles;
  for (std::uint32_t i = 0; i < made.texts.size(); ++i) needles.push_back({.id = i, .text = made.texts[i]});
  made.needles = std::move(Needles::make(needles).value());
  return made;
}

TEST(NeedlesProperties, EveryFormOfEveryTextIsFoundWhereItStands) {
  Chance chance(11);
  for (const std::size_t shortest : {12U, 16U, 20U}) {
    const auto made = some_texts(chance, 40, shortest);
    for (std::uint32_t id = 0; id < made.texts.size(); ++id)
      for (const auto& written : testing::written_in_all_forms(made.texts[id], chance)) {
        const std::string front = chance.octets(chance.below(40)), bytes = front + written.bytes + chance.octets(chance.below(40));
        const auto hits = hits_in(made.needles, bytes);
        const auto hit = std::find_if(hits.begin(), hits.end(), [&](const Hit& one) { return one.id == id && one.begin >= front.size() && one.end <= front.size() + written.bytes.size(); });
        ASSERT_NE(hit, hits.end()) << static_cast<int>(written.form) << " " << written.bytes;
        // All but the characters of base64 that the text shares with what is around it.
        const bool base64 = written.form == Form::base64 || written.form == Form::base64url;
        ASSERT_LE(hit->begin - front.size(), base64 ? 3U : 0U);
        ASSERT_LE(front.size() + written.bytes.size() - hit->end, base64 ? 6U : 0U);
      }
  }
}

TEST(NeedlesProperties, RandomBytesHoldNone) {
  Chance chance(12);
  const auto made = some_texts(chance, 100, 10);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(hits_in(made.needles, chance.octets(100000)).empty());
    EXPECT_TRUE(hits_in(made.needles, chance.text(100000, testing::kBase64)).empty());
    EXPECT_TRUE(hits_in(made.needles, chance.text(100000, testing::kHex)).empty());
  }
}

// The definition: the longest end of the bytes that is the beginning of a literal, and not the whole of it.
std::size_t incomplete_by_definition(const Literals& literals, std::string_view bytes) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (std::size_t size = bytes.size(); size > 0; --size) {
    const auto end = bytes.substr(bytes.size() - size);
    for (const auto& literal : literals.list) {
      if (literal.size <= size) continue;
      const auto front = literals.octets.reveal().substr(literal.at, size);
      std::size_t digits = 0;
      bool same = true;
      for (std::size_t i = 0; i < size && same; ++i) {
        const bool no_case = literal.comparison == Comparison::hex || digits > 0;
        same = no_case ? lower(front[i]) == lower(end[i]) : front[i] == end[i];
        digits = digits > 0 ? digits - 1 : 0;
        if (literal.comparison == Comparison::percent && front[i] == '%') digits = 2;
      }
      if (same) return size;
    }
  }
  return 0;
}

TEST(NeedlesProperties, IncompleteIsAsDefined) {
  Chance chance(13);
  for (int round = 0; round < 12; ++round) {
    std::vector<std::string> texts;
    std::vector<Needle> needles;
    const std::size_t shortest = round % 2 == 0 ? 6 : 16;
    // Few different characters, so that beginnings meet beginnings. None that JSON would escape: the definition above does not know it.
    for (std::uint32_t i = 0; i < 6; ++i) texts.push_back(chance.text(chance.between(shortest, i == 0 ? 150 : 40), round % 3 == 0 ? "ab" : "abC%/ "));
    for (std::uint32_t i = 0; i < texts.size(); ++i) needles.push_back({.id = i, .text = texts[i]});
    const auto literals = all_forms(needles);
    const auto made = std::move(Needles::make(needles).value());
    for (int i = 0; i < 300; ++i) {
      const auto& literal = literals.list[chance.below(literals.list.size())];
      auto bytes = chance.text(chance.below(30), "ab%2Ff ") + std::string(literals.octets.reveal().substr(literal.at, chance.between(1, literal.size)));
      if (chance.one_in(3))
        for (char& c : bytes) c = c >= 'a' && c <= 'f' && chance.one_in(4) ? static_cast<char>(c - 32) : c;
      if (chance.one_in(4)) bytes[chance.below(bytes.size())] = 'x';
      ASSERT_EQ(made.incomplete(bytes), incomplete_by_definition(literals, bytes)) << bytes;
      std::size_t both = made.scan(bytes, [](const Hit&) { return true; });
      ASSERT_EQ(both, made.incomplete(bytes)) << bytes;
    }
  }
}

TEST(NeedlesProperties, AHitIsFoundWhereverTheBodyIsCutAndNothingOfItWentBefore) {
  Chance chance(14);
  const auto made = some_texts(chance, 12, 12);
  const ScanOptions options{.needles = &made.needles, .tokens = true};
  for (std::uint32_t id = 0; id < made.texts.size(); ++id)
    for (const auto& written : testing::written_in_all_forms(made.texts[id], chance)) {
      const auto bytes = chance.octets(chance.between(1, 30)) + written.bytes + chance.octets(chance.between(1, 30));
      const auto whole = hits_in(made.needles, bytes);
      ASSERT_FALSE(whole.empty());
      for (int round = 0; round < 12; ++round) {
        BodyScan scan(options, "");
        std::string out;
        std::size_t found = 0;
        const std::size_t most = round == 0 ? 1 : chance.between(1, bytes.size());
        for (std::size_t at = 0; at < bytes.size();) {
          const std::size_t size = std::min(chance.between(1, most), bytes.size() - at);
          const std::size_t gone = out.size();
          const auto findings = scan.feed(std::string_view(bytes).substr(at, size), at + size == bytes.size(), out);
          at += size;
          if (!findings.empty() && found == 0) {
            ASSERT_LE(gone, whole.front().begin) << "some of it had gone";
          }
          found += static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [](const Finding& one) { return !one.token; }));
        }
        ASSERT_EQ(out, bytes);
        ASSERT_EQ(found, whole.size()) << written.bytes;
      }
    }
}

}  // namespace
}  // namespace weir::proxy::leaks
