#include "cli/event_line.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weir::cli {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key, std::size_t limit = 200) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return printable(found->is_string() ? found->get<std::string>() : found->dump(), limit);
}

std::int64_t number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string size_of(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string time_of(std::int64_t us) { return us < 1000 ? fmt::format("{} us", us) : us < 1'000'000 ? fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3) : fmt::format("{:.1f} s", static_cast<double>(us) / 1e6); }

std::string url_of(const json& data) {
  const std::string scheme = text_of(data, "scheme");
  const std::int64_t port = number_of(data, "port");
  std::string url = scheme + "://" + text_of(data, "host", 120);
  if (port != 0 && !((scheme == "https" && port == 443) || (scheme == "http" && port == 80))) url += ":" + std::to_string(port);
  return url + text_of(data, "path", 160);
}

struct Said {
  const char* colour;  // ANSI SGR parameters
  std::string mark;    // at most six characters
  std::string text;
};

Said describe(const std::string& type, const json& data) {
  if (type == "egress.request") {
    std::string text = fmt::format("{:<4} {}", text_of(data, "method", 16), url_of(data));
    if (const auto credential = text_of(data, "credential"); !credential.empty()) text += "  +" + credential;
    if (const auto rule = text_of(data, "rule"); !rule.empty()) text += "  [" + rule + "]";
    return {"32", text_of(data, "verdict", 8), text};
  }
  if (type == "egress.denied") {
    const std::string method = text_of(data, "method", 16);
    std::string text = fmt::format("{:<4} {}  {}: {}", method.empty() ? "-" : method, url_of(data), text_of(data, "code"), text_of(data, "reason", 300));
    return {"31", text_of(data, "verdict", 8), text};
  }
  if (type == "egress.response") {
    std::string text = fmt::format("{} {}  {} in, {} out, {}", number_of(data, "status"), text_of(data, "host", 120), size_of(number_of(data, "bytes_in")),
                                   size_of(number_of(data, "bytes_out")), time_of(number_of(data, "total_us")));
    if (const auto end = text_of(data, "end"); end != "complete" && !end.empty()) text += "  ended: " + end;
    return {"2", "", text};
  }
  if (type == "dns.query") {
    const std::string verdict = text_of(data, "verdict");
    return {verdict == "refused" ? "31" : "2", verdict == "refused" ? "deny" : "", fmt::format("dns  {} {} {}", text_of(data, "name", 160), text_of(data, "qtype"), verdict)};
  }
  if (type == "packet.dropped") {
    const std::int64_t port = number_of(data, "port");
    std::string text = fmt::format("{} packet to {}{}", text_of(data, "protocol"), text_of(data, "destination"), port != 0 ? fmt::format(" port {}", port) : "");
    if (number_of(data, "count") > 1) text += fmt::format(", {} times", number_of(data, "count"));
    return {"31", "drop", text};
  }
  if (type == "credential.used") return {"36", "", fmt::format("credential {} given to the proxy for {}", text_of(data, "credential"), text_of(data, "place"))};
  if (type == "credential.reflected" || type == "credential.blocked")
    return {"33", "mask", fmt::format("credential {} found in an answer of {} and masked", text_of(data, "credential"), text_of(data, "host"))};
  std::string text = type;
  if (data.is_object())
    for (const auto& [key, value] : data.items()) text += fmt::format("  {}={}", printable(key, 40), text_of(data, key.c_str(), 160));
  return {type == "proxy.failed" || type == "stream.gap" ? "33" : "2", "", text};
}

}  // namespace

bool is_refusal(const json& event) {
  const std::string type = event.value("type", "");
  if (type == "egress.denied" || type == "packet.dropped" || type == "credential.blocked" || type == "approval.denied") return true;
  const auto data = event.find("data");
  return type == "dns.query" && data != event.end() && data->is_object() && data->value("verdict", "") == "refused";
}

std::string format_event(const json& event, bool colours) {
  const std::string stamp = text_of(event, "ts", 40);
  const std::string clock = stamp.size() > 23 ? stamp.substr(11, 12) : stamp;
  const Said said = describe(text_of(event, "type", 64), event.value("data", json::object()));
  const std::string line = fmt::format("{:<5} {}", said.mark, said.text);
  if (!colours) return clock + " " + line;
  return "\033[2m" + clock + "\033[0m \033[" + said.colour + "m" + line + "\033[0m";
}

}  // namespace weir::cli
