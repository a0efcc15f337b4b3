#include "keeper/placeholders.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/encoding.h"

namespace weir::keeper {
namespace {

policy::Document document_of(const std::vector<std::pair<std::string, std::string>>& names_and_shapes) {
  policy::Document document;
  for (const auto& [name, shape] : names_and_shapes) {
    policy::Credential credential;
    credential.name = name;
    credential.substitute.shape = shape;
    document.credentials.push_back(std::move(credential));
  }
  return document;
}

std::string_view no_value(std::size_t) { return {}; }

TEST(Placeholders, HaveTheShapeThatWasAskedFor) {
  Placeholders placeholders;
  const auto all = placeholders.of(document_of({{"a", "sk_live_{random:24}"}, {"b", ""}, {"c", "{random:8}-{random:8}/x"}}), no_value);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(std::regex_match(all[0], std::regex("sk_live_[0-9A-Za-z]{24}"))) << all[0];
  EXPECT_EQ(all[1], "");
  EXPECT_TRUE(std::regex_match(all[2], std::regex("[0-9A-Za-z]{8}-[0-9A-Za-z]{8}/x"))) << all[2];
}

TEST(Placeholders, AreTheSameAgainAndOthersInAnotherSandbox) {
  const auto document = document_of({{"a", "t-{random:20}"}, {"b", "t-{random:20}"}});
  Placeholders one;
  Placeholders other;
  const auto first = one.of(document, no_value);
  EXPECT_EQ(one.of(document, no_value), first);
  EXPECT_EQ(one.of(document_of({{"b", "t-{random:20}"}}), no_value)[0], first[1]);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(other.of(document, no_value)[0], first[0]);
  EXPECT_NE(one.of(document_of({{"a", "u-{random:20}"}}), no_value)[0], first[0]);
}

TEST(Placeholders, UseTheWholeAlphabet) {
  Placeholders placeholders;
  std::set<char> seen;
  for (int i = 0; i < 20; ++i) {
    const auto made = placeholders.of(document_of({{"n" + std::to_string(i), "{random:256}"}}), no_value);
    for (const char c : made[0]) seen.insert(c);
  }
  EXPECT_EQ(seen.size(), 62U);
}

TEST(Placeholders, KeepTheClaimsOfAJwtAndNeverItsSignature) {
  const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
  const auto document = document_of({{"a", "{claims}.{random:32}"}});
  Placeholders with;
  const auto made = with.of(document, [&](std::size_t) { return std::string_view(jwt); })[0];
  EXPECT_TRUE(made.starts_with("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9."));
  EXPECT_EQ(made.find("c2lnbmF0dXJl"), std::string::npos);
  for (const char* no_jwt : {"", "abc", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.eyJz dWIi.x", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln.more", "secret.secret.secret"}) {
    Placeholders without;
    const auto other = without.of(document, [&](std::size_t) { return std::string_view(no_jwt); })[0];
    EXPECT_TRUE(other.starts_with("eyJhbGciOiJub25lIn0.e30.")) << no_jwt;
  }
}

TEST(Placeholders, FillVariablesAndFiles) {
  auto document = document_of({{"a", "t-{random:20}"}, {"b", "u-{random:20}"}});
  document.credentials[0].substitute.env = "A_TOKEN";
  Placeholders placeholders;
  const auto made = placeholders.of(document, no_value);
  launch::SandboxSpec spec;
  spec.environment["HEADER"] = "Bearer {placeholder:b}, {placeholder:a}.";
  launch::Mount file;
  file.content = "{\"key\": \"{placeholder:b}\"}";
  spec.mounts = {launch::Mount{}, file};
  const auto filled = placeholders.fill(document, spec);
  ASSERT_TRUE(filled) << filled.error().message;
  EXPECT_EQ(spec.environment["A_TOKEN"], made[0]);
  EXPECT_EQ(spec.environment["HEADER"], "Bearer " + made[1] + ", " + made[0] + ".");
  EXPECT_EQ(*spec.mounts[1].content, "{\"key\": \"" + made[1] + "\"}");
}

TEST(Placeholders, StandInBase64BehindAUsersName) {
  const auto document = document_of({{"a", "t-{random:20}"}});
  Placeholders placeholders;
  const auto made = placeholders.of(document, no_value);
  launch::SandboxSpec spec;
  launch::Mount file;
  file.content = "{\"auth\": \"{placeholder:base64:" + base64_encode("bob:") + ":a}\", \"bare\": \"{placeholder:base64::a}\"}";
  spec.mounts = {file};
  const auto filled = placeholders.fill(document, spec);
  ASSERT_TRUE(filled) << filled.error().message;
  EXPECT_EQ(*spec.mounts[0].content, "{\"auth\": \"" + base64_encode("bob:" + made[0]) + "\", \"bare\": \"" + base64_encode(made[0]) + "\"}");
}

TEST(Placeholders, RefuseWhatNamesNone) {
  const auto document = document_of({{"a", "t-{random:20}"}, {"injected", ""}});
  Placeholders placeholders;
  placeholders.of(document, no_value);
  for (const char* text : {"{placeholder:b}", "{placeholder:injected}", "{placeholder:base64:a}", "{placeholder:base64::b}", "{placeholder:a", "{placeholder:"}) {
    launch::SandboxSpec spec;
    spec.environment["X"] = text;
    const auto filled = placeholders.fill(document, spec);
    ASSERT_FALSE(filled) << text;
    EXPECT_EQ(filled.error().code, "placeholder_unknown");
  }
}

TEST(Placeholders, G2RefuseAVariableThatIsPassedInFromTheHost) {
  auto document = document_of({{"a", "t-{random:20}"}});
  document.credentials[0].substitute.env = "A_TOKEN";
  Placeholders placeholders;
  placeholders.of(document, no_value);
  launch::SandboxSpec spec;
  spec.pass_environment = {"A_TOKEN"};
  const auto filled = placeholders.fill(document, spec);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, "variable_taken");
}

}  // namespace
}  // namespace weir::keeper
