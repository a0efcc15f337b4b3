// weir policy reload [SESSION]
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/control_client.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

// All of this user's, or the one that is named. Each is asked, even when one before it refused.
int reload(const std::string& name, bool as_json) {
  auto client = ControlClient::open();
  if (!client) return complain(client.error().message);
  std::vector<std::string> sessions = client->sessions();
  if (!name.empty()) {
    auto chosen = client->session(name);
    if (!chosen) return complain(chosen.error().message);
    sessions = {*chosen};
  }
  if (sessions.empty()) return complain("no weir runs here as this user");
  int status = 0;
  ordered_json results = ordered_json::array();
  for (const auto& session : sessions) {
    const auto loaded = client->post(session, "/v1/policy/reload", ordered_json::object());
    if (!loaded) status = 1;
    if (as_json) {
      ordered_json result{{"session", session}};
      if (loaded) {
        result.update(*loaded);
      } else {
        result["error"] = {{"code", loaded.error().code}, {"message", loaded.error().message}};
      }
      results.push_back(std::move(result));
    } else if (loaded) {
      std::printf("%s: the policy has been loaded anew (%s)\n", session.c_str(), printable(loaded->value("policy_hash", "")).c_str());
    } else {
      (void)complain(session + ": the policy is as before: " + loaded.error().message);
    }
  }
  if (as_json) std::printf("%s\n", results.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
  return status;
}

}  // namespace

void add_policy_reload(CLI::App& policy, int& status) {
  struct Arguments {
    std::string session;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* verb = policy.add_subcommand("reload", "Have running sandboxes load their policy anew (all of them, or SESSION)");
  verb->add_option("session", arguments->session, "A session, or a unique beginning of its name")->type_name("SESSION");
  verb->add_flag("--json", arguments->json, "For programs");
  verb->callback([arguments, &status] { status = reload(arguments->session, arguments->json); });
}

}  // namespace weir::cli
