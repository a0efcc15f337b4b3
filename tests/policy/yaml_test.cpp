// YAML itself: what the format allows and a policy file does not.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Yaml, ReportsSyntaxErrorsWithTheirPlace) {
  const auto loaded = load_text("version: 1\nrules: [a, b\ndefault: deny\n", "p.yaml");
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(format(loaded.diagnostics[0]), testing::StartsWith("p.yaml:"));
  EXPECT_THAT(format(loaded.diagnostics[0]), HasSubstr("not valid YAML"));
  for (const char* text : {"version: 1\n\tdefault: deny\n", "a: 'b\n", "a: \"\\q\"\n", "a: b: c\n", "{", "]", "a: *nope\n",
                           "%YAML 9.9\n---\na: b\n", "? [\n", "- a\nb: c\n", "a: |\n b\n c\n: d\n- "})
    EXPECT_FALSE(load_text(text, "p.yaml").ok()) << text;
}

TEST(Yaml, ReportsDuplicateKeysWithBothPlaces) {
  EXPECT_THAT(errors_in("version: 1\nrules:\n  - hosts: [a.com]\n    methods: [GET]\n    hosts: [b.com]\n"),
              ElementsAre("5:5 key `hosts` is given twice | it stands already at line 3, column 5"));
  EXPECT_THAT(errors_in("version: 1\nversion: 1\n"), ElementsAre(HasSubstr("line 1, column 1")));
  EXPECT_THAT(errors_in("version: 1\n'version': 1\n"), testing::SizeIs(1));
  EXPECT_THAT(
      errors_in("version: 1\ncredentials:\n  c: {from: env:A, hosts: [a.com], inject: {header: X, format: '{secret}'}}\n"
                "  c: {from: env:A, hosts: [b.com], inject: {header: X, format: '{secret}'}}\n"),
      ElementsAre(HasSubstr("4:3 key `c` is given twice")));
}

TEST(Yaml, TakesAnchorsAndAliases) {
  const auto document =
      document_of("rules:\n  - {name: a, hosts: &h [a.com, b.com]}\n  - {name: b, hosts: *h, ports: [8443]}\n");
  EXPECT_EQ(document.rules[0].hosts, document.rules[1].hosts);
}

TEST(Yaml, RefusesAliasesThatBlowUp) {
  std::string text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += before + (j < 9 ? ", " : "]\n");
  }
  EXPECT_THAT(errors_in(text), testing::Contains(HasSubstr("too large once its aliases are put in")));
}

TEST(Yaml, RefusesAliasesThatHoldThemselves) {
  EXPECT_FALSE(load_text("version: 1\nrules: &r [*r]\n", "p").ok());
  EXPECT_FALSE(load_text("&r {version: 1, rules: [*r]}\n", "p").ok());
}

TEST(Yaml, RefusesDeepNesting) {
  EXPECT_THAT(errors_in("version: 1\nrules: " + std::string(1000, '[') + std::string(1000, ']') + "\n"),
              testing::Contains(HasSubstr("nested more than")));
  EXPECT_FALSE(load_text(std::string(200000, '['), "p").ok());
  EXPECT_FALSE(load_text(std::string(200000, '{'), "p").ok());
  std::string dashes;
  for (int i = 0; i < 50000; ++i) dashes += "- ";
  EXPECT_FALSE(load_text(dashes, "p").ok());
}

TEST(Yaml, RefusesHugeFiles) {
  EXPECT_THAT(errors_in(std::string(65U << 20, '#')), ElementsAre(HasSubstr("larger than 64 MiB")));
}

TEST(Yaml, RefusesASecondDocument) {
  EXPECT_THAT(errors_in("version: 1\n---\nversion: 1\n"), testing::Contains(HasSubstr("a second begins")));
}

TEST(Yaml, RefusesTagsAndMergeKeysAndStrangeKeys) {
  EXPECT_THAT(errors_in("version: !!int 1\n"), testing::Contains(HasSubstr("tags")));
  EXPECT_THAT(errors_in("version: 1\nrules:\n  - &a {hosts: [a.com]}\n  - {<<: *a}\n"),
              testing::Contains(HasSubstr("merge keys")));
  EXPECT_THAT(errors_in("version: 1\n[a, b]: c\n"), ElementsAre(HasSubstr("a key must be a plain word")));
  EXPECT_FALSE(load_text("version: 1\n~: x\n", "p").ok());
}

TEST(Yaml, RefusesOtherEncodingsAndControlCharacters) {
  EXPECT_THAT(errors_in("version: 1\nx: \xff\n"), ElementsAre(HasSubstr("2:4 the file is not valid UTF-8")));
  EXPECT_THAT(errors_in(std::string("v\0e\0r\0", 6)), ElementsAre(HasSubstr("control character 0x00")));
  EXPECT_THAT(errors_in("\xff\xfev\0"), testing::SizeIs(1));
  EXPECT_THAT(errors_in("version: 1 # \x1b[31m\n"), ElementsAre(HasSubstr("control character 0x1b")));
}

TEST(Yaml, TakesWindowsLineEndsAndAByteOrderMark) {
  EXPECT_THAT(errors_in("\xEF\xBB\xBFversion: 1\r\nrules:\r\n  - hosts: [a.com]\r\n"), testing::IsEmpty());
  const auto loaded = load_text("version: 1\r\nfoo: 1\r\n", "p");
  EXPECT_THAT(format(loaded.diagnostics.at(0)),
              testing::EndsWith("\nfoo: 1\n^\n  one of: version, default, use, credentials, oauth, leaks, rules, upstream, vault, limits"));
}

}  // namespace
}  // namespace weir::policy
