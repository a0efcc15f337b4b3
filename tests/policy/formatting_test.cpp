#include "policy/formatting.h"

#include "policy/formatting/comments.h"
#include "policy_testing.h"
#include "random_documents.h"
#include "unusual_yaml.h"

namespace weir::policy {
namespace {

std::string formatted(const std::string& text) {
  const auto result = format_text(text, "/p.yaml");
  for (const auto& diagnostic : result.diagnostics) ADD_FAILURE() << format(diagnostic) << "\n" << text;
  return result.text;
}

std::string why_not(const std::string& text) {
  const auto result = format_text(text, "/p.yaml");
  return result.diagnostics.empty() ? "" : result.diagnostics.front().message;
}

std::vector<std::string> comments_in(const std::string& text) {
  Diagnostics diagnostics("", text);
  const auto tree = parse_yaml(text, diagnostics);
  std::vector<std::string> texts;
  const auto scan = scan_comments(text, Lines(text), *tree);
  for (const auto& comment : scan->comments) texts.push_back(comment.text);
  return texts;
}

Result<std::string> nothing(std::string_view) { return "version: 1\n"; }

void expect_kept(const std::string& text, bool in_order = true) {
  const auto once = formatted(text);
  EXPECT_EQ(formatted(once), once) << text;
  const auto before = load_text(text, "/p.yaml", nothing), after = load_text(once, "/p.yaml", nothing);
  EXPECT_EQ(first_difference(without_places(before.document), without_places(after.document)), "") << text << once;
  auto had = comments_in(text), has = comments_in(once);
  if (!in_order) std::ranges::sort(had), std::ranges::sort(has);
  EXPECT_EQ(had, has) << text << once;
}

TEST(Formatting, PutsKeysInOrderAndListsOnALine) {
  EXPECT_EQ(formatted("rules:\n- action: deny\n  hosts:\n  - 'a.com'\n  - \"*\"\n  name: x, y\nversion: 1\n"),
            "version: 1\n\nrules:\n  - name: x, y\n    hosts: [a.com, \"*\"]\n    action: deny\n");
}

TEST(Formatting, BreaksAListThatDoesNotFit) {
  const std::string path = "/" + std::string(60, 'a');
  EXPECT_EQ(formatted("version: 1\nrules: [{hosts: [a.com], paths: [" + path + "1, " + path + "2]}]\n"),
            "version: 1\n\nrules:\n  - hosts: [a.com]\n    paths:\n      - " + path + "1\n      - " + path + "2\n");
}

TEST(Formatting, QuotesWhatCouldBeMisread) {
  EXPECT_EQ(formatted("version: 1\nrules:\n  - {name: yes, hosts: [a.com:80, '*.a.com', '::1', 10.0.0.1], methods: [ON]}\n"),
            "version: 1\n\nrules:\n  - name: \"yes\"\n    hosts: [\"a.com:80\", \"*.a.com\", \"::1\", 10.0.0.1]\n"
            "    methods: [\"ON\"]\n");
}

TEST(Formatting, PutsTheKeysOfCredentialsInOrder) {
  const std::string text =
      "leaks: off\noauth:\n- keep: {access_token: c}\n  token_url: https://l.example/t\ncredentials:\n  c: {substitute: {in: [body], shape: 'x{random:16}', "
      "env: T}, hosts: [a.com], from: 'store:c'}\n  d:\n    inject:\n      format: '{secret}'  # the key\n      query: k\n    hosts: [a.com]\n    refresh: "
      "{github_app: {permissions: {contents: read}, installation: 1, app: 2}}\n    from: 'env:D'\n  e: {inject: client_certificate, from: 'env:E', hosts: "
      "[b.com]}\nversion: 1\n";
  const std::string expected =
      "version: 1\n\ncredentials:\n  c:\n    from: store:c\n    hosts: [a.com]\n    substitute: {env: T, shape: \"x{random:16}\", in: [body]}\n"
      "  d:\n    from: env:D\n    refresh: {github_app: {app: \"2\", installation: \"1\", permissions: {contents: read}}}\n    hosts: [a.com]\n"
      "    inject:\n      query: k\n      format: \"{secret}\"  # the key\n  e:\n    from: env:E\n    hosts: [b.com]\n    inject: client_certificate\n\n"
      "oauth:\n  - token_url: https://l.example/t\n    keep: {access_token: c}\n\nleaks: off\n";
  EXPECT_EQ(formatted(text), expected);
  expect_kept(text);
}

TEST(Formatting, KeepsEachCommentWhereItBelongs) {
  const std::string text = R"(# head

# of version
version: 1  # here

# about rules
rules:  # all of them
  # first
  - name: a  # short
    # which
    hosts: [a.com]      # one
    paths:
      - /a  # path
      # no more paths
    # end of a

  # - name: gone
  #   hosts: [gone.com]
  - name: b
    hosts: [b.com]
  # end of rules
# tail
)";
  EXPECT_EQ(formatted(text), R"(# head

# of version
version: 1  # here

# about rules
rules:  # all of them
  # first
  - name: a  # short
    # which
    hosts: [a.com]  # one
    paths:
      - /a  # path
      # no more paths
    # end of a

  # - name: gone
  #   hosts: [gone.com]
  - name: b
    hosts: [b.com]
  # end of rules
# tail
)");
  expect_kept(text);
}

TEST(Formatting, KeepsCommentsWithinBrackets) {
  const std::string text = R"(version: 1
rules: [ # r
  # item
  {name: a, # n
   hosts: [ # h
     a.com, # x
     # y
     b.com
     # z
   ] # end
  }
] # over
)";
  EXPECT_EQ(formatted(text), R"(version: 1

rules:  # r
  # item
  - name: a    # n
    hosts:     # h
      - a.com  # x
      # y
      - b.com
      # z
    # end
  # over
)");
  expect_kept(text);
}

