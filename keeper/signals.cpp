#include "keeper/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace weir::keeper {

Result<Signals> Signals::catch_all() {
  Signals signals;
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP}) sigaddset(&wanted, signal);
  if (sigprocmask(SIG_BLOCK, &wanted, &signals.original_mask_) != 0) return fail_errno("signals_failed", "cannot block signals", errno);
  signals.fd_.reset(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals.fd_) return fail_errno("signals_failed", "cannot open a signal descriptor", errno);
  return signals;
}

Signals::Received Signals::next() {
  for (;;) {
    signalfd_siginfo got{};
    if (read(fd_.get(), &got, sizeof got) != sizeof got) return {};
    const bool by_process = got.ssi_code != SI_KERNEL;
    if (by_process || got.ssi_signo == SIGTSTP) return {static_cast<int>(got.ssi_signo), by_process};
  }
}

void Signals::stop_like_the_job() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  (void)raise(SIGTSTP);  // blocked: it takes effect when it is let in
  sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace weir::keeper
