#include "vault/store/keyring.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string_view>

#include "base/text.h"
#include "base/unique_fd.h"
#include "vault/store/key_text.h"
#include "vault/store/libsecret.h"

namespace weir::vault::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNull = nullptr;
constexpr Schema kSchema{
    .name = "weir.vault.MasterKey", .flags = 0, .attributes = {{"vault", 0}}, .reserved = 0, .more_reserved = {}};

// What the child says: one letter, then text.
enum Answer : char { kDone = 'D', kNone = 'N', kLocked = 'L', kUnavailable = 'U', kFailed = 'F' };

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// GLib would look for a bus in odder places, and start one of its own when it finds a display.
bool has_session_bus() {
  if (is_set("DBUS_SESSION_BUS_ADDRESS")) return true;
  struct stat status{};
  return is_set("XDG_RUNTIME_DIR") && ::stat((std::string(std::getenv("XDG_RUNTIME_DIR")) + "/bus").c_str(), &status) == 0 &&
         S_ISSOCK(status.st_mode);
}

std::chrono::seconds patience() { return std::chrono::seconds(is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") ? 60 : 10); }

void answer(int out, char kind, std::string_view text) {
  (void)!::write(out, &kind, 1);
  while (!text.empty()) {
    const ssize_t wrote = ::write(out, text.data(), text.size());
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

void answer_error(int out, const GlibError* error) {
  const std::string text = error != nullptr && error->message != nullptr ? error->message : "it gave no reason";
  const bool none = text.find("org.freedesktop.secrets") != std::string::npos || text.find("connect") != std::string::npos ||
                    text.find("D-Bus") != std::string::npos;
  answer(out, none ? kUnavailable : kFailed, text);
}

void read_in_child(const Libsecret& library, const char* id, int out) {
  GlibError* error = nullptr;
  char* found = library.lookup(&kSchema, nullptr, &error, "vault", id, kNull);
  if (error != nullptr) return answer_error(out, error);
  if (found != nullptr) {
    answer(out, kDone, found);
    library.free_text(found);
    return;
  }
  // Nothing: there is none, or the keyring stayed locked.
  const bool there =
      library.search != nullptr && library.search(&kSchema, 0, nullptr, nullptr, "vault", id, kNull) != nullptr;
  answer(out, there ? kLocked : kNone, "");
}

void write_in_child(const Libsecret& library, const char* id, const Secret& key, int out) {
  const Secret digits = key_text(key);
  Secret text = Secret::of_size(digits.size() + 1);
  std::memcpy(text.data(), digits.reveal().data(), digits.size());
  GlibError* error = nullptr;
  const int stored =
      library.store(&kSchema, "default", "Key of weir's vault", text.data(), nullptr, &error, "vault", id, kNull);
  if (error != nullptr) return answer_error(out, error);
  if (stored == 0) return answer(out, kLocked, "");
  read_in_child(library, id, out);
}

void forget_in_child(const Libsecret& library, const char* id, int out) {
  GlibError* error = nullptr;
  (void)library.clear(&kSchema, nullptr, &error, "vault", id, kNull);
  if (error != nullptr) return answer_error(out, error);
  answer(out, kDone, "");
}

// SECURITY: G2, nothing of the parent's is open here but the pipe, nothing is dumped, and it ends with its parent.
[[noreturn]] void be_child(int out, pid_t parent, const std::function<void(const Libsecret&, int)>& work) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  (void)std::signal(SIGPIPE, SIG_IGN);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream <= 2; ++stream) (void)::dup2(null, stream);
  const int kept = ::fcntl(out, F_DUPFD_CLOEXEC, 3);
  if (kept < 0) ::_exit(1);
  if (kept > 3) (void)::close_range(3, static_cast<unsigned>(kept) - 1, 0);
  (void)::close_range(static_cast<unsigned>(kept) + 1, ~0U, 0);
  Libsecret library{};
  std::string why;
  if (library.load(why))
    work(library, kept);
  else
    answer(kept, kUnavailable, why);
  ::_exit(0);
}

// All that the child says; false when time is up.
bool collect(int in, Clock::time_point deadline, Secret& text) {
  std::size_t size = 0;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd end{in, POLLIN, 0};
    const int ready = ::poll(&end, 1, static_cast<int>(left));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ready < 0 ? 0 : ::read(in, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || size + static_cast<std::size_t>(got) == text.size()) {
      text.shrink(size + static_cast<std::size_t>(got > 0 ? got : 0));
      return true;
    }
    size += static_cast<std::size_t>(got);
  }
}

std::unexpected<Error> why_not(std::string_view said) {
  const std::string text = printable(said.empty() ? said : said.substr(1), 300);
  switch (said.empty() ? '\0' : said.front()) {
    case kNone:
      return fail("keyring_no_key",
                  "the desktop keyring has no key for this vault, or is locked; it must be the keyring of the user and the "
                  "machine where the vault was made");
    case kLocked:
      return fail("keyring_locked",
                  "the desktop keyring is locked and was not unlocked; unlock it (by logging in to the desktop, or "
                  "gnome-keyring-daemon --unlock) and try again");
    case kUnavailable:
      return fail("keyring_unavailable", "there is no desktop keyring to be had here: " + text);
    case kFailed:
      return fail("keyring_failed", "the desktop keyring refused: " + text);
    default:
      return fail("keyring_failed", "the program that asks the desktop keyring ended without an answer");
  }
}

// Runs `work` in a child and gives what stands behind its kDone.
Result<Secret> ask(const std::function<void(const Libsecret&, int)>& work) {
  if (!has_session_bus())
    return fail("keyring_unavailable",
                "there is no desktop keyring to be had here: no D-Bus session (neither $DBUS_SESSION_BUS_ADDRESS nor "
                "$XDG_RUNTIME_DIR/bus is there); log in to a desktop, or start weir by dbus-run-session");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("keyring_failed", "cannot make a pipe", errno);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const auto limit = patience();
  const auto deadline = Clock::now() + limit;
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("keyring_failed", "cannot start a process", errno);
  if (child == 0) be_child(out.get(), self, work);
  out.reset();
  Secret said = Secret::of_size(4096);
  const bool in_time = collect(in.get(), deadline, said);
  ::kill(child, SIGKILL);  // it has said all it had to say; not yet reaped, so the number is its own
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time)
    return fail("keyring_slow", "the desktop keyring did not answer within " + std::to_string(limit.count()) +
                                    " seconds: it is locked, perhaps, and waits for its password; unlock it and try again");
  if (said.empty() || said.reveal().front() != kDone) return why_not(said.reveal());
  return Secret(said.reveal().substr(1));
}

}  // namespace

Result<Secret> keyring_read(const std::string& vault_id) {
  const auto text = ask([&](const Libsecret& library, int out) { read_in_child(library, vault_id.c_str(), out); });
  if (!text) return std::unexpected(text.error());
  auto key = parse_key_text(text->reveal());
  if (!key)
    return fail("vault_key_invalid", "the desktop keyring's item for this vault does not hold 64 hexadecimal digits");
  return std::move(*key);
}

Result<void> keyring_write(const std::string& vault_id, const Secret& key) {
  const auto text = ask([&](const Libsecret& library, int out) { write_in_child(library, vault_id.c_str(), key, out); });
  if (!text) return std::unexpected(text.error());
  const auto kept = parse_key_text(text->reveal());
  if (!kept || kept->reveal() != key.reveal())
    return fail("keyring_failed", "the desktop keyring did not give back the key that it was given");
  return {};
}

Result<void> keyring_forget(const std::string& vault_id) {
  if (auto done = ask([&](const Libsecret& library, int out) { forget_in_child(library, vault_id.c_str(), out); }); !done)
    return std::unexpected(done.error());
  return {};
}

}  // namespace weir::vault::store
