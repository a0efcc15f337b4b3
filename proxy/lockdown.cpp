#include "proxy/lockdown.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

#include "base/unique_fd.h"

namespace weir::proxy {
namespace {

Result<void> drop_user() {
  if (geteuid() != 0) return {};
  constexpr uid_t kNobody = 65534;
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
    return fail_errno("lockdown_failed", "cannot become an unprivileged user", errno);
  // A change of user clears the parent-death signal (prctl(2)).
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail_errno("lockdown_failed", "cannot set the parent-death signal", errno);
  return {};
}

// What later kernels added to <linux/landlock.h> of Debian 12, by their ABI (landlock(7)).
constexpr std::uint64_t kFsTruncate = 1ULL << 14;  // ABI 3
constexpr std::uint64_t kFsIoctlDev = 1ULL << 15;  // ABI 5
constexpr std::uint64_t kNetBindTcp = 1ULL << 0;   // ABI 4
constexpr std::uint64_t kScopeAbstractUnix = 1ULL << 0;  // ABI 6
constexpr std::uint64_t kScopeSignal = 1ULL << 1;        // ABI 6
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

Result<void> close_file_system() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return {};  // not in this kernel; seccomp below refuses open and its kin
  RulesetAttributes attributes{};
  attributes.handled_access_fs = (1ULL << 13) - 1;  // ABI 1
  if (abi >= 2) attributes.handled_access_fs |= 1ULL << 13;  // REFER
  if (abi >= 3) attributes.handled_access_fs |= kFsTruncate;
  if (abi >= 5) attributes.handled_access_fs |= kFsIoctlDev;
  if (abi >= 4) attributes.handled_access_net = kNetBindTcp;
  if (abi >= 6) attributes.scoped = kScopeAbstractUnix | kScopeSignal;
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset) return fail_errno("lockdown_failed", "cannot make a Landlock ruleset", errno);
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return fail_errno("lockdown_failed", "cannot apply the Landlock ruleset", errno);
  return {};
}

struct FilterFree {
  void operator()(void* filter) const { seccomp_release(filter); }
};

Result<void> filter_system_calls() {
  // Anything not listed fails with EPERM; what only an attacker would try ends the process.
  const std::unique_ptr<void, FilterFree> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fail("lockdown_failed", "cannot make a seccomp filter");
  bool ok = true;
  const auto allow = [&](int call) { ok = ok && seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) == 0; };
  for (const int call :
       {// the event loop
        SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll),
        // sockets
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg),
        SCMP_SYS(sendmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(bind),
        // memory
        SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(munlock),
        // time, randomness, the end
        SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(getpid),
        SCMP_SYS(gettid), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
        SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(sched_yield), SCMP_SYS(getuid), SCMP_SYS(geteuid),
        SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(rseq)})
    allow(call);
  const auto allow_if = [&](int call, scmp_arg_cmp condition) {
    ok = ok && seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, condition) == 0;
  };
  // Upstream sockets only: no Unix, netlink, packet or vsock sockets.
  for (const int family : {AF_INET, AF_INET6})
    allow_if(SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)));
  for (const int command : {F_GETFL, F_SETFL, F_GETFD, F_SETFD})
    allow_if(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
  for (const unsigned request : {0x5421U /* FIONBIO */, 0x541BU /* FIONREAD */})
    allow_if(SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFU, request));
  // No memory that is executable, now or later.
  constexpr scmp_datum_t kExecutable = 4;  // PROT_EXEC
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    ok = ok && seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, kExecutable, 0)) == 0;
  for (const int call : {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
                         SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount)})
    ok = ok && seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0) == 0;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // The sanitizers' run time reads its own maps, and tries memory through a pipe; without these its reports would be lost or wrong.
  for (const int call : {SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(newfstatat), SCMP_SYS(readlink), SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(prctl)}) allow(call);
#endif
  if (!ok) return fail("lockdown_failed", "cannot build the seccomp filter");
  if (const int failed = seccomp_load(filter.get()); failed != 0)
    return fail_errno("lockdown_failed", "cannot install the seccomp filter", -failed);
  return {};
}

}  // namespace

Result<void> lock_down() {
  if (auto done = drop_user(); !done) return done;
  const rlimit no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
    return fail_errno("lockdown_failed", "cannot forbid core dumps", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("lockdown_failed", "cannot set no-new-privs", errno);
  if (auto done = close_file_system(); !done) return done;
  return filter_system_calls();
}

}  // namespace weir::proxy
