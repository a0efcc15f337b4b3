#include "base/companion_program.h"

#include <unistd.h>

#include <filesystem>

namespace weir {

Result<std::string> companion_program(const std::string& name) {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& path : {folder / name, folder / "../libexec/weir" / name})
    if (!error && ::access(path.c_str(), X_OK) == 0) return std::filesystem::weakly_canonical(path, error).string();
  return fail("companion_missing", name + " is neither in " + folder.string() + " nor in " + (folder / "../libexec/weir").string() +
                                       "; install weir again, whole");
}

}  // namespace weir
