// A keeper in miniature for the tests: makes a room, starts a command in it, ends as the command ended. So that a test
// can put a terminal, another user or another environment round it.
//   launch_runner [--mount SOURCE:TARGET[:rw]] [--hide TARGET] [--env NAME[=VALUE]] [--forward-term] [--time N] -- COMMAND…
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "launch/sandbox.h"
#include "netns/room.h"

namespace {

int complain(const weir::Error& error) {
  std::fprintf(stderr, "launch_runner: %s: %s\n", error.code.c_str(), error.message.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace weir;
  launch::SandboxSpec spec;
  spec.ignored_signals = launch::ignored_signals();
  char* here = getcwd(nullptr, 0);
  spec.working_directory = here;
  std::free(here);
  spec.ca_certificate_pem = "-----BEGIN CERTIFICATE-----\nthe sandbox's own\n-----END CERTIFICATE-----\n";
  spec.sandbox_id = "sbx_test";
  int repeat = 1;
  int at = 1;
  for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at) {
    const std::string option = argv[at];
    if (option == "--mount") {
      std::string text = argv[++at];
      launch::Mount mount;
      if (text.ends_with(":rw")) {
        mount.mode = launch::Mount::Mode::read_write;
        text.resize(text.size() - 3);
      }
      mount.source = text.substr(0, text.find(':'));
      mount.target = text.substr(text.find(':') + 1);
      spec.mounts.push_back(mount);
    } else if (option == "--hide") {
      launch::Mount mount;
      mount.hidden = true;
      mount.target = argv[++at];
      spec.mounts.push_back(mount);
    } else if (option == "--content") {
      launch::Mount mount;
      mount.target = argv[++at];
      mount.content = argv[++at];
      spec.mounts.push_back(mount);
    } else if (option == "--env") {
      const std::string text = argv[++at];
      const auto equals = text.find('=');
      if (equals == text.npos)
        spec.pass_environment.push_back(text);
      else
        spec.environment[text.substr(0, equals)] = text.substr(equals + 1);
    } else if (option == "--time") {
      repeat = std::atoi(argv[++at]);
    } else {
      return 2;
    }
  }
  for (++at; at < argc; ++at) spec.command.emplace_back(argv[at]);

  sigset_t forwarded;
  sigemptyset(&forwarded);
  for (const int number : {SIGTERM, SIGUSR1}) sigaddset(&forwarded, number);
  sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  const int signals = signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK);
  signal(SIGINT, [](int) {});  // the terminal's: the command has it too
  signal(SIGQUIT, [](int) {});

  auto room = netns::make_room();
  if (!room) return complain(room.error());
  launch::ExitStatus status;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < repeat; ++i) {
    auto sandbox = launch::start_sandbox(spec, room->user_namespace.get(), room->network_namespace.get());
    if (!sandbox) return complain(sandbox.error());
    for (;;) {
      pollfd ready[2] = {{sandbox->pid_fd(), POLLIN, 0}, {signals, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0) continue;
      signalfd_siginfo seen{};
      if (ready[1].revents != 0 && read(signals, &seen, sizeof seen) == sizeof seen)
        sandbox->send_signal(static_cast<int>(seen.ssi_signo));
      if (ready[0].revents != 0) break;
    }
    status = sandbox->wait();
  }
  if (repeat > 1) {
    const auto took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%.2f ms each\n", std::chrono::duration<double, std::milli>(took).count() / repeat);
  }
  if (!status.problem.empty()) std::fprintf(stderr, "launch_runner: %s\n", status.problem.c_str());
  if (status.signaled) {
    std::fprintf(stderr, "launch_runner: killed by signal %d\n", status.code);
    return 128 + status.code;
  }
  return status.code;
}
