#include "cli/project_policy.h"

#include <unistd.h>

#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/paths.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

std::string notes_prefix(const std::string& project) { return sha256_label(project).substr(7, 32); }

std::string notes_directory() { return state_directory() + "/projects"; }
bool has_policy(const std::string& project) { return ::access((project + "/weir.yaml").c_str(), F_OK) == 0; }

template <class Each>
void for_each_note(const std::string& project, Each each) {
  std::error_code error;
  const std::string prefix = notes_prefix(project);
  for (const auto& entry : fs::directory_iterator(notes_directory(), error))
    if (entry.path().filename().string().starts_with(prefix)) each(entry.path());
}

}  // namespace

ProjectWatch::ProjectWatch(std::string project) : project_(std::move(project)) {
  if (has_policy(project_)) return;
  if (!make_directories(notes_directory(), 0700)) return;
  const std::string note = notes_directory() + "/" + notes_prefix(project_) + "." + hex_encode(random_bytes(6));
  if (replace_file(note, project_ + "\n", 0600)) note_ = note;
}

ProjectWatch::~ProjectWatch() {
  if (!note_.empty() && !has_policy(project_)) ::unlink(note_.c_str());
}

bool ProjectWatch::appeared_in_sandbox(const std::string& project) {
  bool found = false;
  if (has_policy(project)) for_each_note(project, [&](const fs::path&) { found = true; });
  return found;
}

void ProjectWatch::believe(const std::string& project) {
  for_each_note(project, [](const fs::path& note) {
    std::error_code error;
    fs::remove(note, error);
  });
}

}  // namespace weir::cli
