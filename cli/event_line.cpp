#include "cli/event_line.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weir::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kRemembered = 4096;
constexpr const char* kGood = "32";
constexpr const char* kBad = "31";
constexpr const char* kOdd = "33";
constexpr const char* kCredential = "36";
constexpr const char* kQuiet = "2";

std::string time_text(std::int64_t us) {
  if (us < 1000) return fmt::format("{} us", us);
  return us < 1'000'000 ? fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3)
                        : fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
}

// Host, port where it is not the scheme's own, path.
std::string target_of(const json& data) {
  const std::string scheme = shown(data, "scheme", 16);
  const std::int64_t port = number(data, "port");
  std::string target = shown(data, "host", 253);
  if (port != 0 && !(scheme == "https" && port == 443) && !(scheme == "http" && port == 80))
    target += fmt::format(":{}", port);
  return target + shown(data, "path", 2000);
}

std::string url_of(const json& data) {
  const std::string scheme = shown(data, "scheme", 16);
  return (scheme.empty() ? "" : scheme + "://") + target_of(data);
}

std::string with_space(const std::string& text) { return text.empty() ? text : text + " "; }

// How many columns text takes, near enough: its characters.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string shown(const json& object, const char* key, std::size_t limit) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || found->is_null()) return {};
  return printable(
      found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, json::error_handler_t::replace), limit);
}

