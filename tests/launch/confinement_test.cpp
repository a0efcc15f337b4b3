// Tries to get out. SECURITY: G1, G2, G6.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>

#include "base/unique_fd.h"
#include "runner.h"

namespace weir::launch {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Confinement : public ::testing::TestWithParam<bool> {
 protected:
  Host host{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(As, Confinement, ::testing::Values(false, true),
                         [](const auto& user) { return user.param ? "OrdinaryUser" : "WhoeverRunsTheTests"; });

UniqueFd listen_at(const std::string& path, bool relative_to_its_folder = false) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto before = std::filesystem::current_path();
  const std::filesystem::path whole(path);
  if (relative_to_its_folder) std::filesystem::current_path(whole.parent_path());
  std::strncpy(address.sun_path, relative_to_its_folder ? whole.filename().c_str() : path.c_str(),
               sizeof address.sun_path - 1);
  const bool ok = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(fd.get(), 8) == 0;
  if (relative_to_its_folder) std::filesystem::current_path(before);
  chmod(path.c_str(), 0777);
  return ok ? std::move(fd) : UniqueFd();
}

TEST_P(Confinement, HostSocketsInTheProjectCannotBeConnectedTo) {
  std::filesystem::create_directories(host.project() + "/a/b/c/d/e");
  const std::string plain = host.project() + "/docker.sock";
  const std::string deep = host.project() + "/a/b/c/d/e/agent.sock";
  const UniqueFd one = listen_at(plain);
  const UniqueFd two = listen_at(deep);
  const UniqueFd three = listen_at(host.project() + "/a/relative.sock", true);
  ASSERT_TRUE(one && two && three);
  EXPECT_THAT(probe(host, {"connect", plain}), AnyOf("ECONNREFUSED", "EACCES"));
  EXPECT_THAT(probe(host, {"connect", deep}), AnyOf("ECONNREFUSED", "EACCES"));
  EXPECT_THAT(probe(host, {"connect", host.project() + "/a/relative.sock"}), AnyOf("ECONNREFUSED", "EACCES"));
  EXPECT_THAT(probe(host, {"connect", "a/relative.sock"}), AnyOf("ECONNREFUSED", "EACCES"));
}

TEST_P(Confinement, SocketsMadeInsideWork) {
  const Outcome outcome = run_shell(host,
                                    "/usr/bin/python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.bind(\"s\"); "
                                    "s.listen(); c=socket.socket(socket.AF_UNIX); c.connect(\"s\")'");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

TEST_P(Confinement, AbstractSocketsOfTheHostAreNotThere) {
  const std::string name = "weir-launch-test-" + std::to_string(getpid());
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path + 1, name.c_str(), sizeof address.sun_path - 2);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  ASSERT_EQ(listen(fd.get(), 1), 0);
  EXPECT_EQ(probe(host, {"connect-abstract", name}), "ECONNREFUSED");
}

TEST_P(Confinement, OnlySocketFamiliesOfTheNetworkNamespaceAreThere) {
  for (const int family :
       {AF_VSOCK, AF_BLUETOOTH, AF_PACKET, AF_ALG, AF_TIPC, AF_RDS, AF_CAN, AF_QIPCRTR, AF_XDP, 60, 128, 1 << 20}) {
    EXPECT_EQ(probe(host, {"socket", std::to_string(family)}), "EAFNOSUPPORT") << family;
    EXPECT_EQ(probe(host, {"socket-high", std::to_string(family)}), "EAFNOSUPPORT") << family;
  }
  EXPECT_EQ(probe(host, {"tipc-pair"}), "EAFNOSUPPORT");
  for (const int family : {AF_UNIX, AF_INET, AF_INET6})
    EXPECT_EQ(probe(host, {"socket", std::to_string(family)}), "ok") << family;
}

TEST_P(Confinement, RefusesDangerousSystemCalls) {
  for (const char* call : {"keyctl", "add_key", "bpf", "perf", "userfaultfd", "handle"})
    EXPECT_EQ(probe(host, {call}), "EPERM") << call;
  for (const char* call : {"io_uring", "x32"}) EXPECT_EQ(probe(host, {call}), "ENOSYS") << call;
  EXPECT_THAT(probe(host, {"i386"}),
              AnyOf("ENOSYS", HasSubstr("killed by signal 11")));  // the latter: no 32-bit entry in this kernel
}

TEST_P(Confinement, LeavesNoSetUserIdFiles) {
  for (const char* way : {"setuid-file", "setuid-chmod", "setuid-fchmodat2"}) {
    EXPECT_EQ(probe(host, {way, host.project() + "/" + way}), "EPERM");
    struct stat status{};
    EXPECT_TRUE(stat((host.project() + "/" + way).c_str(), &status) != 0 || (status.st_mode & S_ISUID) == 0);
  }
}

TEST_P(Confinement, SystemSecretsCannotBeRead) {
  for (const char* path :
       {"/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssl/private"})
    EXPECT_THAT(probe(host, {"open", path}), AnyOf("EACCES", "ENOENT")) << path;
  const Outcome outcome =
      run_shell(host, "unshare -Ur bash -c 'cat /etc/shadow; find /etc -type f ! -perm -004 | head' 2>&1");
  EXPECT_THAT(outcome.out, Not(HasSubstr("root:")));
  EXPECT_THAT(run_shell(host, "find /etc -type f ! -perm -004 -readable").out, "");
}

TEST_P(Confinement, KernelSettingsCannotBeChanged) {
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward",
                           "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/dynamic_debug/control", "/proc/mtrr",
                           "/proc/sys/vm/drop_caches"})
    EXPECT_THAT(probe(host, {"open-write", path}), AnyOf("EROFS", "EACCES", "ENOENT", "EPERM")) << path;
  for (const char* path : {"/proc/kcore", "/proc/kmsg", "/proc/kpageflags"})
    EXPECT_THAT(probe(host, {"open", path}), AnyOf("EACCES", "ENOENT", "EPERM")) << path;
}

