#include "cli/learned_policy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/event_line.h"
#include "events/reader.h"
#include "policy/canonical.h"
#include "policy/formatting.h"

namespace weir::cli {

namespace {

using policy::Observation;

// Calls `take(type, data)` for each event.
template <class Take>
Result<void> read_session(const std::string& session_directory, Take&& take) {
  events::LineReader reader(session_directory);
  for (;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") return {};
    if (!line) return std::unexpected(line.error());
    const auto event = nlohmann::json::parse(*line, nullptr, false);
    if (!event.is_object() || !event.contains("data") || !event["data"].is_object())
      return fail("bad_event", "a line of the session is not an event; `weir log verify` says more");
    take(plain(event, "type"), event["data"]);
  }
}

Observation observation_of(const nlohmann::json& data) {
  Observation seen;
  const auto protocol = plain(data, "protocol");
  seen.scheme = protocol == "tcp" ? "tcp" : protocol == "tls-passthrough" ? "tls" : plain(data, "scheme");
  seen.host = plain(data, "host");
  seen.port = static_cast<std::uint16_t>(number(data, "port"));
  if (seen.scheme != "https" && seen.scheme != "http") return seen;
  seen.method = plain(data, "method");
  seen.path = plain(data, "path");
  seen.websocket = protocol == "websocket";
  return seen;
}

bool is_usable(const Observation& seen) {
  const auto host = policy::canonical_host(seen.host);
  return host && *host == seen.host && seen.port != 0;
}

std::string described(const Observation& seen) {
  const bool v6 = seen.host.find(':') != std::string::npos;
  const bool usual = seen.port == (seen.scheme == "http" ? 80 : 443);
  return printable(fmt::format("{}{}{}://{}{}{}{}{}", seen.method, seen.method.empty() ? "" : " ", seen.scheme, v6 ? "[" : "", seen.host,
                               v6 ? "]" : "", usual ? "" : fmt::format(":{}", seen.port), seen.path),
                   300);
}

std::string counted(std::uint64_t count, std::string_view noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); }

}  // namespace

Result<std::vector<Observation>> observations_of(const std::string& session_directory) {
  std::map<std::string, Observation> all;
  std::map<std::string, std::string> raw;  // key of each raw connection, by its request's id, until it ends
  const auto read = read_session(session_directory, [&](const std::string& type, const nlohmann::json& data) {
    std::string refused;
    if (type == "egress.tunnel") {
      const auto opened = raw.find(plain(data, "request"));
      if (opened == raw.end()) return;
      // The client was only slow to speak, and what it said was looked into: the connection is told of by its requests.
      const auto found = all.find(opened->second);
      if (plain(data, "end") == "client_spoke_first" && --found->second.count == 0) all.erase(found);
      raw.erase(opened);
      return;
    }
    if (type == "egress.denied" && plain(data, "verdict") == "deny")
      refused = plain(data, "code");
    else if (type != "egress.request" || plain(data, "rule") != "default")
      return;
    auto seen = observation_of(data);
    if (!is_usable(seen)) return;
    seen.refused = refused;
    const auto key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", seen.host, seen.port, seen.scheme, seen.method, seen.websocket, refused, seen.path);
    if (refused.empty() && seen.scheme == "tcp") raw[plain(data, "request")] = key;
    if (const auto [found, is_new] = all.emplace(key, std::move(seen)); !is_new) ++found->second.count;
  });
  if (!read) return std::unexpected(read.error());
  std::vector<Observation> list;
  for (auto& [key, seen] : all) list.push_back(std::move(seen));
  return list;
}

Result<RecordedPolicy> recorded_policy(const std::string& session_directory) {
  RecordedPolicy recorded;
  const auto read = read_session(session_directory, [&](const std::string& type, const nlohmann::json& data) {
    if (type == "policy.loaded") recorded = {plain(data, "file"), plain(data, "hash")};
  });
  if (!read) return std::unexpected(read.error());
  if (recorded.hash.empty()) return fail("no_policy", "the session does not say under which policy it ran");
  return recorded;
}

std::string learned_summary(const policy::Learned& learned) {
  std::string text = fmt::format("{} for {} from {}", counted(learned.rules, "rule"), counted(learned.hosts, "host"),
                                 counted(learned.requests, "request"));
  if (learned.connections > 0) text += " and " + counted(learned.connections, "connection");
  return text;
}

std::string learned_text(const policy::Learned& learned, const std::string& session) {
  constexpr std::size_t kShown = 50;
  std::string text = fmt::format("# Learned from {}: {}.\n# It allows what was asked for, good or bad: read it before you use it.\n", session,
                                 learned_summary(learned));
  if (!learned.left_out.empty()) text += "#\n# Asked for, and not allowed by this policy:\n";
  for (std::size_t i = 0; i < std::min(learned.left_out.size(), kShown); ++i) {
    const auto& [seen, why] = learned.left_out[i];
    text += fmt::format("#   {} ({}): {}\n", described(seen), counted(seen.count, "time"), printable(why, 300));
  }
  if (learned.left_out.size() > kShown) text += fmt::format("#   and {} more\n", learned.left_out.size() - kShown);
  return text + policy::to_yaml(learned.document, learned.comments);
}

Result<NewFile> NewFile::in(const std::string& path, bool numbered) {
  NewFile file;
  const auto slash = path.rfind('/');
  file.folder_name_ = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  file.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  file.numbered_ = numbered;
  if (file.name_.empty() || file.name_ == "." || file.name_ == "..") return fail("bad_file", printable(path, 300) + " is no file's name");
  const std::string folder = file.folder_name_.empty() ? "." : file.folder_name_;
  file.folder_ = UniqueFd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.folder_) return fail_errno("bad_file", "the folder of " + printable(path, 300) + " cannot be opened", errno);
  struct stat there {};
  if (!numbered && fstatat(file.folder_.get(), file.name_.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0)
    return fail("file_exists", printable(path, 300) + " is there already, and is not overwritten; remove it, or write to another file");
  return file;
}

Result<std::string> NewFile::write(const std::string& text) const {
  constexpr int kMost = 1000;
  const auto dot = name_.rfind('.');
  const std::string stem = dot == std::string::npos || dot == 0 ? name_ : name_.substr(0, dot);
  for (int number = 1; number <= (numbered_ ? kMost : 1); ++number) {
    const std::string name = number == 1 ? name_ : fmt::format("{}.{}{}", stem, number, name_.substr(stem.size()));
    const std::string path = folder_name_ + name;
    const UniqueFd file(openat(folder_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file && errno == EEXIST) continue;
    if (!file) return fail_errno("file_unwritable", printable(path, 300) + " cannot be written", errno);
    std::string_view left = text;
    while (!left.empty()) {
      const auto written = ::write(file.get(), left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        const int error = errno;
        unlinkat(folder_.get(), name.c_str(), 0);
        return fail_errno("file_unwritable", printable(path, 300) + " cannot be written", error);
      }
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    return path;
  }
  return fail("file_exists", printable(folder_name_ + name_, 300) + " is there already, and is not overwritten");
}

}  // namespace weir::cli
