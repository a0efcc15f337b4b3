#include "cli/sessions.h"

#include <vector>

#include "base/paths.h"
#include "base/text.h"
#include "events/reader.h"

namespace weir::cli {

Result<std::string> find_session(const std::string& wanted) {
  const std::string root = sessions_directory();
  auto sessions = events::list_sessions(root);
  if (!sessions) return std::unexpected(sessions.error());
  if (sessions->empty())
    return fail("no_session", "there is no session yet in " + root + "; `weir run -- COMMAND` makes one");
  if (wanted.empty()) return root + "/" + sessions->front().id;
  std::vector<std::string> matches;
  for (const auto& session : *sessions)
    if (session.id.starts_with(wanted)) matches.push_back(session.id);
  if (matches.size() == 1) return root + "/" + matches.front();
  if (matches.empty())
    return fail("no_session", "there is no session `" + printable(wanted, 80) + "`; `weir log sessions` lists them");
  return fail("ambiguous_session",
              "more than one session begins with `" + printable(wanted, 80) + "`; write more of its name");
}

}  // namespace weir::cli
