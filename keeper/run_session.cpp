#include "keeper/run_session.h"

#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>


#include "base/file.h"
#include "base/ids.h"
#include "keeper/control_socket.h"
#include "keeper/event_recorder.h"
#include "keeper/proxy_client.h"
#include "keeper/session.h"
#include "keeper/signals.h"
#include "netns/room.h"
#include "proxy/tls/certificate_authority.h"
#include "vault/vault.h"

namespace weir::keeper {
namespace {

std::string user_name() {
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(getuid());
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

Result<launch::ExitStatus> run_session(RunOptions options, std::string& session_id) {
  // Everything that can be wrong is found before anything is started.
  if (auto checked = launch::check_spec(options.sandbox); !checked) return std::unexpected(checked.error());
  auto prepared = prepare_policy(std::move(options.policy), options.vault, true);
  if (!prepared) return std::unexpected(prepared.error());
  const LoadedPolicy& policy = prepared->loaded;
  proxy::ProxyConfig config;
  config.upstream_ca_pem = prepared->upstream_ca_pem;
  config.hosts_file = read_file("/etc/hosts").value_or("");
  config.policy_document = policy::encode(policy.document);
  Placeholders placeholders;
  config.placeholders = placeholders.of(policy.document, [&](std::size_t i) { return prepared->secrets[i].value.reveal(); });
  if (auto filled = placeholders.fill(policy.document, options.sandbox); !filled) return std::unexpected(filled.error());

  auto signals = Signals::catch_all();
  if (!signals) return std::unexpected(signals.error());
  auto proxy = ProxyClient::start();  // first, so that it loads while the room is made
  if (!proxy) return std::unexpected(proxy.error());
  auto room = netns::make_room();
  if (!room) return std::unexpected(room.error());

  config.sandbox_id = make_id("sbx");
  options.sandbox.sandbox_id = config.sandbox_id;
  auto authority = proxy::CertificateAuthority::create(config.sandbox_id);
  if (!authority) return std::unexpected(authority.error());
  config.ca_certificate_pem = authority->certificate_pem;
  config.ca_key_der = std::move(authority->key_der);
  options.sandbox.ca_certificate_pem = config.ca_certificate_pem;

  const std::string session = make_id("ses");
  if (auto made = make_directories(options.sessions_directory, 0700); !made) return std::unexpected(made.error());
  auto log = events::SessionLog::create(options.sessions_directory, session);
  if (!log) return std::unexpected(log.error());
  EventRecorder recorder(std::move(*log), config.sandbox_id, options.durability);
  recorder.add("session.started", {{"who", user_name()}, {"host", host_name()}, {"version", WEIR_VERSION}, {"policy_hash", policy.text_hash}});
  recorder.add("policy.loaded", {{"hash", policy.text_hash}, {"file", policy.document.file}, {"use", policy.document.use}});
  recorder.add("sandbox.started", {{"kind", "process"}, {"command", options.sandbox.command}, {"directory", options.sandbox.working_directory}});
  if (auto written = recorder.commit(); !written) return std::unexpected(written.error());
  session_id = session;

  if (auto configured = proxy->configure(config, *room); !configured) return std::unexpected(configured.error());
  // There before the sandbox is, so that it can be covered where a folder above it is shown. SECURITY: G1, G6.
  (void)open_socket_folder(options.runtime_directory);
  auto sandbox = launch::start_sandbox(options.sandbox, room->user_namespace.get(), room->network_namespace.get());
  if (!sandbox) return std::unexpected(sandbox.error());
  room->user_namespace.reset();
  room->network_namespace.reset();
  // From here on no other process of this user may read the keeper's memory. Not earlier: the room's child could not
  // write its own uid map then (proc(5), /proc/PID/uid_map).
  prctl(PR_SET_DUMPABLE, 0);

  launch::ExitStatus exit;
  {
    Session running(options, session, recorder, *proxy, std::move(*prepared), std::move(placeholders), *signals);
    exit = running.run(std::move(*sandbox));
    nlohmann::ordered_json how;
    if (exit.signaled) {
      how["signal"] = exit.code;
    } else {
      how["status"] = exit.code;
    }
    if (!exit.problem.empty()) how["problem"] = exit.problem;
    recorder.add("sandbox.exited", how);
    recorder.add("session.ended", {{"events", recorder.log().last_seq() + 1}});
    if (auto finished = recorder.finish(); !finished) say("the end of the session could not be recorded: " + finished.error().message);
  }
  if (!exit.problem.empty()) say(exit.problem);
  return exit;
}

}  // namespace weir::keeper
