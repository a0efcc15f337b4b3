// Whatever is changed in a record, verify() finds it and names the line.
#include <fcntl.h>
#include <unistd.h>

#include <random>

#include "base/encoding.h"
#include "scratch.h"

namespace weir::events {
namespace {

class Verify : public test::Scratch {
 protected:
  std::string problem_with(const std::string& text) const {
    replace(text);
    return verified().problem;
  }
  // A line with `changed` in place of `original` and a hash that fits again.
  static std::string rehashed(std::string line, const std::string& original, const std::string& changed) {
    line.replace(line.find(original), original.size(), changed);
    const auto end = line.find(",\"hash\":");
    const std::string hashed = line.substr(0, end);
    return hashed + ",\"hash\":\"" + sha256_label(hashed + "}") + "\"}";
  }
};

TEST_F(Verify, AcceptsWhatWasWritten) {
  write_session(50, {.segment_bytes = 4000});
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(verified().events, 50U);
  EXPECT_FALSE(verified().ended);
  EXPECT_FALSE(verified().live);
}

TEST_F(Verify, SaysWhetherTheSessionHasEndedAndIsStillWritten) {
  auto log = create();
  log.append("session.ended", "", "{}");
  ASSERT_TRUE(log.commit());
  EXPECT_TRUE(verified().ended);
  EXPECT_TRUE(verified().live);
}

TEST_F(Verify, ASessionThatIsNotThereIsAnError) {
  const auto verification = verify(directory());
  ASSERT_FALSE(verification);
  EXPECT_EQ(verification.error().code, "session_missing");
}

TEST_F(Verify, AnyByteChangedIsFoundInItsLine) {
  write_session(3);
  const std::string whole = content();
  std::mt19937 random(3);
  std::size_t line = 1;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U + random() % 255U));
    const std::string problem = problem_with(changed);
    ASSERT_NE(problem, "") << at;
    // A newline that became something else, or a new one, still is in this line or makes the next one wrong.
    EXPECT_TRUE(problem.starts_with("line " + std::to_string(line) + " of 00000001.jsonl: ")) << at << ": " << problem;
    if (whole[at] == '\n') ++line;
  }
}

TEST_F(Verify, AnyByteRemovedOrAddedIsFound) {
  write_session(3);
  const std::string whole = content();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ASSERT_NE(problem_with(whole.substr(0, at) + whole.substr(at + 1)), "") << at;
    for (const char added : {' ', '\n', '0', '"'})
      ASSERT_NE(problem_with(whole.substr(0, at) + added + whole.substr(at)), "") << at;
  }
}

TEST_F(Verify, LinesRemovedDoubledOrSwappedAreFound) {
  write_session(4);
  const auto all = lines();
  const auto joined = [&](std::vector<std::size_t> order) {
    std::string text;
    for (const auto i : order) text += all[i] + "\n";
    return text;
  };
  EXPECT_EQ(problem_with(joined({0, 1, 2, 3})), "");
  EXPECT_EQ(problem_with(joined({1, 2, 3})), "line 1 of 00000001.jsonl: its seq is 2, not 1");
  EXPECT_EQ(problem_with(joined({0, 2, 3})), "line 2 of 00000001.jsonl: its seq is 3, not 2");
  EXPECT_EQ(problem_with(joined({0, 1, 1, 2, 3})), "line 3 of 00000001.jsonl: its seq is 2, not 3");
  EXPECT_EQ(problem_with(joined({0, 2, 1, 3})), "line 2 of 00000001.jsonl: its seq is 3, not 2");
}

TEST_F(Verify, AnEditedLineWithAFittingHashBreaksTheChainAfterIt) {
  write_session(3);
  auto all = lines();
  all[1] = rehashed(all[1], "\"n\":2", "\"n\":7");
  EXPECT_EQ(problem_with(all[0] + "\n" + all[1] + "\n" + all[2] + "\n"),
            "line 3 of 00000001.jsonl: its prev is not the hash of the line before");
}

TEST_F(Verify, ALineThatReadsTwoWaysIsNoEventEvenWithAFittingHash) {
  write_session(1);
  const std::string line = lines()[0];
  const std::pair<const char*, const char*> cases[] = {{"\"data\":{", "\"data\":{},\"data\":{"},
                                                       {"\"type\":", "\"more\":1,\"type\":"},
                                                       {"\"type\":\"egress.request\"", "\"type\":7"},
                                                       {"\"data\":{\"n\":1}", "\"data\":[1]"},
                                                       {"egress.request", "Egress.Request"},
                                                       {"\"session\":\"ses_test\"", "\"session\":\"ses_else\""},
                                                       {"{\"seq\":1", "{\"seq\":01"},
                                                       {"{\"seq\":1,", "{\"seq\":1,\"seq\":1,"},
                                                       {"\"n\":1", "\"n\":\"\xff\""},
                                                       {"\"n\":1", "\"n\":"}};
  for (const auto& [original, changed] : cases)
    EXPECT_TRUE(problem_with(rehashed(line, original, changed) + "\n").starts_with("line 1 of 00000001.jsonl: ")) << changed;
  EXPECT_EQ(problem_with(rehashed(line, "\"n\":1", "\"n\":2") + "\n"), "");
}

TEST_F(Verify, AMissingSegmentIsFoundWhicheverItIs) {
  write_session(40, {.segment_bytes = 2000});
  const auto segments = list_segments(directory());
  ASSERT_GT(segments.size(), 3U);
  for (const unsigned number : segments) {
    if (number == segments.back()) break;
    const std::string text = content(number);
    std::filesystem::remove(segment(number));
    EXPECT_EQ(verified().problem, "line 1 of " + segment_name(number) + ": the file is missing");
    replace(text, number);
  }
  EXPECT_TRUE(verified().ok);
}

TEST_F(Verify, TheFileAndLineOfALaterSegmentAreNamed) {
  write_session(40, {.segment_bytes = 2000});
  std::string text = content(3);
  const auto at = text.find("\"n\":", text.find('\n')) + 4;
  text[at] = text[at] == '9' ? '8' : '9';
  replace(text, 3);
  EXPECT_EQ(verified().problem, "line 2 of 00000003.jsonl: its hash does not match");
}

TEST_F(Verify, AHalfLineAtTheEndIsDamageOnceNobodyWrites) {
  write_session(2);
  const int file = ::open(segment().c_str(), O_WRONLY | O_APPEND);
  ASSERT_EQ(write(file, "{\"seq\":3", 8), 8);
  close(file);
  EXPECT_EQ(verified().problem, "line 3 of 00000001.jsonl: it is not complete (8 bytes without a newline)");
  auto log = open();
  ASSERT_TRUE(log);
  EXPECT_TRUE(verified().ok);
}

TEST_F(Verify, ASessionUnderAnotherNameIsFound) {
  write_session(1);
  std::filesystem::rename(directory(), root_ + "/ses_other");
  const auto verification = verify(root_ + "/ses_other");
  ASSERT_TRUE(verification);
  EXPECT_EQ(verification->problem, "line 1 of 00000001.jsonl: it belongs to another session, ses_test");
  EXPECT_FALSE(verify(root_ + "/ses_other/")->ok);
}

TEST_F(Verify, DeeplyNestedJsonIsNoTrouble) {
  write_session(1);
  const std::string line = rehashed(lines()[0], "\"n\":1", "\"n\":" + std::string(200000, '['));
  EXPECT_TRUE(problem_with(line + "\n").starts_with("line 1 of 00000001.jsonl: "));
}

}  // namespace
}  // namespace weir::events
