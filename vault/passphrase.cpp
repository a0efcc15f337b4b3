#include "vault/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/file.h"
#include "base/unique_fd.h"

namespace weir::vault {
namespace {

constexpr const char* kVariable = "WEIR_VAULT_PASSPHRASE_FILE";
constexpr std::size_t kMaxLine = 64U * 1024;

// The terminal as it was, whatever happens in between. Not line by line: the kernel's line discipline cuts a line at
// 4096 octets, and some tokens are longer. No signal characters: a ^C must not leave the echo off.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd), changed_(tcgetattr(fd, &before_) == 0) {
    if (!changed_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    (void)tcsetattr(fd, TCSAFLUSH, &quiet);
  }
  ~QuietTerminal() {
    if (changed_) (void)tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  int fd_;
  termios before_{};
  bool changed_;
};

void say(int terminal, std::string_view text) { (void)!::write(terminal, text.data(), text.size()); }

// With the line discipline off, its editing keys are ours to keep.
Result<Secret> read_line(int terminal) {
  Secret line = Secret::of_size(kMaxLine);
  std::size_t size = 0;
  for (;;) {
    char c = 0;
    const ssize_t got = ::read(terminal, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail("cancelled", "the terminal closed before the line was complete");
    if (c == '\n' || c == '\r') break;
    if (c == 0x03 || c == 0x1c || (c == 0x04 && size == 0)) return fail("cancelled", "cancelled; nothing was changed");
    if (c == 0x7f || c == '\b') {
      size -= size > 0 ? 1 : 0;
    } else if (c == 0x15) {
      size = 0;
    } else {
      if (size == line.size()) return fail("value_too_long", "the line is longer than 65536 octets");
      line.data()[size++] = c;
    }
    wipe(&c, sizeof c);
  }
  line.shrink(size);
  return line;
}

}  // namespace

Result<Secret> passphrase_from_file() {
  const char* path = std::getenv(kVariable);
  if (path == nullptr || *path == '\0')
    return fail("vault_locked",
                std::string("the vault is locked by a passphrase; put the passphrase in a file of mode 0600 and set $") +
                    kVariable + " to its path");
  auto passphrase = read_secret_file(path);
  if (!passphrase) return fail(passphrase.error().code, std::string("$") + kVariable + ": " + passphrase.error().message);
  if (passphrase->empty()) return fail("passphrase_empty", std::string("$") + kVariable + ": " + path + " is empty");
  return passphrase;
}

Result<Secret> passphrase_from_file_or_terminal() {
  auto passphrase = passphrase_from_file();
  if (passphrase || passphrase.error().code != "vault_locked") return passphrase;
  auto asked = ask_on_terminal("Passphrase of weir's vault: ");
  // Without a terminal the file is the only way left, and that is what its error says.
  if (!asked && asked.error().code == "no_terminal") return passphrase;
  return asked;
}

Result<Secret> ask_on_terminal(std::string_view question) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return fail("no_terminal", "there is no terminal to ask on");
  const QuietTerminal quiet(terminal.get());
  say(terminal.get(), question);
  auto line = read_line(terminal.get());
  say(terminal.get(), "\r\n");
  return line;
}

}  // namespace weir::vault