TEST(Formatting, MovesACommentWithItsKey) {
  const std::string text = "version: 1\nrules:\n  - hosts: [a.com]\n    # why\n    name: a  # what\n";
  EXPECT_EQ(formatted(text), "version: 1\n\nrules:\n  # why\n  - name: a  # what\n    hosts: [a.com]\n");
  expect_kept(text, false);
}

TEST(Formatting, TakesNoCommentFromWithinAWord) {
  for (const std::string name :
       {"'a # b'", "\"a \\\" # b\"", "a#b", "\"a\n\n   # b\"", "|\n      # text\n\n      more # text\n", ">-\n      # text",
        "a\n      b # comment", "'it''s # b'", "\"\\\\\" # comment", "'#'# c"})
    expect_kept("version: 1\nrules:\n  - hosts: [a.com]\n    name: " + name + "\n# tail\n", false);
}

TEST(Formatting, SetsTheRestApartByOneBlankLine) {
  EXPECT_EQ(
      formatted(
          "\n\nversion: 1\n\n\n\nuse: [anthropic]\ndefault: log\nrules:\n\n\n  - hosts: [a.com]\n\n\n  - hosts: [b.com]\n"),
      "version: 1\ndefault: log\n\nuse: [anthropic]\n\nrules:\n  - hosts: [a.com]\n\n  - hosts: [b.com]\n");
}

TEST(Formatting, ReadsLinesThatEndInCarriageReturns) {
  EXPECT_EQ(formatted("\xEF\xBB\xBFversion: 1  # a\r\n\r\n# b\r\nuse: [anthropic]\r\n"),
            "version: 1  # a\n\n# b\nuse: [anthropic]\n");
}

TEST(Formatting, RefusesWhatItCannotKeep) {
  EXPECT_EQ(why_not("version: 1\nrules:\n  - {hosts: &h [a.com]}\n  - {hosts: *h}\n"), "anchors and aliases cannot be kept");
  EXPECT_EQ(why_not("version: 1\nrules:\n  - hosts: [a.com]\n    name: &n x\n"), "anchors and aliases cannot be kept");
  EXPECT_EQ(why_not("version: 2\n"), "version `2` is not one that this weir can read");
  EXPECT_EQ(why_not("version: 1\nrules:\n  - hosts: [a.com]\n    name: |2\n        x\n"),
            "a block with its indentation in numbers cannot be kept");
}

TEST(Formatting, NeedsNoHostForItsPresets) { EXPECT_EQ(formatted("version: 1\nuse: [npm]\n"), "version: 1\nuse: [npm]\n"); }

TEST(Formatting, KeepsACommentBelowALongKey) {
  const std::string key(1010, 'k');
  const std::string text = "version: 1\n\nrules:\n  - hosts: [a.com]\n    query:\n      ? " + key + "\n      : a\n      b: c\n      # of the query\n    action: ask\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(FormattingProperty, KeepsPresets) {
  for (const auto& preset : presets()) expect_kept(std::string(preset.text));
}

TEST(FormattingProperty, LeavesWhatToYamlWroteAsItIs) {
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Dice dice(seed);
    const auto text = to_yaml(loadable_document(dice));
    ASSERT_EQ(formatted(text), text) << seed;
  }
}

TEST(FormattingProperty, KeepsMeaningAndCommentsOfUnusualFiles) {
  for (unsigned seed = 0; seed < 3000 && !testing::Test::HasFailure(); ++seed) {
    Dice dice(seed);
    const auto document = loadable_document(dice);
    expect_kept(unusual_yaml(dice, to_yaml(document)), false);
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace weir::policy
