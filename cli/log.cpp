// `weir log`: the session's events, for people and for programs; `weir log verify`, `sessions`, `summary`.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/paths.h"
#include "base/text.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "cli/event_line.h"
#include "cli/log_summary.h"
#include "cli/sessions.h"
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

Result<std::string> earliest(const std::string& since) {
  if (since.empty()) return std::string();
  static const std::regex kAge("([0-9]{1,6})(s|m|h|d)");
  std::smatch parts;
  if (!std::regex_match(since, parts, kAge))
    return fail("bad_since", "--since " + since + ": write a number and s, m, h or d, such as 90m");
  const std::int64_t unit = parts[2] == "s" ? 1 : parts[2] == "m" ? 60 : parts[2] == "h" ? 3600 : 86400;
  return format_timestamp(wall_clock_us() - std::stoll(parts[1]) * unit * 1'000'000);
}

bool is_wanted(const nlohmann::json& event, const LogArguments& arguments, const std::string& from) {
  if (arguments.denied && !is_refusal(event)) return false;
  if (!arguments.type.empty() && plain(event, "type") != arguments.type) return false;
  if (!from.empty() && plain(event, "ts") < from) return false;
  if (arguments.host.empty()) return true;
  const auto data = event.find("data");
  if (data == event.end()) return false;
  for (const char* key : {"host", "name", "destination"})
    if (equals_ignoring_case(plain(*data, key), arguments.host)) return true;
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

// The terminal's width; 0 when it is none, so that nothing is left out for programs.
std::size_t columns() {
  winsize size{};
  if (isatty(1) != 1) return 0;
  return ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 100;
}

void print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

// nullopt, and a word on standard error, for a line that is no event.
std::optional<nlohmann::json> parse_event(const std::string& line) {
  auto event = nlohmann::json::parse(line, nullptr, false);
  if (event.is_object()) return event;
  complain("a line is not an event; `weir log verify` says more: " + printable(line, 200));
  return std::nullopt;
}

// Waits for more. False when there can be none: the session has ended, or nobody writes to it.
bool wait_for_more(Changes& changes, const std::string& directory, bool ended, bool& last_look) {
  if (ended || last_look) return false;
  std::fflush(stdout);
  if (!events::has_writer(directory)) {
    // It may have written its last between the reader's end and the question.
    last_look = true;
    return true;
  }
  changes.wait();
  return true;
}

int show(const LogArguments& arguments) {
  const auto directory = find_session(arguments.session);
  if (!directory) return complain(directory.error().message);
  const auto from = earliest(arguments.since);
  if (!from) return complain(from.error().message);
  EventLines lines(columns(), isatty(1) == 1 && std::getenv("NO_COLOR") == nullptr);
  Changes changes(*directory);  // before the first read, so that no change is missed
  events::LineReader reader(*directory);
  std::deque<std::string> newest;  // with --limit: held back until the record's end as it is now
  bool limited = arguments.limit > 0;
  bool ended = false;
  bool last_look = false;
  for (;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") {
      for (const auto& text : newest) print(text);
      newest.clear();
      limited = false;
      if (arguments.follow && wait_for_more(changes, *directory, ended, last_look)) continue;
      if (arguments.follow && !ended)
        std::fputs("weir: nobody writes to this session any more, and its end is not recorded\n", stderr);
      return 0;
    }
    if (!line) return complain(line.error().message);
    const auto event = parse_event(*line);
    if (!event) continue;
    lines.note(*event);
    if (plain(*event, "type") == "session.ended") ended = true;
    if (!is_wanted(*event, arguments, *from)) continue;
    const std::string text = arguments.json ? *line : lines.line(*event);
    if (!limited) {
      print(text);
      continue;
    }
    newest.push_back(text);
    if (newest.size() > arguments.limit) newest.pop_front();
  }
}

int summarize(const std::string& session) {
  const auto directory = find_session(session);
  if (!directory) return complain(directory.error().message);
  events::LineReader reader(*directory);
  LogSummary summary;
  for (;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") break;
    if (!line) return complain(line.error().message);
    if (const auto event = parse_event(*line)) summary.add(*event);
  }
  std::fputs(summary.text().c_str(), stdout);
  return 0;
}

int verify(const std::string& session) {
  const auto directory = find_session(session);
  if (!directory) return complain(directory.error().message);
  const auto verified = events::verify(*directory);
  if (!verified) return complain(verified.error().message);
  const std::string name = directory->substr(directory->rfind('/') + 1);
  if (verified->ok) {
    const char* how = verified->ended ? "" : verified->live ? "; it is still being written" : "; its end is not recorded";
    std::printf("%s: %llu events, the chain is whole%s\n", name.c_str(), static_cast<unsigned long long>(verified->events),
                how);
    return 0;
  }
  std::printf("%s: BROKEN at %s (%llu events before it are whole)\n", name.c_str(),
              printable(verified->problem, 500).c_str(), static_cast<unsigned long long>(verified->events));
  return 1;
}

int list() {
  const auto sessions = events::list_sessions(sessions_directory());
  if (!sessions) return complain(sessions.error().message);
  for (const auto& session : *sessions) {
    const bool live = events::has_writer(sessions_directory() + "/" + session.id);
    std::printf("%s  %s%s\n", printable(session.id, 80).c_str(), format_timestamp(session.started_us).c_str(),
                live ? "  running" : "");
  }
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
  auto* verify_verb =
      verb->add_subcommand("verify", "Check sequence and hash chain; exit 1 and name the first bad line if they are broken");
  auto verify_session = std::make_shared<std::string>();
  verify_verb->add_option("session", *verify_session, "Session (default: the newest)");
  auto* sessions_verb = verb->add_subcommand("sessions", "List the sessions, the newest first");
  auto* summary_verb =
      verb->add_subcommand("summary", "Hosts with counts and bytes, what was refused first; which credential went where");
  auto summary_session = std::make_shared<std::string>();
  summary_verb->add_option("session", *summary_session, "Session (default: the newest)");
  verb->callback([=, &status] {
    if (verify_verb->parsed()) {
      status = verify(*verify_session);
    } else if (summary_verb->parsed()) {
      status = summarize(*summary_session);
    } else if (sessions_verb->parsed()) {
      status = list();
    } else {
      status = show(*arguments);
    }
  });
}

}  // namespace weir::cli
