// make_room() as a function: what it gives, what it leaves, how it fails.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <thread>

#include "netns/dns_socket.h"
#include "netns/firewall.h"
#include "netns/loopback.h"
#include "tests/netns/room_probe.h"

namespace weir::netns {
namespace {

using testing::HasSubstr;

int open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

TEST_F(InARoom, SocketsDoNotBlockAndAllIsCloseOnExec) {
  for (const UniqueFd* fd : {&room.tcp_listener, &room.dns_udp, &room.dns_tcp, &room.drop_log})
    EXPECT_TRUE(fcntl(fd->get(), F_GETFL) & O_NONBLOCK);
  for (const UniqueFd* fd :
       {&room.user_namespace, &room.network_namespace, &room.tcp_listener, &room.dns_udp, &room.dns_tcp, &room.drop_log})
    EXPECT_TRUE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(InARoom, TheCallerIsRootInTheRoomAndNobodyElse) {
  EXPECT_EQ(
      in_room(room,
              [] { return std::to_string(getuid()) + " " + std::to_string(getgid()) + " " + std::to_string(setuid(1)); }),
      "0 0 -1");
}

TEST(MakeRoom, LeavesNeitherDescriptorsNorChildrenBehind) {
  ASSERT_TRUE(make_room().has_value());
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(make_room().has_value());
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(MakeRoom, LeavesTheSignalMaskAsItWas) {
  sigset_t before;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  ASSERT_TRUE(make_room().has_value());
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal) EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal));
}

TEST(MakeRoom, WorksWhenChildrenAreReapedByTheKernel) {
  EXPECT_EQ(Child([]() -> std::string {
              signal(SIGCHLD, SIG_IGN);
              return make_room() ? "made" : "failed";
            }).result(),
            "made");
}

TEST(MakeRoom, WorksInAProcessWithThreadsThatUseTheHeap) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!stop) std::string(1000, 'x').append(std::string(5000, 'y'));
    });
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(make_room().has_value());
  stop = true;
  for (std::thread& each : threads) each.join();
}

TEST(MakeRoom, WorksForAProcessThatIsNotDumpable) {
  EXPECT_EQ(Child([]() -> std::string {
              prctl(PR_SET_DUMPABLE, 0);
              const auto room = make_room();
              if (!room) return room.error().message;
              return prctl(PR_GET_DUMPABLE) == 0 ? "made" : "became dumpable";
            }).result(),
            "made");
}

TEST(MakeRoom, WorksInsideAnotherRoom) {
  const auto outer = make_room();
  ASSERT_TRUE(outer.has_value());
  EXPECT_EQ(in_room(*outer,
                    []() -> std::string {
                      const auto room = make_room();
                      return room ? "made" : room.error().message;
                    }),
            "made");
}

TEST(MakeRoom, NamesTheSettingThatForbidsUserNamespaces) {
  const auto outer = make_room();  // the limit is one of each user namespace: that of this room is set
  ASSERT_TRUE(outer.has_value());
  const std::string result = in_room(*outer, []() -> std::string {
    if (!write_text("/proc/sys/user/max_user_namespaces", "0")) return "skip";
    const auto room = make_room();
    return room ? "made" : room.error().code + " " + room.error().message;
  });
  if (result == "skip") GTEST_SKIP() << "/proc/sys cannot be written here";
  EXPECT_THAT(result, HasSubstr("namespace_refused"));
  EXPECT_THAT(result, HasSubstr("user.max_user_namespaces is 0"));
  EXPECT_THAT(result, HasSubstr("sudo sysctl"));
  EXPECT_THAT(result, HasSubstr("weir doctor"));
}

// In a child whose system call `call` fails with `error` when its argument `index` is `value`.
std::string without(int call, unsigned index, std::uint64_t value, int error, const std::function<std::string()>& body) {
  return Child([&]() -> std::string {
           scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
           const scmp_arg_cmp compare{index, SCMP_CMP_EQ, value, 0};
           seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, 1, &compare);
           if (seccomp_load(filter) != 0) return "seccomp";
           seccomp_release(filter);
           return body();
         })
      .result();
}

