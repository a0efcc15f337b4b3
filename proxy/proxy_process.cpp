#include "proxy/proxy_process.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "base/message_channel.h"
#include "proxy/dns/responder.h"
#include "proxy/gate/connection.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/dns_service.h"
#include "proxy/gate/drop_reports.h"
#include "proxy/gate/gate.h"
#include "proxy/gate/policy_in_use.h"
#include "proxy/lockdown.h"
#include "proxy/wire.h"

namespace weir::proxy {
namespace {

// A file's bytes, mapped: shared between proxies through the page cache. Lives as long as the process.
std::string_view map_file(int fd) {
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size <= 0) return {};
  void* memory = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return {};
  return {static_cast<const char*>(memory), static_cast<std::size_t>(status.st_size)};
}

// OpenSSL takes and frees blocks of 17 KiB with every record (SSL_MODE_RELEASE_BUFFERS, which idle connections need). glibc answers each
// such free with a sweep of its fast bins and, at the top of the heap, with brk(2): not here.
void tune_allocator() {
  mallopt(M_MXFAST, 0);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  mallopt(M_TOP_PAD, 256 << 10);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

io::Task<void> sweep_pool(Gate& gate) {
  io::Event never(gate.loop);
  for (;;) {
    co_await never.wait(gate.loop.in(kPoolIdleMs / 2));
    gate.in_force->pool.close_idle();
  }
}

// What is open is held to the policy's times as they pass.
io::Task<void> watch_the_clock(Gate& gate) {
  io::Event never(gate.loop);
  for (;;) {
    co_await never.wait(gate.loop.in(kClockMs));
    if (gate.in_force->policy.wants_time()) gate.ask_streams_again("the time in which the policy allows it is over");
  }
}

// The sandbox is gone, so its connections are ending: each still tells how. Then the loop stops.
io::Task<void> finish(Gate& gate) {
  gate.finishing = true;
  while (!gate.idle.empty()) gate.idle.front()->close_idle();
  if (gate.open_connections > 0) co_await gate.drained.wait(gate.loop.in(kFinishMs));
  gate.cut_streams("the sandbox has ended");
  gate.loop.stop();
}

// All parts, wired in the order in which they depend on each other.
Result<void> serve(UniqueFd channel) {
  auto start = receive_message(channel.get());
  if (!start) return std::unexpected(start.error());
  if (start->descriptors.size() < 5) return fail("bad_configuration", "the proxy was started without its descriptors");
  const std::string_view bytes = map_file(start->descriptors[0].get());
  auto config = decode_config(bytes);
  if (!config) return std::unexpected(config.error());
  munmap(const_cast<char*>(bytes.data()), bytes.size());
  start->descriptors[0].reset();

  const std::string_view roots = start->descriptors.size() > 5 ? map_file(start->descriptors[5].get()) : std::string_view{};
  if (start->descriptors.size() > 5) start->descriptors[5].reset();

  CertificateAuthority authority;
  authority.certificate_pem = config->ca_certificate_pem;
  authority.key_der = std::move(config->ca_key_der);
  auto downstream = DownstreamTls::create(authority);
  if (!downstream) return std::unexpected(downstream.error());

  io::Loop loop;
  io::Resolver resolver(loop, config->hosts_file);
  if (auto locked = lock_down(); !locked) return locked;

  Gate* the_gate = nullptr;
  DropReports* the_drops = nullptr;
  KeeperLink keeper(loop, std::move(channel), [&] {
    if (the_drops != nullptr) the_drops->report_pending();
    if (the_gate != nullptr) io::spawn(finish(*the_gate));
  });
  auto first = PolicyInUse::make(1, config->policy_document, config->upstream_ca_pem, config->placeholders, roots, loop, resolver, keeper, nullptr);
  if (!first) return std::unexpected(first.error());
  SyntheticAddresses addresses;
  Gate gate(loop, keeper, std::move(*first), addresses, **downstream);
  const HoldsCredential holds_credential = [&gate](std::string_view name) {
    std::uint32_t needle = 0;
    const auto& needles = gate.in_force->credentials.needles();
    return !needles->empty() && needles->find_in_name(name, needle);
  };
  // Nothing is asked outside for an answer; but a name that carries a secret is not to be believed in either.
  DnsResponder responder(addresses,
                         [&](std::string_view host) { return gate.in_force->policy.could_allow_host(host) && !holds_credential(host); });
  keeper.on_policy([&](std::uint32_t generation, std::string_view encoded) -> Result<void> {
    const auto bundle = decode_policy(encoded);
    if (!bundle) return std::unexpected(bundle.error());
    auto next = PolicyInUse::make(generation, bundle->policy_document, bundle->upstream_ca_pem, bundle->placeholders, roots, loop, resolver, keeper, gate.in_force.get());
    if (!next) return std::unexpected(next.error());
    gate.replace_policy(std::move(*next));
    return {};
  });
  the_gate = &gate;
  DropReports drops(loop, keeper, std::move(start->descriptors[4]));
  the_drops = &drops;
  io::spawn(accept_connections(gate, std::move(start->descriptors[1])));
  io::spawn(serve_dns_datagrams(loop, keeper, responder, holds_credential, std::move(start->descriptors[2])));
  io::spawn(serve_dns_streams(loop, keeper, responder, holds_credential, std::move(start->descriptors[3])));
  io::spawn(drops.run());
  io::spawn(sweep_pool(gate));
  io::spawn(watch_the_clock(gate));
  keeper.send_ready();
  loop.run();
  keeper.flush();
  // Coroutines that still wait refer to what is on this stack, and there is nothing left to save: the process ends here.
  _exit(0);
}

}  // namespace

int run_proxy(int channel) {
  prctl(PR_SET_NAME, kProcessName);
  (void)signal(SIGPIPE, SIG_IGN);
  tune_allocator();
  raise_descriptor_limit();
  const UniqueFd for_failures(dup(channel));
  const auto served = serve(UniqueFd(channel));
  if (served) return 0;
  std::string message(1, static_cast<char>(Kind::failed));
  message += served.error().message;
  (void)send_message(for_failures.get(), message);
  return 1;
}

}  // namespace weir::proxy
