// A command in a sandbox ends, is signalled and finds itself as it would without one.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "runner.h"

namespace weir::launch {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Process : public ::testing::TestWithParam<bool> {
 protected:
  Host host{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(As, Process, ::testing::Values(false, true),
                         [](const auto& user) { return user.param ? "OrdinaryUser" : "WhoeverRunsTheTests"; });

TEST_P(Process, EndsWithTheCommandsExitCode) {
  for (const int code : {0, 1, 42, 125, 126, 127, 255})
    EXPECT_EQ(run_shell(host, "exit " + std::to_string(code)).status, code);
}

TEST_P(Process, SaysThatACommandIsMissingBeforeAnythingStarts) {
  const Outcome outcome = run(host, {"--", "no-such-command-anywhere"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("there is no command `no-such-command-anywhere` in PATH"));
}

TEST_P(Process, Gives126ForAProgramThatTheKernelRefuses) {
  host.write(host.project() + "/broken",
             std::string("\x7f"
                         "ELF",
                         4) +
                 std::string(100, 'x'),
             0755);
  const Outcome outcome = run(host, {"--", "./broken"});
  EXPECT_EQ(outcome.status, 126) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("cannot run ./broken in the sandbox"));
}

TEST_P(Process, Gives127WhenAScriptsInterpreterIsNotThere) {
  host.write(host.project() + "/script", "#!/nowhere/at/all\n", 0755);
  const Outcome outcome = run(host, {"--", "./script"});
  EXPECT_EQ(outcome.status, 127) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the interpreter it names"));
}

TEST_P(Process, RunsAScriptWithoutAnInterpreterLineByTheShell) {
  host.write(host.project() + "/script", "echo \"$1-$2\"; exit 7\n", 0755);
  const Outcome outcome = run(host, {"--", "./script", "a b", "c"});
  EXPECT_EQ(outcome.status, 7) << outcome.err;
  EXPECT_EQ(outcome.out, "a b-c\n");
}

TEST_P(Process, ReportsDeathBySignal) {
  const Outcome outcome = run_shell(host, "kill -SEGV $$");
  EXPECT_EQ(outcome.status, 128 + SIGSEGV);
  EXPECT_THAT(outcome.err, HasSubstr("killed by signal 11"));
}

TEST_P(Process, TellsAnExitCodeFromASignalOfTheSameNumber) {
  const Outcome outcome = run_shell(host, "exit 139");
  EXPECT_EQ(outcome.status, 139);
  EXPECT_THAT(outcome.err, Not(HasSubstr("killed")));
}

TEST_P(Process, ForwardsSigterm) {
  Terminal terminal(
      host, {kRunner, "--", "bash", "-c", "trap 'echo had-term; exit 5' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(terminal.expect("ready")) << terminal.seen();
  terminal.signal(SIGTERM);
  EXPECT_TRUE(terminal.expect("had-term")) << terminal.seen();
  EXPECT_EQ(terminal.wait(), 5);
}

TEST_P(Process, ForwardsASignalThatComesWhileTheSandboxIsStillBeingSetUp) {
  Terminal terminal(host, {kRunner, "--", "sleep", "1000"});
  terminal.signal(SIGTERM, 20);
  EXPECT_EQ(terminal.wait(), 128 + SIGTERM) << terminal.seen();
}

TEST_P(Process, KillsEverythingWhenTheKeeperIsKilled) {
  Terminal terminal(host,
                    {kRunner, "--", "bash", "-c", "trap '' HUP INT TERM; setsid -f sleep 4321; echo ready; sleep 4321"});
  ASSERT_TRUE(terminal.expect("ready")) << terminal.seen();
  const auto session = terminal.descendants();
  ASSERT_GE(session.size(), 4U);  // bubblewrap, process 1, bash, sleep
  terminal.signal(SIGKILL);
  EXPECT_TRUE(Terminal::all_end(session));
}

TEST_P(Process, KillsWhatTheCommandLeftBehind) {
  const Outcome outcome = run_shell(host, "setsid -f sleep 4322 >/dev/null 2>&1 </dev/null; exit 3");
  EXPECT_EQ(outcome.status, 3);  // and the pipes are closed, or run() would not come back
}

TEST_P(Process, ReapsOrphans) {
  const Outcome outcome =
      run_shell(host,
                "for i in 1 2 3; do (sh -c 'exit 0' & exec true); done; "
                "for i in $(seq 200); do n=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l); "
                "[ $n = 0 ] && exit 0; sleep 0.02; done; exit 1");
  EXPECT_EQ(outcome.status, 0);
}

TEST_P(Process, GivesTheCommandDefaultSignalsAndNothingBlocked) { EXPECT_EQ(probe(host, {"dispositions"}), "ok"); }

TEST_P(Process, PassesOnSignalsThatWereIgnoredFromTheStart) {
  struct sigaction before{};
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &ignore, &before);
  const std::string seen = probe(host, {"dispositions"});
  sigaction(SIGHUP, &before, nullptr);
  EXPECT_EQ(seen, "1 ok");
}

TEST_P(Process, PassesOnlyTheStandardDescriptors) { EXPECT_EQ(probe(host, {"descriptors"}), "0 1 2 ok"); }

TEST_P(Process, IsAnOrdinaryUserInsideWithoutCapabilities) {
  const Outcome outcome =
      run_shell(host, "id -u; id -un; grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status; grep NoNewPrivs /proc/self/status");
  EXPECT_THAT(outcome.out, Not(HasSubstr("0\nroot")));
  EXPECT_THAT(outcome.out, HasSubstr(host.as_root() ? "1000\nagent\n" : "\n"));
  EXPECT_THAT(
      outcome.out,
      HasSubstr(
          "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n"));
  EXPECT_THAT(outcome.out, HasSubstr("NoNewPrivs:\t1"));
}

TEST_P(Process, ShowsNoEnvironmentInBubblewrapsCommandLine) {
  Terminal terminal(host,
                    {kRunner, "--env", "TOKEN=hunter2-in-the-environment", "--", "bash", "-c", "echo ready; sleep 1000"});
  ASSERT_TRUE(terminal.expect("ready"));
  bool saw_bubblewrap = false;
  for (const pid_t pid : terminal.descendants()) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    saw_bubblewrap = saw_bubblewrap || line.find("bwrap") != line.npos;
    EXPECT_THAT(line.substr(0, line.find("weir/init")), Not(HasSubstr("hunter2"))) << line;
    if (line.find("bwrap") != line.npos) {
      EXPECT_THAT(line, Not(HasSubstr("--setenv")));
    }
  }
  EXPECT_TRUE(saw_bubblewrap);
  terminal.signal(SIGTERM);
  terminal.wait();
}

}  // namespace
}  // namespace weir::launch
