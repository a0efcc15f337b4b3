// weir approvals, weir approve, weir deny: what the running sandboxes ask, and the answers.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "cli/control_client.h"
#include "cli/verbs.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;
constexpr useconds_t kWatchUs = 500'000;
constexpr std::int64_t kSecond = 1'000'000;

struct Waiting {
  std::string id;
  std::string session;
  ordered_json about;  // as the session gave it; SECURITY: its texts come from a sandbox
};

// All that waits in all sessions, the oldest first. A session that ends meanwhile has nothing that waits.
std::vector<Waiting> all_waiting(const ControlClient& client) {
  std::vector<Waiting> all;
  for (const auto& session : client.sessions()) {
    const auto answer = client.get(session, "/v1/approvals");
    if (!answer) {
      if (answer.error().code == "peer_refused") (void)complain(session + ": " + answer.error().message);
      continue;
    }
    if (!answer->contains("approvals")) continue;
    for (const auto& one : (*answer)["approvals"]) {
      Waiting waiting{one.value("id", ""), session, one};
      waiting.about["session"] = session;
      all.push_back(std::move(waiting));
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

std::string text_of(const ordered_json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

std::string request_text(const ordered_json& about) {
  const std::string scheme = text_of(about, "scheme");
  const auto port = about.value("port", std::int64_t{0});
  const bool usual = (scheme == "https" && port == 443) || (scheme == "http" && port == 80);
  std::string text = text_of(about, "method");
  if (!text.empty()) text += ' ';
  text += scheme + "://" + text_of(about, "host") + (usual ? "" : ":" + std::to_string(port)) + text_of(about, "path");
  if (text_of(about, "protocol") == "websocket") text += "  (WebSocket)";
  const std::string operation = text_of(about, "operation");
  if (!operation.empty()) text += "  (" + operation + (text_of(about, "operation_name").empty() ? "" : " " + text_of(about, "operation_name")) + ")";
  return printable(text, 1000);
}

std::string rule_text(const ordered_json& about) {
  const std::string rule = text_of(about, "rule");
  return rule.empty() ? "the policy's default" : "`" + printable(rule, 80) + "`";
}

std::string span_text(std::int64_t us) {
  const std::int64_t seconds = std::max<std::int64_t>(us, 0) / kSecond;
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7200) return std::to_string(seconds / 60) + "min";
  return std::to_string(seconds / 3600) + "h";
}

std::string short_id(const std::string& id) { return id.size() > 4 ? id.substr(4) : id; }

std::string row(const std::string& id, const std::string& age, const std::string& left, const std::string& session, const std::string& request,
                const std::string& rule) {
  return fmt::format("{:<26}  {:>6}  {:>6}  {:<30}  {}  {}", id, age, left, session, request, rule);
}

std::string row_of(const Waiting& waiting, std::int64_t now) {
  const auto& about = waiting.about;
  std::string request = request_text(about);
  if (about.value("waiting", std::int64_t{0}) == 0) request += "  (its client has given up)";
  return row(printable(short_id(waiting.id), 40), span_text(now - about.value("asked_us", now)), span_text(about.value("expires_us", now) - now), waiting.session,
             request, rule_text(about));
}

std::string dump(const ordered_json& json) { return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace); }

struct ListArguments {
  bool json = false;
  bool watch = false;
};

int list(const ListArguments& arguments) {
  auto client = ControlClient::open();
  if (!client) return complain(client.error().message);
  std::set<std::string> shown;
  const auto header = row("ID", "AGE", "LEFT", "SESSION", "REQUEST", "RULE");
  for (bool first = true;; first = false) {
    const auto waiting = all_waiting(*client);
    if (arguments.json && !arguments.watch) {
      ordered_json all = ordered_json::array();
      for (const auto& one : waiting) all.push_back(one.about);
      std::printf("%s\n", dump(all).c_str());
      return 0;
    }
    if (first && !arguments.json && (arguments.watch || !waiting.empty())) std::printf("%s\n", header.c_str());
    if (first && !arguments.watch && waiting.empty()) std::printf("nothing waits for an approval\n");
    for (const auto& one : waiting) {
      if (!shown.insert(one.id).second) continue;
      std::printf("%s\n", arguments.json ? dump(one.about).c_str() : row_of(one, wall_clock_us()).c_str());
    }
    if (!arguments.watch) return 0;
    if (std::fflush(stdout) != 0) return 0;  // nobody reads any more
    usleep(kWatchUs);
  }
}

// The approval that `id` means. Empty: the only one there is.
Result<Waiting> choose(const std::vector<Waiting>& waiting, const std::string& id) {
  if (waiting.empty()) return fail("approval_unknown", "nothing waits for an approval");
  const std::string whole = id.starts_with("apr_") ? id : "apr_" + id;
  std::vector<Waiting> matching;
  for (const auto& one : waiting)
    if (id.empty() || one.id.starts_with(whole)) matching.push_back(one);
  if (matching.size() == 1) return matching.front();
  if (matching.empty()) {
    std::vector<std::string_view> known;
    for (const auto& one : waiting) known.push_back(one.id);
    const auto near = nearest(whole, known);
    return fail("approval_unknown", "there is no pending approval `" + printable(id, 80) + "`" +
                                        (near ? "; did you mean " + printable(*near, 40) + "?" : "; it may be decided or expired. `weir approvals` lists what waits"));
  }
  std::string listed;
  for (const auto& one : matching) listed += "\n  " + printable(short_id(one.id), 40) + "  " + request_text(one.about);
  return fail("approval_ambiguous", "several approvals wait; say which one:" + listed);
}

// "10m", "90s", "2h", "1d", "session" or "once", as the socket wants it.
std::optional<ordered_json> parse_for(const std::string& text) {
  if (text == "session" || text == "once") return ordered_json(text);
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, count);
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  const std::int64_t scale = rest == "s" ? 1 : rest == "m" || rest == "min" ? 60 : rest == "h" ? 3600 : rest == "d" ? 86400 : 0;
  constexpr std::int64_t kMost = 7 * 86400;
  if (error != std::errc() || scale == 0 || count < 1 || count > kMost || count * scale > kMost) return std::nullopt;
  return ordered_json(count * scale);
}

struct DecideArguments {
  std::string id;
  std::string lasts = "once";
  bool host = false;
  bool json = false;
};

int decide(const DecideArguments& arguments, bool grant) {
  const auto lasts = parse_for(arguments.lasts);
  if (!lasts) return complain("--for " + printable(arguments.lasts, 40) + ": write a time such as 90s, 10m, 2h or 1d (at most 7d), or session");
  auto client = ControlClient::open();
  if (!client) return complain(client.error().message);
  const auto waiting = all_waiting(*client);
  const auto chosen = choose(waiting, arguments.id);
  if (!chosen) return complain(chosen.error().message);
  ordered_json body{{"verdict", grant ? "grant" : "deny"}, {"for", *lasts}};
  if (arguments.host) body["host"] = true;
  const auto decided = client->post(chosen->session, "/v1/approvals/" + chosen->id, body);
  if (!decided) return complain(decided.error().message);
  if (arguments.json) {
    std::printf("%s\n", dump(*decided).c_str());
    return 0;
  }
  const std::string what = arguments.host ? "everything that " + rule_text(chosen->about) + " asks about on " + printable(text_of(chosen->about, "host"), 300)
                                          : request_text(chosen->about);
  const std::string how_long = arguments.lasts == "once" ? "" : arguments.lasts == "session" ? ", for this session" : ", for " + arguments.lasts;
  std::printf("%s: %s%s\n", grant ? "approved" : "denied", what.c_str(), how_long.c_str());
  return 0;
}

void add_decision(CLI::App& app, int& status, const char* name, const char* what, bool grant) {
  auto arguments = std::make_shared<DecideArguments>();
  auto* verb = app.add_subcommand(name, what);
  verb->add_option("id", arguments->id, "The approval, or a unique beginning of it; may be left out when only one waits")->type_name("ID");
  verb->add_option("--for", arguments->lasts, "How long it holds for the same request: 90s, 10m, 2h, or session (default: this once)")->type_name("TIME");
  verb->add_flag("--host", arguments->host, "For everything that the same rule asks about on that host");
  verb->add_flag("--json", arguments->json, "For programs");
  verb->callback([arguments, &status, grant] { status = decide(*arguments, grant); });
}

}  // namespace

void add_approvals(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ListArguments>();
  auto* verb = app.add_subcommand("approvals", "List the requests that wait for an approval");
  verb->add_flag("--json", arguments->json, "For programs: an array, or with --watch a line for each");
  verb->add_flag("--watch", arguments->watch, "Go on, and show each as it comes");
  verb->callback([arguments, &status] { status = list(*arguments); });
  add_decision(app, status, "approve", "Let a request through that waits for an approval", true);
  add_decision(app, status, "deny", "Deny a request that waits for an approval", false);
}

}  // namespace weir::cli
