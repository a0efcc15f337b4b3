#include "keeper/approvals_freeze.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "base/file.h"

namespace weir::keeper {
namespace {

constexpr int kAttempts = 100;  // of 2 ms

struct Process {
  char state = 0;
  pid_t parent = 0;
  pid_t group = 0;
};

std::optional<Process> look_at(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return std::nullopt;
  const auto name_end = text->rfind(')');  // the name before it may hold anything
  Process process;
  if (name_end == std::string::npos || std::sscanf(text->c_str() + name_end + 1, " %c %d %d", &process.state, &process.parent, &process.group) != 3)
    return std::nullopt;
  return process;
}

std::map<pid_t, Process> all_processes() {
  std::map<pid_t, Process> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const pid_t pid = std::atoi(entry->d_name);
    if (const auto process = look_at(pid)) all.emplace(pid, *process);
  }
  return all;
}

// How far below `root`; 0: it is not.
std::size_t depth_below(const std::map<pid_t, Process>& all, pid_t pid, pid_t root) {
  std::size_t depth = 0;
  for (auto at = all.find(pid); at != all.end() && depth < 10'000; at = all.find(at->second.parent)) {
    if (at->first == root) return depth;
    ++depth;
  }
  return 0;
}

bool stands(char state) { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }

}  // namespace

std::optional<FrozenProcesses> FrozenProcesses::freeze(pid_t root) {
  FrozenProcesses frozen;
  if (root <= 1) return std::nullopt;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool all_stand = true;
    const auto all = all_processes();
    if (!all.contains(root)) return std::nullopt;
    for (const auto& [pid, process] : all) {
      const std::size_t depth = depth_below(all, pid, root);
      if (depth == 0 || stands(process.state)) continue;
      all_stand = false;
      if (std::any_of(frozen.stopped_.begin(), frozen.stopped_.end(), [pid = pid](const Stopped& one) { return one.pid == pid; })) continue;
      UniqueFd descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      if (!descriptor) continue;  // it has ended, or there are too many: the next turn tells
      // The number may have come to mean another process since it was looked at; the descriptor cannot.
      const auto again = look_at(pid);
      if (!again || again->parent != process.parent) continue;
      if (syscall(SYS_pidfd_send_signal, descriptor.get(), SIGSTOP, nullptr, 0) != 0) continue;
      frozen.stopped_.push_back({pid, depth, std::move(descriptor)});
    }
    if (all_stand) return frozen;
    usleep(2000);
  }
  return std::nullopt;
}

FrozenProcesses::~FrozenProcesses() {
  std::stable_sort(stopped_.begin(), stopped_.end(), [](const Stopped& a, const Stopped& b) { return a.depth > b.depth; });
  for (const auto& one : stopped_) (void)syscall(SYS_pidfd_send_signal, one.process.get(), SIGCONT, nullptr, 0);
}

bool group_is_below(pid_t group, pid_t root) {
  const auto all = all_processes();
  return std::any_of(all.begin(), all.end(), [&](const auto& entry) {
    return entry.second.group == group && (entry.first == root || depth_below(all, entry.first, root) > 0);
  });
}

pid_t parent_of(pid_t pid) {
  const auto process = look_at(pid);
  return process ? process->parent : 0;
}

}  // namespace weir::keeper
