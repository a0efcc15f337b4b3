#include "policy/matching/path_glob.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir::policy {
namespace {

bool matches(std::string_view pattern, std::string_view path) {
  const auto glob = PathGlob::compile(pattern);
  if (!glob) throw std::runtime_error(glob.error().message);
  return glob->matches(path);
}

struct Case {
  std::string_view pattern, path;
  bool matches;
};

TEST(PathGlob, Matches) {
  const Case cases[] = {
      {"/", "/", true},
      {"/", "/a", false},
      {"/a", "/a", true},
      {"/a", "/a/", false},
      {"/a", "/A", false},
      {"/a/", "/a/", true},
      {"/a/", "/a", false},
      {"/*", "/a", true},
      {"/*", "/", true},
      {"/*", "/a/b", false},
      {"/*", "/a/", false},
      {"/*/*/git-upload-pack", "/o/r.git/git-upload-pack", true},
      {"/*/*/git-upload-pack", "/o/git-upload-pack", false},
      {"/*/*/git-upload-pack", "/o/r/x/git-upload-pack", false},
      {"/a*", "/abc", true},
      {"/a*", "/a", true},
      {"/a*", "/ba", false},
      {"/*a", "/bca", true},
      {"/a*b*c", "/abc", true},
      {"/a*b*c", "/aXbYc", true},
      {"/a*b*c", "/acb", false},
      {"/a*a", "/a", false},
      {"/a*a", "/aa", true},
      {"/*ab*", "/aab", true},
      {"/v1/models/*:*", "/v1/models/x:y", true},
      {"/v1/models/*:*", "/v1/models/x", false},
      {"/**", "/", true},
      {"/**", "/a/b/c", true},
      {"/a/**", "/a", false},
      {"/a/**", "/a/", true},
      {"/a/**", "/a/b/c", true},
      {"/a/**", "/ab/c", false},
      {"/**/x", "/x", true},
      {"/**/x", "/a/b/x", true},
      {"/**/x", "/a/bx", false},
      {"/**/x", "/x/y", false},
      {"/a/**/b", "/a/b", true},
      {"/a/**/b", "/a/x/y/b", true},
      {"/a/**/b", "/a", false},
      {"/a/**/a", "/a", false},
      {"/a/**/a", "/a/a", true},
      {"/**/b/c/**/d", "/b/b/c/d", true},
      {"/**/b/c/**/d", "/b/b/c/c/e/d", true},
      {"/**/b/c/**/d", "/b/d/c/d", false},
      {"/**/b/**/b/**", "/b/b", false},
      {"/**/b/**/b/**", "/b/b/", true},
      {"/**/b/**/b/**", "/x/b/y/b/z", true},
      {"/**/", "/", true},
      {"/**/", "/a/b/", true},
      {"/**/", "/a/b", false},
      {"/*/**/*", "/a", false},
      {"/*/**/*", "/a/b", true},
      {"/@*%2F*", "/@s%2Fn", true},
      {"/@*%2F*", "/@s/n", false},
      {"/grü*", "/grüße", true},
      {"/100%", "/100%", true},
  };
  for (const auto& c : cases) EXPECT_EQ(matches(c.pattern, c.path), c.matches) << c.pattern << " " << c.path;
}

TEST(PathGlob, NeverMatchesWhatIsNotRooted) {
  for (const char* pattern : {"/", "/**", "/*", "/a"}) {
    EXPECT_FALSE(matches(pattern, "")) << pattern;
    EXPECT_FALSE(matches(pattern, "a")) << pattern;
    EXPECT_FALSE(matches(pattern, "*")) << pattern;
  }
}

TEST(PathGlob, RefusesPatternsThatWouldMislead) {
  for (const char* pattern :
       {"",      "a",     "*",      "**",     "a/**", "/a**",   "/**a",   "/***",  "/**/**", "/a//b", "//",   "/./a",
        "/../a", "/a/..", "/..;/a", "/a?b=c", "/a#b", "/a%20b", "/a%2fb", "/a%41", "/a\\b",  "/a\nb", "/\xff"})
    EXPECT_FALSE(PathGlob::compile(pattern)) << pattern;
  EXPECT_FALSE(PathGlob::compile("/" + std::string(2000, 'a')));
}

// A matcher that tries again would not be done in a lifetime.
TEST(PathGlob, DoesNotBacktrackExponentially) {
  std::string stars = "/", doubles;
  for (int i = 0; i < 200; ++i) stars += "*a";
  for (int i = 0; i < 100; ++i) doubles += "/**/*a*";
  EXPECT_FALSE(matches(stars + "*b", "/" + std::string(60000, 'a')));
  std::string deep;
  for (int i = 0; i < 20000; ++i) deep += "/aa";
  EXPECT_FALSE(matches(doubles + "/b", deep));
  EXPECT_TRUE(matches(doubles, deep));
}

// The definition itself, as slow as it likes: what the fast one is held against.
bool segment_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return segment_by_definition(pattern.substr(1), text) ||
           (!text.empty() && segment_by_definition(pattern, text.substr(1)));
  return !text.empty() && text[0] == pattern[0] && segment_by_definition(pattern.substr(1), text.substr(1));
}

bool by_definition(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  const auto pattern_end = std::min(pattern.find('/', 1), pattern.size());
  const auto path_end = path.empty() ? 0 : std::min(path.find('/', 1), path.size());
  const auto segment = pattern.substr(1, pattern_end - 1), rest = pattern.substr(pattern_end);
  if (segment == "**") {
    if (rest.empty()) return !path.empty();
    return by_definition(rest, path) || (!path.empty() && by_definition(pattern, path.substr(path_end)));
  }
  return !path.empty() && segment_by_definition(segment, path.substr(1, path_end - 1)) &&
         by_definition(rest, path.substr(path_end));
}

std::string numbered(unsigned number, std::string_view alphabet, std::size_t length) {
  std::string text = "/";
  for (std::size_t i = 0; i < length; ++i, number /= static_cast<unsigned>(alphabet.size()))
    text += alphabet[number % alphabet.size()];
  return text;
}

TEST(PathGlob, AgreesWithItsDefinitionOnAllShortPatternsAndPaths) {
  std::size_t compared = 0;
  std::vector<std::string> paths;
  for (std::size_t length = 0; length <= 5; ++length)
    for (unsigned n = 0; n < static_cast<unsigned>(std::pow(3, length)); ++n) paths.push_back(numbered(n, "ab/", length));
  for (std::size_t length = 0; length <= 7; ++length)
    for (unsigned n = 0; n < static_cast<unsigned>(std::pow(3, length)); ++n) {
      const auto pattern = numbered(n, "a*/", length);
      const auto glob = PathGlob::compile(pattern);
      if (!glob) continue;
      for (const auto& path : paths) {
        ASSERT_EQ(glob->matches(path), by_definition(pattern, path)) << pattern << " " << path;
        ++compared;
      }
    }
  EXPECT_GT(compared, 100000U);
}

}  // namespace
}  // namespace weir::policy
