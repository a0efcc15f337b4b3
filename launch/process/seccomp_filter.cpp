#include "launch/process/seccomp_filter.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

namespace weir::launch {
namespace {

constexpr std::uint64_t kLow32 = 0xffffffffU;  // the kernel looks at an int only: bits above must not hide a value

// Conditions on a system call's argument. (The header's macros for these are C only.)
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
scmp_arg_cmp above(unsigned argument, std::uint64_t limit) { return {argument, SCMP_CMP_GT, limit, 0}; }

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

// Adds rules until one fails; remembers that one.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}
  template <class... Conditions>
  void refuse(int error, int call, Conditions... conditions) {
    // A call that this architecture lacks (__NR_SCMP_ERROR or a pseudo number) needs no rule.
    if (failed_ != 0 || call == __NR_SCMP_ERROR) return;
    const int result = seccomp_rule_add(filter_, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call,
                                        sizeof...(conditions), conditions...);
    if (result != 0 && result != -EDOM) failed_ = -result;
  }
  void refuse_named(int error, const char* call) { refuse(error, seccomp_syscall_resolve_name(call)); }
  int failed() const { return failed_; }

 private:
  scmp_filter_ctx filter_;
  int failed_ = 0;
};

// Bytes pushed into the terminal's input would be read by the user's shell after the sandbox has ended.
void keep_terminal_input_clean(Rules& rules) {
  for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}})
    rules.refuse(EPERM, SCMP_SYS(ioctl), masked(1, kLow32, request));
}

// SECURITY: G1. vsock, Bluetooth, RDS, TIPC, … do not belong to a network namespace: each would be a way out of the room.
void keep_to_namespaced_sockets(Rules& rules) {
  constexpr int kHighest = 45;  // what lies above, in the register as a whole, is refused by comparison
  for (int family = 0; family <= kHighest; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    rules.refuse(EAFNOSUPPORT, SCMP_SYS(socket), masked(0, kLow32, static_cast<std::uint64_t>(family)));
    rules.refuse(EAFNOSUPPORT, SCMP_SYS(socketpair), masked(0, kLow32, static_cast<std::uint64_t>(family)));
  }
  rules.refuse(EAFNOSUPPORT, SCMP_SYS(socket), above(0, kHighest));
  rules.refuse(EAFNOSUPPORT, SCMP_SYS(socketpair), above(0, kHighest));
}

// A set-user-ID file left in the project would be a way to become the caller, on the host, afterwards.
void refuse_setuid_files(Rules& rules, std::uint64_t bit) {
  rules.refuse(EPERM, SCMP_SYS(chmod), masked(1, bit, bit));
  rules.refuse(EPERM, SCMP_SYS(fchmod), masked(1, bit, bit));
  rules.refuse(EPERM, SCMP_SYS(fchmodat), masked(2, bit, bit));
  rules.refuse(EPERM, 452 /* fchmodat2; libseccomp 2.5 has no name for it */, masked(2, bit, bit));
  rules.refuse(EPERM, SCMP_SYS(creat), masked(1, bit, bit));
  rules.refuse(EPERM, SCMP_SYS(mknod), masked(1, bit, bit));
  rules.refuse(EPERM, SCMP_SYS(mknodat), masked(2, bit, bit));
  for (const std::uint64_t makes : {std::uint64_t{O_CREAT}, std::uint64_t{O_TMPFILE} & ~std::uint64_t{O_DIRECTORY}}) {
    rules.refuse(EPERM, SCMP_SYS(open), masked(1, makes, makes), masked(2, bit, bit));
    rules.refuse(EPERM, SCMP_SYS(openat), masked(2, makes, makes), masked(3, bit, bit));
  }
}

}  // namespace

Result<UniqueFd> seccomp_filter(bool as_root) {
  const std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return fail("sandbox_failed", "cannot make a seccomp filter: out of memory");
  // Another architecture's calls have other numbers: none of the rules below would hold for them (x32, i386).
  int failed = -seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
  if (failed == 0) failed = -seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);

  Rules rules(filter.get());
  keep_terminal_input_clean(rules);
  keep_to_namespaced_sockets(rules);
  refuse_setuid_files(rules, S_ISUID);
  if (as_root) refuse_setuid_files(rules, S_ISGID);
  rules.refuse_named(ENOSYS, "openat2");  // its mode lies behind a pointer; callers fall back to openat
  // Keys belong to the user, not to a namespace.
  for (const char* call : {"keyctl", "add_key", "request_key"}) rules.refuse_named(EPERM, call);
  // io_uring would do what the rules above refuse, unseen by the filter.
  for (const char* call : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) rules.refuse_named(ENOSYS, call);
  // Much kernel to attack and nothing that a build or an agent needs.
  for (const char* call :
       {"bpf",          "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "open_by_handle_at",
        "quotactl",     "quotactl_fd",     "syslog",      "acct",       "lookup_dcookie",  "init_module",
        "finit_module", "delete_module",   "swapon",      "swapoff",    "reboot",          "nfsservctl",
        "vhangup",      "ioperm",          "iopl"})
    rules.refuse_named(EPERM, call);
  if (as_root) {
    // In a cgroup namespace of its own a process may mount the cgroup tree, whose files belong to user id 0: it could
    // freeze or kill the keeper. clone3 hides its flags behind a pointer; callers fall back to clone.
    rules.refuse(EPERM, SCMP_SYS(unshare), masked(0, CLONE_NEWCGROUP, CLONE_NEWCGROUP));
    rules.refuse(EPERM, SCMP_SYS(clone), masked(0, CLONE_NEWCGROUP, CLONE_NEWCGROUP));
    rules.refuse_named(ENOSYS, "clone3");
  }

  UniqueFd program(memfd_create("weir-seccomp", MFD_CLOEXEC));
  if (!program) return fail_errno("sandbox_failed", "cannot make an anonymous file", errno);
  if (failed == 0) failed = rules.failed();
  if (failed == 0) failed = -seccomp_export_bpf(filter.get(), program.get());
  if (failed != 0) return fail_errno("sandbox_failed", "cannot make the seccomp filter", failed);
  if (::lseek(program.get(), 0, SEEK_SET) < 0)
    return fail_errno("sandbox_failed", "cannot rewind the seccomp filter", errno);
  return program;
}

}  // namespace weir::launch