std::string make_and_explain() {
  const auto room = make_room();
  return room ? "made" : room.error().code + " " + room.error().message;
}

TEST(MakeRoom, SaysThatNamespacesAreRefusedInAContainer) {
  const std::string result = without(SCMP_SYS(unshare), 0, CLONE_NEWUSER | CLONE_NEWNET, EPERM, make_and_explain);
  EXPECT_THAT(result,
              HasSubstr("namespace_refused the kernel refused a user and network namespace: Operation not permitted."));
}

TEST(MakeRoom, FailsWithAClearErrorWhenNetfilterIsMissing) {
  const std::string result = without(SCMP_SYS(socket), 2, NETLINK_NETFILTER, EPROTONOSUPPORT, make_and_explain);
  EXPECT_THAT(result, HasSubstr("firewall_refused the kernel refused NFLOG group 1"));
  EXPECT_THAT(result, HasSubstr("modprobe"));
}

TEST(MakeRoom, GivesAnIpv4RoomWhereTheKernelHasNoIpv6) {
  EXPECT_EQ(without(SCMP_SYS(socket), 0, AF_INET6, EAFNOSUPPORT,
                    []() -> std::string {
                      const auto room = make_room();
                      if (!room) return room.error().message;
                      Child client(entering(*room, [] { return dial("203.0.113.5", 443); }));
                      const std::string arrived = arrived_for(room->tcp_listener);
                      Child asker(entering(*room, []() -> std::string {
                        const Endpoint to = endpoint("8.8.8.8", 53);
                        const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
                        if (connect(fd.get(), to.get(), to.size) != 0 || send(fd.get(), "q", 1, 0) != 1) return error_name();
                        char answer = 0;
                        return readable(fd.get()) && recv(fd.get(), &answer, 1, 0) == 1 ? std::string(1, answer)
                                                                                        : "no answer";
                      }));
                      std::array<char, 16> buffer;
                      if (!readable(room->dns_udp.get())) return "no query";
                      const auto query = receive_datagram(room->dns_udp.get(), buffer);
                      if (!query) return query.error().message;
                      if (const auto sent = reply_datagram(room->dns_udp.get(), "a", query->path); !sent)
                        return sent.error().message;
                      return arrived + " " + asker.result();
                    }),
            "203.0.113.5 443 a");
}

TEST_F(InARoom, ARefusedRuleIsNamed) {
  const NetlinkBatch again = firewall_setup();
  const std::string step = in_room(room, [&]() -> std::string {
    const UniqueFd fd(open_netlink(NETLINK_NETFILTER));
    const NetlinkOutcome outcome = run_batch(fd.get(), again);  // the table is there already
    return std::to_string(outcome.error) + " " + again.steps[outcome.sequence].what;
  });
  EXPECT_THAT(step, HasSubstr(std::to_string(EEXIST) + " the nftables table `inet weir`"));
}

TEST_F(InARoom, LoWithoutIpv6IsNoError) {
  const NetlinkBatch setup = loopback_setup();
  const std::string result = in_room(room, [&]() -> std::string {
    if (unshare(CLONE_NEWNET) != 0) return error_name();
    if (!write_text("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1")) return "skip";
    const UniqueFd fd(open_netlink(NETLINK_ROUTE));
    const NetlinkOutcome outcome = run_batch(fd.get(), setup);
    return std::to_string(outcome.error) + " " + setup.steps[outcome.sequence].what;
  });
  if (result == "skip") GTEST_SKIP() << "/proc/sys cannot be written here";
  EXPECT_THAT(result, HasSubstr("0 "));
}

TEST(EnterRoom, GivesTheErrorForDescriptorsThatAreNoNamespaces) {
  EXPECT_EQ(Child([] { return std::to_string(enter_room(-1, -1)); }).result(), std::to_string(EBADF));
}

TEST(OriginalDestination, IsAnErrorForAConnectionThatWasNeverRedirected) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(original_destination(fd.get()).error().code, "original_destination_failed");
  EXPECT_EQ(original_destination(-1).error().code, "original_destination_failed");
}

}  // namespace
}  // namespace weir::netns