TEST_P(Confinement, ANestedUserNamespaceWorksAndGivesNothing) {
  const Outcome works = run_shell(host, "unshare -Ur id -u");
  EXPECT_EQ(works.out, "0\n") << works.err;
  const Outcome outcome =
      run_shell(host,
                "unshare -Urmpf bash -c '"
                "mount -t proc proc /proc && echo core > /proc/sys/kernel/core_pattern && echo WROTE;"
                "for p in /proc/sys /proc /etc/shadow /etc /; do umount $p; umount -l $p; done;"
                "echo core > /proc/sys/kernel/core_pattern && echo WROTE; touch /usr/x && echo WROTE;"
                "mount -o remount,rw /usr && touch /usr/x && echo WROTE; mount -o remount,rw,bind /proc/sys && echo WROTE;"
                "mount -t sysfs s /tmp && echo WROTE; mount -t cgroup2 c /tmp && echo WROTE; unshare -C true && mount -t "
                "cgroup2 c /tmp && ls /tmp/cgroup.procs && echo CGROUP;"
                "head -c1 /etc/shadow && echo READ' 2>&1");
  EXPECT_THAT(outcome.out, Not(HasSubstr("WROTE")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("READ")));
  if (host.as_root()) {
    EXPECT_THAT(outcome.out, Not(HasSubstr("CGROUP")));
  }
}

TEST_P(Confinement, BubblewrapWorksInside) {
  const Outcome outcome = run_shell(host, "bwrap --ro-bind / / --dev /dev --unshare-pid --unshare-net echo nested");
  EXPECT_EQ(outcome.out, "nested\n") << outcome.err;
}

TEST_P(Confinement, OutsideProcessesAreOutOfReach) {
  const std::string outside = std::to_string(getpid());
  EXPECT_EQ(probe(host, {"signal", outside}), "ESRCH");
  EXPECT_EQ(probe(host, {"ptrace", outside}), "ESRCH");
  EXPECT_NE(run_shell(host, "ls /proc/" + outside).status, 0);
}

TEST_P(Confinement, Process1CannotBeReadOrTraced) {
  EXPECT_EQ(probe(host, {"ptrace", "1"}), "EPERM");
  for (const char* path : {"/proc/1/mem", "/proc/1/environ", "/proc/1/fd/0"})
    EXPECT_THAT(probe(host, {"open", path}), AnyOf("EACCES", "ENOENT")) << path;
  EXPECT_NE(run_shell(host, "readlink /proc/1/fd/0 || readlink /proc/1/exe || readlink /proc/1/cwd").status, 0);
  EXPECT_THAT(run_shell(host, "unshare -Ur bash -c 'ls /proc/1/root/ && echo IN'; kill -9 1; kill -TERM 1; echo alive").out,
              "alive\n");
}

}  // namespace
}  // namespace weir::launch
