// The question on the terminal, asked on a pseudo-terminal that this test holds the other end of.
#include "vault/passphrase.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"

namespace weir::vault {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Asked {
  std::string screen;  // all that the terminal showed
  std::string answer;  // what the child got, or its error's code after '!'
  bool echo_after = false;
};

// Asks in a child whose controlling terminal is ours, and types `keys` once the question is on the screen.
Asked ask(const std::string& keys) {
  int answers[2];
  EXPECT_EQ(pipe(answers), 0);
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
  if (child == 0) {
    const auto got = ask_on_terminal("Passphrase: ");
    const std::string text = got ? std::string(got->reveal()) : "!" + got.error().code;
    (void)!write(answers[1], text.data(), text.size());
    termios now{};
    tcgetattr(0, &now);
    _exit((now.c_lflag & ECHO) != 0 && (now.c_lflag & ICANON) != 0 && (now.c_lflag & ISIG) != 0 ? 7 : 0);
  }
  close(answers[1]);
  const UniqueFd terminal(master);
  const UniqueFd answer(answers[0]);
  Asked result;
  bool typed = false;
  char buffer[4096];
  for (;;) {
    pollfd wait{.fd = master, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, 10'000) <= 0) break;
    const ssize_t got = read(master, buffer, sizeof buffer);
    if (got <= 0) break;
    result.screen.append(buffer, static_cast<std::size_t>(got));
    if (!typed && result.screen.find("Passphrase: ") != std::string::npos) {
      typed = true;
      std::size_t sent = 0;
      while (sent < keys.size()) {
        const ssize_t wrote = write(master, keys.data() + sent, std::min<std::size_t>(keys.size() - sent, 1000));
        if (wrote <= 0) break;
        sent += static_cast<std::size_t>(wrote);
      }
    }
  }
  ssize_t got = 0;
  while ((got = read(answer.get(), buffer, sizeof buffer)) > 0) result.answer.append(buffer, static_cast<std::size_t>(got));
  int status = 0;
  waitpid(child, &status, 0);
  result.echo_after = WIFEXITED(status) && WEXITSTATUS(status) == 7;
  return result;
}

TEST(TerminalQuestion, IsAnsweredWithoutEcho) {
  const auto asked = ask("hunter2 \xc3\xbc\r");
  EXPECT_EQ(asked.answer, "hunter2 \xc3\xbc");
  EXPECT_THAT(asked.screen, Not(HasSubstr("hunter2")));
  EXPECT_TRUE(asked.echo_after);
}

TEST(TerminalQuestion, TakesLinesLongerThanTheKernelsLineDisciplineDoes) {
  const std::string token(9000, 'x');
  EXPECT_EQ(ask(token + "\n").answer, token);
}

TEST(TerminalQuestion, KeepsTheEditingKeys) {
  EXPECT_EQ(ask("abx\x7f"
                "c\r")
                .answer,
            "abc");
  EXPECT_EQ(ask("wrong\x15right\r").answer, "right");
  EXPECT_EQ(ask("\x7f\x7f"
                "a\r")
                .answer,
            "a");
}

TEST(TerminalQuestion, CanBeLeftAndLeavesTheTerminalAsItWas) {
  for (const char* keys : {"half\x03", "\x04", "half\x1c"}) {
    const auto asked = ask(keys);
    EXPECT_EQ(asked.answer, "!cancelled");
    EXPECT_TRUE(asked.echo_after);
  }
}

TEST(TerminalQuestion, WithoutATerminalIsAnError) {
  int answers[2];
  ASSERT_EQ(pipe(answers), 0);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const auto got = ask_on_terminal("Passphrase: ");
    const std::string text = got ? "answered" : got.error().code;
    (void)!write(answers[1], text.data(), text.size());
    _exit(0);
  }
  close(answers[1]);
  char buffer[64] = {};
  EXPECT_GT(read(answers[0], buffer, sizeof buffer - 1), 0);
  EXPECT_STREQ(buffer, "no_terminal");
  close(answers[0]);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace weir::vault