std::string plain(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string size_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

bool is_refusal(const json& event) {
  const std::string type = plain(event, "type");
  if (type == "egress.denied" || type == "packet.dropped" || type == "credential.blocked" || type == "approval.denied")
    return true;
  if (type != "dns.query" || !event.contains("data")) return false;
  const std::string verdict = plain(event["data"], "verdict");
  return verdict == "refused" || verdict == "deny";
}

struct EventLines::Said {
  const char* colour;  // ANSI SGR parameters
  std::string mark;    // at most five characters
  std::string before;
  std::string middle;  // what is cut when the line is too long
  std::string after;
};

EventLines::Said EventLines::say(const std::string& type, const json& data) const {
  const auto method = [&] {
    return fmt::format("{:<4} ", shown(data, "method", 16).empty() ? "-" : shown(data, "method", 16));
  };
  if (type == "egress.request") {
    std::string after;
    if (const auto rule = shown(data, "rule", 80); !rule.empty()) after += "  [" + rule + "]";
    if (const auto credential = shown(data, "credential", 80); !credential.empty()) after += " +" + credential;
    return {kGood, shown(data, "verdict", 5), method(), url_of(data), after};
  }
  if (type == "egress.denied") {
    std::string after = "  " + shown(data, "code", 80);
    if (const auto rule = shown(data, "rule", 80); !rule.empty()) after += " [" + rule + "]";
    if (const auto reason = shown(data, "reason", 300); !reason.empty()) after += ": " + reason;
    return {kBad, data.contains("verdict") ? shown(data, "verdict", 5) : "deny", method(), url_of(data), after};
  }
  if (type == "egress.response") {
    const auto request = requests_.find(plain(data, "request"));
    const auto status = number(data, "status");
    std::string after = fmt::format("  {} in, {} out, {}", size_text(number(data, "bytes_in")),
                                    size_text(number(data, "bytes_out")), time_text(number(data, "total_us")));
    const auto end = plain(data, "end");
    const bool whole = end.empty() || end == "complete";
    if (!whole) after += "  ended: " + shown(data, "end", 80);
    return {whole && status < 400 ? kQuiet : kOdd, "", status == 0 ? "--- " : fmt::format("{} ", status),
            request != requests_.end() ? request->second : shown(data, "host", 253), after};
  }
  if (type == "egress.tunnel")
    return {kQuiet, "", "tunnel ", target_of(data),
            fmt::format("  {} in, {} out, {}", size_text(number(data, "bytes_in")), size_text(number(data, "bytes_out")),
                        time_text(number(data, "total_us")))};
  if (type == "dns.query") {
    const std::string verdict = plain(data, "verdict");
    const bool refused = verdict == "refused" || verdict == "deny";
    return {refused ? kBad : kQuiet, refused ? "deny" : "", "dns  ", shown(data, "name", 300),
            fmt::format("  {} {}", shown(data, "qtype", 16), shown(data, "verdict", 40))};
  }
  if (type == "packet.dropped") {
    const std::int64_t port = number(data, "port");
    std::string after = port != 0 ? fmt::format(" port {}", port) : "";
    if (number(data, "count") > 1) after += fmt::format(", {} times", number(data, "count"));
    return {kBad, "drop", with_space(shown(data, "protocol", 40)) + "to ", shown(data, "destination", 300), after};
  }
  if (type.starts_with("credential.")) {
    const std::string place = data.contains("host") ? shown(data, "host", 253) : shown(data, "place", 253);
    std::string after;
    if (number(data, "count") > 1) after = fmt::format(", {} times", number(data, "count"));
    const std::string name = shown(data, "credential", 80);
    if (type == "credential.used") return {kCredential, "", "credential " + name + " used for ", place, after};
    if (type == "credential.blocked") {
      const bool placeholder = plain(data, "what") == "placeholder";
      return {kBad, "block", (placeholder ? "placeholder of " : "credential ") + name + " on its way to ", place, "  in " + shown(data, "place", 80)};
    }
    if (type == "credential.captured") {
      const bool kept = data.value("kept", true);
      return {kept ? kCredential : kOdd, kept ? "keep" : "lost", "credential " + name + " from a login at ", place, "  " + shown(data, "reason", 300)};
    }
    if (type == "credential.reflected") return {kOdd, "mask", "credential " + name + " in an answer of ", place, after};
  }
  if (type == "leak.found") {
    const std::string what = plain(data, "what") == "placeholder" ? "placeholder of " + shown(data, "credential", 80) : shown(data, "kind", 80);
    const bool denied = plain(data, "verdict") == "deny";
    return {denied ? kBad : kOdd, shown(data, "verdict", 5), what + " on its way to ", shown(data, "host", 253), "  in " + shown(data, "place", 80)};
  }
  std::string fields;
  if (data.is_object())
    for (const auto& [key, value] : data.items()) fields += "  " + printable(key, 40) + "=" + shown(data, key.c_str(), 400);
  return {type.ends_with(".failed") || type == "stream.gap" || type == "sandbox.limit" ? kOdd : kQuiet, "",
          printable(type, 64), fields, ""};
}

// Takes what is too much out of the middle of `text`; `taken` columns belong to others.
std::string EventLines::fit(std::string text, std::size_t taken) const {
  static constexpr std::size_t kLeast = 24;
  const std::size_t all = width(text);
  if (columns_ == 0 || taken + all <= columns_) return text;
  const std::size_t room = columns_ > taken + kLeast ? columns_ - taken : kLeast;
  if (all <= room) return text;
  const auto at_character = [&](std::size_t wanted) {
    std::size_t at = 0;
    for (std::size_t seen = 0; at < text.size(); ++at)
      if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U && seen++ == wanted) break;
    return at;
  };
  const std::size_t tail = (room - 1) / 3;
  return text.substr(0, at_character(room - 1 - tail)) + "…" + text.substr(at_character(all - tail));
}

void EventLines::note(const json& event) {
  if (plain(event, "type") != "egress.request" || !event.contains("data")) return;
  const json& data = event["data"];
  const std::string id = plain(data, "request");
  if (id.empty() || !requests_.emplace(id, with_space(shown(data, "method", 16)) + target_of(data)).second) return;
  order_.push_back(id);
  if (order_.size() <= kRemembered) return;
  requests_.erase(order_.front());
  order_.pop_front();
}

std::string EventLines::line(const json& event) const {
  const std::string stamp = shown(event, "ts", 40);
  const std::string clock = stamp.size() > 23 ? stamp.substr(11, 12) : stamp;
  const Said said = say(plain(event, "type"), event.value("data", json::object()));
  const std::string begin = fmt::format("{:<5} ", said.mark) + said.before;
  const std::string text = begin + fit(said.middle, width(clock) + 1 + width(begin) + width(said.after)) + said.after;
  if (!colours_) return clock + " " + text;
  return "\033[2m" + clock + "\033[0m \033[" + said.colour + "m" + text + "\033[0m";
}

}  // namespace weir::cli
