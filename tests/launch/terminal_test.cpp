// The sandbox shares the user's terminal: keys, job control, size. And cannot type into it.
#include <gtest/gtest.h>
#include <signal.h>

#include "runner.h"

namespace weir::launch {
namespace {

class SharedTerminal : public ::testing::TestWithParam<bool> {
 protected:
  Host host{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(As, SharedTerminal, ::testing::Values(false, true),
                         [](const auto& user) { return user.param ? "OrdinaryUser" : "WhoeverRunsTheTests"; });

TEST_P(SharedTerminal, IsATerminalOfTheSameSizeInside) {
  Terminal terminal(host, {kRunner, "--", "bash", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size </dev/tty"});
  EXPECT_TRUE(terminal.expect("31 97")) << terminal.seen();
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_P(SharedTerminal, ChangesOfSizeReachTheCommand) {
  Terminal terminal(host, {kRunner, "--", kProbe, "survive"});
  ASSERT_TRUE(terminal.expect("ready")) << terminal.seen();
  terminal.resize(40, 123);
  EXPECT_TRUE(terminal.expect("had-WINCH 40 123")) << terminal.seen();
  terminal.type("\x1c");
  EXPECT_EQ(terminal.wait(), 9);
}

TEST_P(SharedTerminal, CtrlCInterruptsTheCommand) {
  Terminal terminal(host, {kRunner, "--", "bash", "-c", "echo ready; exec sleep 1000"});
  ASSERT_TRUE(terminal.expect("ready")) << terminal.seen();
  terminal.type("\x03");
  EXPECT_TRUE(terminal.expect("killed by signal 2")) << terminal.seen();
  EXPECT_EQ(terminal.wait(), 128 + SIGINT);
}

TEST_P(SharedTerminal, ACommandMaySurviveCtrlCAndCtrlBackslash) {
  Terminal terminal(host, {kRunner, "--", kProbe, "survive"});
  ASSERT_TRUE(terminal.expect("ready")) << terminal.seen();
  for (int i = 0; i < 3; ++i) {
    terminal.type("\x03");
    ASSERT_TRUE(terminal.expect("had-INT")) << terminal.seen();
  }
  terminal.type("\x1c");
  EXPECT_TRUE(terminal.expect("had-QUIT")) << terminal.seen();
  EXPECT_EQ(terminal.wait(), 9);
}

TEST_P(SharedTerminal, CtrlZStopsTheWholeJobAndFgResumesIt) {
  Terminal shell(host, {"/bin/bash", "--norc", "-i"});
  shell.type("PS1='prompt''> '\n");
  ASSERT_TRUE(shell.expect("prompt> ")) << shell.seen();
  shell.type(kRunner + " -- bash -c 'echo re''ady; read line; echo \"got $line\"; exit 4'\n");
  ASSERT_TRUE(shell.expect("ready\r\n")) << shell.seen();
  shell.type("\x1a");
  ASSERT_TRUE(shell.expect("Stopped")) << shell.seen();
  ASSERT_TRUE(shell.expect("prompt> ")) << shell.seen();
  // weir may stop a moment before the command does, which until then could still read what is typed.
  ASSERT_TRUE(shell.stopped(3));  // weir, bubblewrap, bash; process 1 of a pid namespace cannot be stopped
  shell.type("echo between=$((2+3))\n");
  ASSERT_TRUE(shell.expect("between=5")) << shell.seen();
  shell.type("fg\n");
  ASSERT_TRUE(shell.expect("launch_runner")) << shell.seen();
  shell.type("some words\n");
  ASSERT_TRUE(shell.expect("got some words")) << shell.seen();
  ASSERT_TRUE(shell.expect("prompt> ")) << shell.seen();
  shell.type("echo status=$?\n");
  EXPECT_TRUE(shell.expect("status=4")) << shell.seen();
  shell.type("exit\n");
  shell.wait();
}

TEST_P(SharedTerminal, AnInteractiveShellWorksInside) {
  Terminal terminal(host, {kRunner, "--", "bash", "--norc", "-i"});
  terminal.type("PS1='inner''> '\n");
  ASSERT_TRUE(terminal.expect("inner> ")) << terminal.seen();
  EXPECT_EQ(terminal.seen().find("no job control"), std::string::npos) << terminal.seen();
  terminal.type("sh -c 'echo job-re\"\"ady; exec sleep 1000'\n");
  ASSERT_TRUE(terminal.expect("job-ready")) << terminal.seen();
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.expect("Stopped")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("inner> ")) << terminal.seen();
  terminal.type("echo st\"\"ill-here; kill -9 %1\n");
  ASSERT_TRUE(terminal.expect("still-here")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("inner> ")) << terminal.seen();
  // The first is refused when the shell has not yet noticed that its job is dead.
  terminal.type("exit 6\nexit 6\n");
  EXPECT_EQ(terminal.wait(), 6) << terminal.seen();
}

TEST_P(SharedTerminal, AScriptCanReadTheTerminalAfterAnInteractiveShellRanInside) {
  Terminal terminal(host, {"/bin/bash", "-c", kRunner + " -- bash --norc -i; read -r line; echo \"script read $line\""});
  terminal.type("PS1='inner''> '\n");
  ASSERT_TRUE(terminal.expect("inner> ")) << terminal.seen();
  terminal.type("exit\n");
  ASSERT_TRUE(terminal.expect("exit")) << terminal.seen();
  terminal.type("these words\n");
  EXPECT_TRUE(terminal.expect("script read these words")) << terminal.seen();
}

TEST_P(SharedTerminal, NothingInsideCanTypeIntoIt) {
  for (const char* way : {"tiocsti", "tiocsti-high", "tioclinux"}) {
    Terminal terminal(host, {kRunner, "--", kProbe, way});
    EXPECT_TRUE(terminal.expect("EPERM")) << way << ": " << terminal.seen();
    terminal.wait();
  }
}

}  // namespace
}  // namespace weir::launch
