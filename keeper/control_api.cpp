#include "keeper/control_api.h"

#include <unistd.h>

#include <array>
#include <charconv>

#include "base/ids.h"
#include "base/text.h"
#include "base/time.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Pending& pending) {
  const Subject& subject = pending.subject;
  ordered_json out{{"id", pending.id},         {"request", pending.request}, {"rule", nullptr},      {"method", subject.method},
                   {"scheme", subject.scheme}, {"host", subject.host},       {"port", subject.port}, {"path", subject.path}};
  if (subject.rule != proxy::kNoRule) out["rule"] = subject.rule_name;
  if (!subject.protocol.empty()) out["protocol"] = subject.protocol;
  if (!subject.operation.empty()) out["operation"] = subject.operation;
  if (!subject.operation_name.empty()) out["operation_name"] = subject.operation_name;
  out["asked"] = format_timestamp(pending.asked_us);
  out["expires"] = format_timestamp(pending.expires_us);
  out["asked_us"] = pending.asked_us;
  out["expires_us"] = pending.expires_us;
  return out;
}

int status_for(const std::string& code) {
  if (code == "approval_unknown") return 404;
  if (code == "approval_ambiguous") return 409;
  if (code == "bad_request") return 400;
  return 500;
}

ControlReply reply_for(const Error& error) { return control_error(status_for(error.code), error.code, error.message); }

}  // namespace

Result<Ruling> parse_ruling(std::string_view body) {
  const auto bad = [](const std::string& why) { return fail("bad_request", why); };
  const auto json = ordered_json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("the body is not a JSON object");
  Ruling ruling;
  bool has_verdict = false;
  for (const auto& [key, value] : json.items()) {
    if (key == "verdict") {
      if (value != "grant" && value != "deny") return bad("`verdict` is \"grant\" or \"deny\"");
      ruling.granted = value == "grant";
      has_verdict = true;
    } else if (key == "for") {
      std::int64_t seconds = 0;
      if (value == "once") continue;
      if (value == "session") {
        ruling.lasts = Standing::Lasts::session;
        continue;
      }
      if (value.is_number_integer()) {
        seconds = value.get<std::int64_t>();
      } else if (value.is_string()) {
        const auto text = value.get<std::string>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc() || end != text.data() + text.size()) seconds = 0;
      }
      if (seconds < 1 || seconds > Approvals::kMaxSeconds) return bad("`for` is \"once\", \"session\", or seconds from 1 to 604800");
      ruling.lasts = Standing::Lasts::timed;
      ruling.seconds = seconds;
    } else if (key == "host") {
      if (!value.is_boolean()) return bad("`host` is true or false");
      ruling.host_wide = value.get<bool>();
    } else {
      return bad("there is no key `" + printable(key, 40) + "`: verdict, for, host");
    }
  }
  if (!has_verdict) return bad("`verdict` is missing");
  return ruling;
}

ControlReply ControlApi::handle(const ControlRequest& request) const {
  static constexpr std::string_view kApprovals = "/v1/approvals";
  const bool is_get = request.method == "GET";
  const bool is_post = request.method == "POST";
  const auto wrong_method = [](const std::string& right) { return control_error(405, "method_not_allowed", "this takes " + right + " only"); };
  if (request.path == "/v1/session") {
    if (!is_get) return wrong_method("GET");
    return {200, {{"session", session}, {"sandbox", sandbox}, {"pid", getpid()}, {"project", project}, {"command", command},
                  {"started", format_timestamp(started_us)}, {"policy_hash", policy_hash ? policy_hash() : ""},
                  {"approvals", approvals->pending().size()}, {"version", WEIR_VERSION}}};
  }
  if (request.path == kApprovals) return is_get ? list() : wrong_method("GET");
  if (request.path.starts_with(std::string(kApprovals) + "/")) {
    if (!is_post) return wrong_method("POST");
    return decide(request.path.substr(kApprovals.size() + 1), request);
  }
  if (request.path == "/v1/policy/reload") {
    if (!is_post) return wrong_method("POST");
    if (!reload) return control_error(501, "reload_unsupported", "this weir cannot load a policy while it runs; start it anew");
    const auto loaded = reload(request.peer);
    if (!loaded) return control_error(409, loaded.error().code, loaded.error().message);
    return {200, {{"policy_hash", *loaded}}};
  }
  return control_error(404, "not_found", "there is nothing under this path");
}

ControlReply ControlApi::list() const {
  ordered_json all = ordered_json::array();
  for (const auto& view : approvals->pending()) {
    all.push_back(to_json(*view.pending));
    all.back()["waiting"] = view.waiting;
  }
  return {200, {{"session", session}, {"approvals", std::move(all)}}};
}

ControlReply ControlApi::decide(const std::string& id, const ControlRequest& request) const {
  // Whole identifiers only: whoever decides has seen what it decides. A prefix may have come to mean another one since.
  if (!is_id(id, "apr")) return control_error(404, "approval_unknown", "this is no approval's identifier");
  auto ruling = parse_ruling(request.body);
  if (!ruling) return reply_for(ruling.error());
  ruling->by = request.peer.description;
  const auto decided = approvals->rule(id, *ruling);
  if (!decided) return reply_for(decided.error());
  auto body = to_json(*decided);
  body["verdict"] = ruling->granted ? "granted" : "denied";
  return {200, std::move(body)};
}

}  // namespace weir::keeper
