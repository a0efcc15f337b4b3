#include "netns/room.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/message_channel.h"
#include "netns/firewall.h"
#include "netns/host_checks.h"
#include "netns/loopback.h"
#include "netns/room_child.h"

namespace weir::netns {
namespace {

// The child must not run the parent's signal handlers (they may write to the parent's pipes), so it is born with
// every signal blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

std::string step_text(const NetlinkBatch& batch, std::uint32_t step) {
  return step < batch.steps.size() ? batch.steps[step].what : "a netlink request";
}

std::string module_hint(int error) {
  if (error == ENOENT || error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT)
    return ". The running kernel has no such module, or may not load it: load it once as root with `modprobe MODULE`, or "
           "boot a kernel that has it";
  if (error == EPERM || error == EACCES) return ". " + user_namespace_refusal();
  return "";
}

std::unexpected<Error> explain(const RoomPlan& plan, const RoomReport& report) {
  const std::string because = std::string(": ") + std::strerror(report.error);
  const std::string more = ". `weir doctor` checks what this machine lacks";
  switch (report.stage) {
    case Stage::namespaces:
      return fail("namespace_refused",
                  "the kernel refused a user and network namespace" + because + ". " + user_namespace_refusal() + more);
    case Stage::user_mapping:
      return fail("namespace_refused", "the kernel refused the new user namespace's id map (/proc/self/uid_map)" + because +
                                           ". " + user_namespace_refusal() + more);
    case Stage::descriptors:
      return fail("room_failed", "cannot open /proc/self/ns/user or /proc/self/ns/net (is /proc mounted?)" + because + more);
    case Stage::loopback:
      return fail("room_failed", "the kernel refused to " + step_text(plan.loopback, report.step) +
                                     " in the new network namespace" + because + module_hint(report.error) + more);
    case Stage::listeners:
      return fail("room_failed", "cannot open weir's listening sockets in the new network namespace" + because + more);
    case Stage::firewall:
      return fail("firewall_refused", "the kernel refused " + step_text(plan.firewall, report.step) + because +
                                          module_hint(report.error) + more);
    case Stage::drop_log:
      return fail("firewall_refused", "the kernel refused " + step_text(plan.drop_log, report.step) + because +
                                          module_hint(report.error) + more);
    case Stage::done:
      break;
  }
  return fail("room_failed", "the room's helper process sent a report that makes no sense" + more);
}

Result<RoomReport> read_report(const Message& message) {
  RoomReport report;
  if (message.bytes.size() != sizeof report)
    return fail("room_failed", "the room's helper process sent a report of the wrong size");
  std::memcpy(&report, message.bytes.data(), sizeof report);
  return report;
}

}  // namespace

Result<Room> make_room() {
  const RoomPlan plan{.user = geteuid(),
                      .group = getegid(),
                      .loopback = loopback_setup(),
                      .firewall = firewall_setup(),
                      .drop_log = drop_log_setup()};
  auto channel = make_channel();
  if (!channel) return std::unexpected(channel.error());
  auto& [ours, childs] = *channel;

  pid_t child = -1;
  {
    const SignalsBlocked blocked;
    child = fork();
    if (child == 0) make_room_in_child(plan, childs.get());
  }
  if (child < 0) return fail_errno("room_failed", "cannot fork the helper process that makes the room", errno);
  childs.reset();  // so that a child that dies is seen as a closed channel
  Result<Message> message = receive_message(ours.get());
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!message) return fail("room_failed", "the helper process that makes the room died: " + message.error().message);

  const Result<RoomReport> report = read_report(*message);
  if (!report) return std::unexpected(report.error());
  auto& fds = message->descriptors;
  if (report->stage != Stage::done || fds.size() != kRoomDescriptors) return explain(plan, *report);
  return Room{.user_namespace = std::move(fds[0]),
              .network_namespace = std::move(fds[1]),
              .tcp_listener = std::move(fds[2]),
              .dns_udp = std::move(fds[3]),
              .dns_tcp = std::move(fds[4]),
              .drop_log = std::move(fds[5])};
}

int enter_room(int user_namespace, int network_namespace) {
  // The user namespace first: it gives the privileges over the network namespace that the second call needs.
  if (setns(user_namespace, CLONE_NEWUSER) != 0) return errno;
  if (setns(network_namespace, CLONE_NEWNET) != 0) return errno;
  return 0;
}

}  // namespace weir::netns
