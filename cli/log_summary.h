// What a session did, in a few lines: hosts with counts and bytes, what was refused first, credentials and where they went.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "cli/event_line.h"

namespace weir::cli {

class LogSummary {
 public:
  void add(const nlohmann::json& event) {
    static const nlohmann::json kNone = nlohmann::json::object();
    const std::string type = plain(event, "type");
    const nlohmann::json& data = event.contains("data") ? event["data"] : kNone;
    ++events_;
    if (type == "egress.request") {
      ++host(data).requests;
      host_of_request_[plain(data, "request")] = plain(data, "host");
      if (const auto credential = plain(data, "credential"); !credential.empty())
        ++credentials_[credential][plain(data, "host")];
    } else if (type == "egress.denied") {
      auto& denied = host(data);
      ++denied.denied;
      denied.codes.insert(plain(data, "code"));
    } else if (type == "egress.response" || type == "egress.tunnel") {
      const auto request = host_of_request_.find(plain(data, "request"));
      auto& answered = request == host_of_request_.end() ? host(data) : hosts_[request->second];
      if (request != host_of_request_.end()) host_of_request_.erase(request);
      answered.bytes_in += number(data, "bytes_in");
      answered.bytes_out += number(data, "bytes_out");
    } else if (type == "dns.query" && is_refusal(event)) {
      auto& asked = hosts_[plain(data, "name")];
      ++asked.denied;
      asked.codes.insert("dns " + plain(data, "verdict"));
    } else if (type == "packet.dropped") {
      auto& target = hosts_[plain(data, "destination")];
      target.denied += std::max<std::int64_t>(1, number(data, "count"));
      target.codes.insert("dropped " + plain(data, "protocol"));
    } else if (type == "credential.blocked" || type == "credential.reflected") {
      alarms_.push_back(fmt::format("{}: {} at {}", type, shown(data, "credential", 80), shown(data, "host", 253)));
    }
  }

  std::string text() const {
    std::vector<std::pair<std::string, Host>> sorted(hosts_.begin(), hosts_.end());
    // Refused first, then the busiest.
    std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) {
      if ((a.second.denied > 0) != (b.second.denied > 0)) return a.second.denied > 0;
      return a.second.denied != b.second.denied ? a.second.denied > b.second.denied : a.second.requests > b.second.requests;
    });
    std::string out = fmt::format("{:>7} {:>7} {:>10} {:>10}  host\n", "denied", "allowed", "in", "out");
    for (const auto& [name, host] : sorted) {
      out += fmt::format("{:>7} {:>7} {:>10} {:>10}  {}", host.denied, host.requests, size_text(host.bytes_in),
                         size_text(host.bytes_out), printable(name, 253));
      std::string codes;
      for (const auto& code : host.codes) codes += (codes.empty() ? "" : ", ") + printable(code, 80);
      out += codes.empty() ? "\n" : "  (" + codes + ")\n";
    }
    for (const auto& [name, places] : credentials_)
      for (const auto& [place, count] : places)
        out += fmt::format("credential {}: {} {} to {}\n", printable(name, 80), count, count == 1 ? "request" : "requests",
                           printable(place, 253));
    for (const auto& alarm : alarms_) out += alarm + "\n";
    return out + fmt::format("{} events\n", events_);
  }

 private:
  struct Host {
    std::int64_t requests = 0;
    std::int64_t denied = 0;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::set<std::string> codes;
  };
  Host& host(const nlohmann::json& data) { return hosts_[plain(data, "host")]; }

  std::map<std::string, Host> hosts_;
  std::unordered_map<std::string, std::string> host_of_request_;
  std::map<std::string, std::map<std::string, std::int64_t>> credentials_;
  std::vector<std::string> alarms_;
  std::uint64_t events_ = 0;
};

}  // namespace weir::cli
