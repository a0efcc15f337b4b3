#include <dirent.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/paths.h"
#include "launch/profile.h"

namespace weir::launch {

extern const std::span<const EmbeddedFile> kProfileFiles;

Result<std::vector<Profile>> profiles() {
  std::vector<Profile> all;
  // The user's first: the first that knows a command is the one that is taken.
  const std::string folder = config_directory() + "/profiles";
  std::vector<std::string> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(".yaml") && name.size() > 5 && name[0] != '.') files.emplace_back(name);
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const auto text = read_file(folder + "/" + file, 1U << 20);
    if (!text) return std::unexpected(text.error());
    auto profile = parse_profile(*text, folder + "/" + file);
    if (!profile) return std::unexpected(profile.error());
    all.push_back(std::move(*profile));
  }
  for (const EmbeddedFile& file : kProfileFiles) {
    if (std::any_of(all.begin(), all.end(), [&](const Profile& profile) { return profile.name == file.name; })) continue;
    auto profile = parse_profile(file.text, std::string(file.name) + ".yaml");
    if (!profile) return std::unexpected(profile.error());
    all.push_back(std::move(*profile));
  }
  return all;
}

}  // namespace weir::launch
