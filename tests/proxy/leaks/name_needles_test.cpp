#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "leaks_testing.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;

std::optional<std::uint32_t> found_in(std::string_view text, std::string_view name) {
  const std::array needles{Needle{.id = 9, .text = text}};
  const auto made = std::move(Needles::make(needles).value());
  std::uint32_t id = 0;
  return made.find_in_name(name, id) ? std::optional(id) : std::nullopt;
}

std::string base32(std::string_view text) {
  std::string made;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFFF;
    count += 8;
    while (count >= 5) {
      count -= 5;
      made += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> count & 31];
    }
  }
  if (count > 0) made += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits << (5 - count) & 31];
  return made;
}

// Cut into labels of some size each.
std::string in_labels(std::string_view text, std::size_t size) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); at += size) name += std::string(text.substr(at, size)) + ".";
  return name + "attacker.example";
}

constexpr std::string_view kSecret = "Sk_Live_51HxYzAbCdEfGhIjKlMnOpQr";

TEST(NameNeedles, FindATextInEveryFormHoweverItIsCutIntoLabels) {
  for (const std::size_t size : {63U, 20U, 7U, 1U}) {
    EXPECT_EQ(found_in(kSecret, in_labels(kSecret, size)), 9U) << size;
    EXPECT_EQ(found_in(kSecret, in_labels("SK_LIVE_51HXYZABCDEFGHIJKLMNOPQR", size)), 9U) << size;
    EXPECT_EQ(found_in(kSecret, in_labels(hex_encode(kSecret), size)), 9U) << size;
    EXPECT_EQ(found_in(kSecret, in_labels(base32(kSecret), size)), 9U) << size;
    EXPECT_EQ(found_in(kSecret, in_labels(base32("xyz" + std::string(kSecret)), size)), 9U) << size;
    EXPECT_EQ(found_in(kSecret, in_labels(testing::url_safe(base64_encode("x" + std::string(kSecret))), size)), 9U) << size;
  }
}

TEST(NameNeedles, ALongTextMayComeInSeveralQuestions) {
  Chance chance(3);
  const auto key = chance.text(1700, testing::kBase64);
  for (const std::size_t at : {0U, 1U, 333U, 1650U}) {
    EXPECT_EQ(found_in(key, in_labels(key.substr(at, 25), 63)), 9U) << at;
    EXPECT_EQ(found_in(key, in_labels(hex_encode(key.substr(at, 20)), 63)), 9U) << at;
    EXPECT_EQ(found_in(key, in_labels(base32(key.substr(at, 20)), 63)), 9U) << at;
    EXPECT_EQ(found_in(key, in_labels(testing::url_safe(base64_encode(key.substr(at, 24))), 63)), key.substr(at, 24).find_first_of("+/") == std::string::npos ? 9U : 9U) << at;
  }
  EXPECT_EQ(found_in(key, in_labels(key.substr(100, 20), 63)), std::nullopt);
}

TEST(NameNeedles, AShortTextMustStandInOneLabel) {
  EXPECT_EQ(found_in("Hunter2", "hunter2.example.com"), 9U);
  EXPECT_EQ(found_in("hunter2", "xhunter2y.example.com"), 9U);
  EXPECT_EQ(found_in("hunter2", "hun.ter2.example.com"), std::nullopt);
  EXPECT_EQ(found_in("hunter2", hex_encode("hunter2") + ".example.com"), 9U);
  EXPECT_EQ(found_in("hunter2", base32("hunter2").substr(0, 11) + ".example.com"), 9U);
}

TEST(NameNeedles, AHostsNameWithinASecretIsNone) {
  const auto address = "postgres://user:A8sdfj2lkjsdf@analysis-database.internal.corp.example.com:5432/analysis";
  EXPECT_EQ(found_in(address, "analysis-database.internal.corp.example.com"), std::nullopt);
  EXPECT_EQ(found_in(address, "internal.corp.example.com"), std::nullopt);
}

TEST(NameNeedles, OrdinaryAndLongNamesHoldNone) {
  Chance chance(4);
  for (const std::string_view name : {"", ".", "com", "api.github.com", "xn--nxasmq6b.example", "a.b.c.d.e.f"}) EXPECT_EQ(found_in(kSecret, name), std::nullopt);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(found_in(kSecret, in_labels(chance.text(230, "abcdefghijklmnopqrstuvwxyz0123456789-"), 60)), std::nullopt);
  EXPECT_EQ(found_in(kSecret, chance.octets(2000)), std::nullopt);
}

}  // namespace
}  // namespace weir::proxy::leaks
