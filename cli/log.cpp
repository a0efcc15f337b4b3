// `weir log`: the session's events, for people and for programs; `weir log verify`, `weir log sessions`.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/paths.h"
#include "base/text.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "cli/event_line.h"
#include "cli/verbs.h"
#include "events/reader.h"

namespace weir::cli {
namespace {

struct LogArguments {
  std::string session;
  bool follow = false;
  bool json = false;
  bool denied = false;
  std::string host;
  std::string type;
  std::string since;
  std::size_t limit = 0;
};

// The folder of the session that is meant: the newest without a name, else by its id or a unique beginning of it.
Result<std::string> find_session(const std::string& wanted) {
  const std::string root = sessions_directory();
  auto sessions = events::list_sessions(root);
  if (!sessions) return std::unexpected(sessions.error());
  if (sessions->empty()) return fail("no_session", "there is no session yet in " + root + "; `weir run -- COMMAND` makes one");
  if (wanted.empty()) return root + "/" + sessions->front().id;
  std::vector<std::string> matches;
  for (const auto& session : *sessions)
    if (session.id.starts_with(wanted)) matches.push_back(session.id);
  if (matches.size() == 1) return root + "/" + matches.front();
  if (matches.empty()) return fail("no_session", "there is no session `" + printable(wanted, 80) + "`; `weir log sessions` lists them");
  return fail("ambiguous_session", "more than one session begins with `" + printable(wanted, 80) + "`; write more of its name");
}

Result<std::string> earliest(const std::string& since) {
  if (since.empty()) return std::string();
  static const std::regex kAge("([0-9]{1,6})(s|m|h|d)");
  std::smatch parts;
  if (!std::regex_match(since, parts, kAge)) return fail("bad_since", "--since " + since + ": write a number and s, m, h or d, such as 90m");
  const std::int64_t unit = parts[2] == "s" ? 1 : parts[2] == "m" ? 60 : parts[2] == "h" ? 3600 : 86400;
  return format_timestamp(wall_clock_us() - std::stoll(parts[1]) * unit * 1'000'000);
}

bool is_wanted(const nlohmann::json& event, const LogArguments& arguments, const std::string& from) {
  if (arguments.denied && !is_refusal(event)) return false;
  if (!arguments.type.empty() && event.value("type", "") != arguments.type) return false;
  if (!from.empty() && event.value("ts", "") < from) return false;
  if (arguments.host.empty()) return true;
  const auto data = event.find("data");
  if (data == event.end() || !data->is_object()) return false;
  for (const char* key : {"host", "name", "destination"}) {
    const auto found = data->find(key);
    if (found != data->end() && found->is_string() && found->get<std::string>() == arguments.host) return true;
  }
  return false;
}

// Blocks until something in the folder changes, or a second has passed where inotify is not to be had.
class Changes {
 public:
  explicit Changes(const std::string& directory) : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_) inotify_add_watch(inotify_.get(), directory.c_str(), IN_MODIFY | IN_CREATE);
  }
  void wait() {
    pollfd waiting{inotify_.get(), POLLIN, 0};
    (void)poll(&waiting, 1, 1000);
    char drop[4096];
    while (inotify_ && read(inotify_.get(), drop, sizeof drop) > 0) {
    }
  }

 private:
  UniqueFd inotify_;
};

int show(const LogArguments& arguments) {
  const auto directory = find_session(arguments.session);
  if (!directory) return complain(directory.error().message);
  const auto from = earliest(arguments.since);
  if (!from) return complain(from.error().message);
  const bool colours = isatty(1) == 1 && std::getenv("NO_COLOR") == nullptr;
  events::LineReader reader(*directory);
  Changes changes(*directory);
  std::vector<std::string> last;  // with --limit: the newest only
  const auto print = [](const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
  };
  bool limited = arguments.limit > 0;
  for (bool ended = false;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") {
      if (limited)
        for (std::size_t i = last.size() > arguments.limit ? last.size() - arguments.limit : 0; i < last.size(); ++i) print(last[i]);
      limited = false;
      if (!arguments.follow || ended) return 0;
      std::fflush(stdout);
      changes.wait();
      continue;
    }
    if (!line) return complain(line.error().message);
    const auto event = nlohmann::json::parse(*line, nullptr, false);
    if (event.is_discarded() || !event.is_object()) {
      std::fprintf(stderr, "weir: a line is not an event: %s\n", printable(*line, 200).c_str());
      continue;
    }
    if (event.value("type", "") == "session.ended") ended = true;
    if (!is_wanted(event, arguments, *from)) continue;
    const std::string text = arguments.json ? *line : format_event(event, colours);
    if (limited) {
      last.push_back(text);
    } else {
      print(text);
    }
  }
}

int verify(const std::string& session) {
  const auto directory = find_session(session);
  if (!directory) return complain(directory.error().message);
  const auto verified = events::verify(*directory);
  if (!verified) return complain(verified.error().message);
  const std::string name = directory->substr(directory->rfind('/') + 1);
  if (verified->ok) {
    std::printf("%s: %llu events, the chain is whole\n", name.c_str(), static_cast<unsigned long long>(verified->events));
    return 0;
  }
  std::printf("%s: BROKEN at %s (%llu events before it are whole)\n", name.c_str(), printable(verified->problem, 500).c_str(),
              static_cast<unsigned long long>(verified->events));
  return 1;
}

int list() {
  const auto sessions = events::list_sessions(sessions_directory());
  if (!sessions) return complain(sessions.error().message);
  for (const auto& session : *sessions) std::printf("%s  %s\n", session.id.c_str(), format_timestamp(session.started_us).c_str());
  return 0;
}

}  // namespace

void add_log(CLI::App& app, int& status) {
  auto* verb = app.add_subcommand("log", "Show what a session did: every request, refusal, DNS question and dropped packet");
  auto arguments = std::make_shared<LogArguments>();
  verb->add_option("session", arguments->session, "Session (default: the newest)");
  verb->add_flag("-f,--follow", arguments->follow, "Go on until the session ends");
  verb->add_flag("--json", arguments->json, "The events as they are stored, one JSON object a line");
  verb->add_flag("--denied", arguments->denied, "Only what was refused");
  verb->add_option("--host", arguments->host, "Only what concerns this host");
  verb->add_option("--type", arguments->type, "Only events of this type, such as egress.request");
  verb->add_option("--since", arguments->since, "Only what is no older, such as 90m or 2h");
  verb->add_option("--limit", arguments->limit, "Only the newest N");
  auto* verify_verb = verb->add_subcommand("verify", "Check sequence and hash chain; exit 1 and name the first bad line if they are broken");
  auto verify_session = std::make_shared<std::string>();
  verify_verb->add_option("session", *verify_session, "Session (default: the newest)");
  auto* sessions_verb = verb->add_subcommand("sessions", "List the sessions, the newest first");
  verb->callback([=, &status] {
    if (verify_verb->parsed()) {
      status = verify(*verify_session);
    } else if (sessions_verb->parsed()) {
      status = list();
    } else {
      status = show(*arguments);
    }
  });
}

}  // namespace weir::cli
