#include "cli/project_policy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

std::string directory() { return state_directory() + "/projects"; }
std::string record_of(const std::string& path) { return directory() + "/" + sha256_label(path).substr(7, 40); }

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

// File systems stamp with the coarse clock, which lags behind by a tick, or with the fine one (multigrain timestamps): a period
// begins by the one and ends by the other, so that every change within it has a time within it.
std::string clock_text(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::to_string(nanoseconds(time));
}

// One line a fact, appended whole.
void append_line(const std::string& record, const std::string& line) {
  const UniqueFd file(::open(record.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  const std::string whole = line + "\n";
  if (file) (void)!::write(file.get(), whole.data(), whole.size());
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Lines "start T" and "end T U": a sandbox began at T; the one that began at T ended at U.
bool ran_at(const std::string& record, std::uint64_t when) {
  const auto text = read_file(record);
  if (!text) return false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> periods;
  for (const auto line : split(*text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[0] == "start") periods.emplace_back(number(words[1]), UINT64_MAX);
    if (words.size() != 3 || words[0] != "end") continue;
    for (auto& period : periods)
      if (period.first == number(words[1])) period.second = number(words[2]);
  }
  return std::any_of(periods.begin(), periods.end(), [&](const auto& period) { return period.first <= when && when <= period.second; });
}

// The newer of the change times of the file and of what it links to; 0 when it is not there.
std::uint64_t change_time(const std::string& file) {
  struct stat own {};
  struct stat target {};
  if (lstat(file.c_str(), &own) != 0) return 0;
  if (stat(file.c_str(), &target) != 0) return nanoseconds(own.st_ctim);
  return std::max(nanoseconds(own.st_ctim), nanoseconds(target.st_ctim));
}

}  // namespace

SandboxPeriod::SandboxPeriod(const std::vector<std::string>& folders) : started_(clock_text(CLOCK_REALTIME_COARSE)) {
  if (!make_directories(directory(), 0700)) return;
  for (const auto& folder : folders) {
    records_.push_back(record_of(folder));
    append_line(records_.back(), "start " + started_);
  }
}

SandboxPeriod::~SandboxPeriod() {
  for (const auto& record : records_) append_line(record, "end " + started_ + " " + clock_text(CLOCK_REALTIME));
}

bool may_be_a_sandboxs_work(const std::string& file) {
  const std::uint64_t changed = change_time(file);
  if (changed == 0) return false;
  if (const auto accepted = read_file(record_of(file) + ".accepted"); accepted && number(*accepted) == changed) return false;
  std::error_code error;
  const fs::path target = fs::weakly_canonical(file, error);
  for (const fs::path& start : {fs::path(file), error ? fs::path(file) : target})
    for (fs::path folder = start.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      if (ran_at(record_of(folder.string()), changed)) return true;
      if (folder == folder.root_path()) break;
    }
  return false;
}

void accept_policy(const std::string& file) {
  if (make_directories(directory(), 0700)) (void)replace_file(record_of(file) + ".accepted", std::to_string(change_time(file)) + "\n", 0600);
}

}  // namespace weir::cli
