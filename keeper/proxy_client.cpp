#include "keeper/proxy_client.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/companion_program.h"
#include "base/message_channel.h"
#include "proxy/proxy_process.h"

namespace weir::keeper {
namespace {

// In the child: nothing of the keeper's goes along. SECURITY: G5, the environment may hold keys.
[[noreturn]] void become_proxy(const char* program, int channel, pid_t keeper) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(1);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  dup2(null, 2);  // what hostile bytes made it say must not reach a terminal
#endif
  if (channel != proxy::kChannelDescriptor) dup2(channel, proxy::kChannelDescriptor);
  fcntl(proxy::kChannelDescriptor, F_SETFD, 0);
  syscall(SYS_close_range, proxy::kChannelDescriptor + 1, ~0U, 0);
  char name[] = "weir-proxy";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  execve(program, arguments, environment);
  _exit(127);
}

Result<UniqueFd> memory_file(const char* name, std::string_view bytes) {
  UniqueFd memory(memfd_create(name, MFD_CLOEXEC));
  if (!memory) return fail_errno("proxy_failed", "cannot make a memory file", errno);
  while (!bytes.empty()) {
    const ssize_t wrote = write(memory.get(), bytes.data(), bytes.size());
    if (wrote <= 0) return fail_errno("proxy_failed", "cannot fill a memory file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  lseek(memory.get(), 0, SEEK_SET);  // the receiver shares the position, and may only read
  return memory;
}

}  // namespace

Result<ProxyClient> ProxyClient::start() {
  const auto program = companion_program(proxy::kProcessName);
  if (!program) return std::unexpected(program.error());
  auto ends = make_channel();
  if (!ends) return std::unexpected(ends.error());
  ProxyClient client;
  const pid_t keeper = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("proxy_failed", "cannot start the proxy", errno);
  if (pid == 0) become_proxy(program->c_str(), ends->second.get(), keeper);
  client.pid_ = pid;
  client.pid_fd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  client.channel_ = std::move(ends->first);
  fcntl(client.channel_.get(), F_SETFL, O_NONBLOCK);
  return client;
}

ProxyClient::~ProxyClient() {
  if (pid_ > 0 && pid_fd_) {
    kill();
    wait();
  }
}

Result<void> ProxyClient::configure(const proxy::ProxyConfig& config, netns::Room& room) {
  std::string bytes = proxy::encode_config(config);
  const auto memory = memory_file("weir-config", bytes);
  wipe(bytes.data(), bytes.size());  // it holds the CA's key
  if (!memory) return std::unexpected(memory.error());
  static constexpr const char* kRoots[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
                                           "/etc/ssl/ca-bundle.pem"};
  UniqueFd roots;
  for (const char* path : kRoots) {
    roots.reset(open(path, O_RDONLY | O_CLOEXEC));
    if (roots) break;
  }
  int descriptors[6] = {memory->get(), room.tcp_listener.get(), room.dns_udp.get(), room.dns_tcp.get(), room.drop_log.get(), roots.get()};
  const auto sent = send_message(channel_.get(), "C", std::span(descriptors, roots ? 6 : 5));
  // The keeper keeps none of them: when the proxy dies, the sandbox's connections must fail and not hang (SECURITY: G4).
  room.tcp_listener.reset();
  room.dns_udp.reset();
  room.dns_tcp.reset();
  room.drop_log.reset();
  return sent;
}

void ProxyClient::send(std::string_view message) {
  // A proxy that does not read its channel is stuck or hostile: it ends, and its sandbox has no network (G4).
  const auto sent = send_message(channel_.get(), message);
  if (!sent && sent.error().code != "channel_closed") kill();
}

void ProxyClient::recorded(std::uint64_t upto) {
  std::string message(1, static_cast<char>(proxy::Kind::recorded));
  proxy::put(message, upto);
  send(message);
}

void ProxyClient::not_recorded(std::uint64_t upto) {
  std::string message(1, static_cast<char>(proxy::Kind::not_recorded));
  proxy::put(message, upto);
  send(message);
}

void ProxyClient::give_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose, std::string_view value) {
  std::string message;
  message.reserve(1 + sizeof generation + sizeof credential + 2 + value.size());  // no reallocation leaves a copy behind
  message.push_back(static_cast<char>(proxy::Kind::secret));
  proxy::put(message, generation);
  proxy::put(message, credential);
  proxy::put(message, static_cast<std::uint8_t>(purpose));
  proxy::put(message, std::uint8_t{1});
  message.append(value);
  send(message);
  wipe(message.data(), message.size());
}

void ProxyClient::refuse_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose, std::string_view why) {
  std::string message(1, static_cast<char>(proxy::Kind::secret));
  proxy::put(message, generation);
  proxy::put(message, credential);
  proxy::put(message, static_cast<std::uint8_t>(purpose));
  proxy::put(message, std::uint8_t{0});
  message.append(why);
  send(message);
}

void ProxyClient::answer_tokens(std::uint64_t question, const Result<void>& kept) {
  std::string message(1, static_cast<char>(proxy::Kind::tokens_kept));
  proxy::put(message, question);
  proxy::put(message, static_cast<std::uint8_t>(kept ? 1 : 0));
  if (!kept) message.append(kept.error().message);
  send(message);
}

void ProxyClient::withdraw_secret(std::uint32_t generation, std::uint32_t credential) {
  std::string message(1, static_cast<char>(proxy::Kind::secret_withdrawn));
  proxy::put(message, generation);
  proxy::put(message, credential);
  send(message);
}

void ProxyClient::answer_approval(std::uint64_t question, proxy::Verdict verdict, std::string_view text) {
  std::string message(1, static_cast<char>(proxy::Kind::approval));
  proxy::put(message, question);
  proxy::put(message, static_cast<std::uint8_t>(verdict));
  message.append(text);
  send(message);
}

void ProxyClient::tell_owners(std::uint64_t question, const std::vector<std::string>& executables) {
  std::string message(1, static_cast<char>(proxy::Kind::owners));
  proxy::put(message, question);
  for (const auto& executable : executables) {
    proxy::put(message, static_cast<std::uint16_t>(executable.size()));
    message.append(executable);
  }
  send(message);
}

Result<void> ProxyClient::replace_policy(std::uint32_t generation, const proxy::PolicyBundle& bundle) {
  auto memory = memory_file("weir-policy", proxy::encode_policy(bundle));
  if (!memory) return std::unexpected(memory.error());
  std::string message(1, static_cast<char>(proxy::Kind::policy));
  proxy::put(message, generation);
  const int descriptor = memory->get();
  return send_message(channel_.get(), message, std::span(&descriptor, 1));
}

void ProxyClient::finish() { send(std::string(1, static_cast<char>(proxy::Kind::finish))); }

void ProxyClient::kill() { syscall(SYS_pidfd_send_signal, pid_fd_.get(), SIGKILL, nullptr, 0); }

std::string ProxyClient::wait() {
  int status = 0;
  if (pid_ <= 0) return "it had ended before";
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace weir::keeper
