// `exec:`: what a program may do and what weir says when it does something else.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "tests/vault/scratch.h"
#include "vault/command/run.h"
#include "vault/command/source.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

class Command : public Scratch {
 protected:
  std::string script(const std::string& text) const { return write("script", "#!/bin/sh\n" + text + "\n", 0700); }
};

TEST_F(Command, GivesWhatTheProgramPrintedWithoutTheLastNewline) {
  EXPECT_EQ(run_command({"/bin/echo", "one two"})->reveal(), "one two");
  EXPECT_EQ(run_command({"/usr/bin/printf", "x\\n\\n"})->reveal(), "x\n");
}

TEST_F(Command, ArgumentsReachTheProgramAsTheyAre) {
  EXPECT_EQ(run_command({"/bin/echo", "$HOME", ";", "`id`", "*"})->reveal(), "$HOME ; `id` *");
}

TEST_F(Command, StandardInputIsEmpty) { EXPECT_EQ(run_command({script("wc -c")})->reveal(), "0"); }

TEST_F(Command, NoDescriptorOfTheKeepersIsThere) {
  const int open = ::open(write("kept", "").c_str(), O_RDONLY);  // without O_CLOEXEC, as a library might
  EXPECT_THAT(std::string(run_command({"/bin/ls", "-l", "/proc/self/fd"})->reveal()), Not(HasSubstr("kept")));
  ::close(open);
}

TEST_F(Command, FailureTellsStatusAndFirstLineOfStandardErrorButNoOutput) {
  const auto failed = run_command({script("echo s3cret; echo 'no such entry' >&2; echo more >&2; exit 3")});
  EXPECT_EQ(code_of(failed), "exec_failed");
  EXPECT_THAT(message_of(failed),
              testing::AllOf(HasSubstr("status 3: no such entry"), Not(HasSubstr("s3cret")), Not(HasSubstr("more"))));
}

TEST_F(Command, MissingProgramAndEmptyOutputAreErrors) {
  EXPECT_EQ(code_of(run_command({folder_ + "/none"})), "exec_failed");
  EXPECT_EQ(code_of(run_command({"/bin/true"})), "exec_empty");
  EXPECT_EQ(code_of(run_command({"/bin/echo"})), "exec_empty");
}

TEST_F(Command, SlowProgramIsKilledWithItsChildren) {
  const auto slow = run_command({script("sleep 1000 & echo $! > " + folder_ + "/child; wait")}, {.milliseconds = 300});
  EXPECT_EQ(code_of(slow), "exec_too_slow");
  const auto child = read_file(folder_ + "/child").value();
  const auto status = [&] { return read_file("/proc/" + child.substr(0, child.size() - 1) + "/stat"); };
  for (int i = 0; i < 500 && status() && status()->find(") Z ") == std::string::npos; ++i) usleep(10'000);
  EXPECT_TRUE(!status() || status()->find(") Z ") != std::string::npos);
}

TEST_F(Command, ProgramThatClosesItsOutputAndGoesOnIsKilledToo) {
  EXPECT_EQ(code_of(run_command({script("echo x; exec >&- 2>&-; sleep 1000")}, {.milliseconds = 300})), "exec_too_slow");
}

TEST_F(Command, EndlessOutputIsCutOff) {
  EXPECT_EQ(code_of(run_command({script("exec yes")})), "exec_too_long");
  EXPECT_EQ(run_command({script("head -c 65536 /dev/zero | tr '\\0' x")})->size(), 65536U);
}

TEST_F(Command, CancellationEndsIt) {
  std::atomic<bool> cancelled = false;
  std::thread later([&] { cancelled = true; });
  EXPECT_EQ(code_of(run_command({"/bin/sleep", "1000"}, {.cancelled = &cancelled})), "exec_too_slow");
  later.join();
}

TEST_F(Command, SourceIsAPathOrAJsonListAndNothingElse) {
  EXPECT_EQ(parse_command("/bin/a b")->size(), 1U);
  EXPECT_EQ(*parse_command(R"(["/bin/a","b c"])"), (std::vector<std::string>{"/bin/a", "b c"}));
  for (const std::string_view text : {"", "a", "[]", "[1]", "[\"/bin/a\"", "[\"a\"]", "[\"/bin/a\",\"\\u0000\"]"})
    EXPECT_EQ(code_of(parse_command(text)), "exec_invalid") << text;
}

TEST_F(Command, ValueWithATimeIsRefreshedByRunningAgain) {
  const auto program = script("echo x >> " + folder_ + "/runs; wc -l < " + folder_ + "/runs");
  auto first = obtain_from_command(program, 5000);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->value.reveal(), "1");
  EXPECT_EQ(first->lasts_ms, 5000);
  EXPECT_EQ(first->refresher->refresh()->value->reveal(), "2");
  EXPECT_EQ(obtain_from_command(program, 0)->refresher, nullptr);
}

TEST_F(Command, ValueThatCannotStandInAHeaderIsRefused) {
  EXPECT_EQ(code_of(obtain_from_command(script("printf 'a\\nb'"), 0)), "vault_value_unusable");
}

}  // namespace
}  // namespace weir::vault
