#include "launch/process/program_location.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/unique_fd.h"
#include "launch/process/layers.h"
#include "launch/sandbox.h"

namespace weir::launch {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string head_of(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  char buffer[256];
  const ssize_t got = fd ? ::read(fd.get(), buffer, sizeof buffer) : -1;
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}

// Folders that hold more than programs: a program in one of them is shown alone.
bool is_too_wide(const std::string& folder, const std::string& home) {
  constexpr std::array<std::string_view, 9> kPrivate{"/.ssh",    "/.aws",   "/.config", "/.gnupg",      "/.kube",
                                                     "/.docker", "/.azure", "/.local",  "/.local/share"};
  if (is_within(home, folder)) return true;  // the home folder itself, or one that holds it
  if (depth_of(folder) < 2) return true;     // "/srv", "/data"
  return std::any_of(kPrivate.begin(), kPrivate.end(), [&](std::string_view name) {
    const std::string place = home + std::string(name);
    return folder == place || (is_within(folder, place) && !name.starts_with("/.local"));
  });
}

}  // namespace

std::string interpreter_of(std::string_view head) {
  if (!head.starts_with("#!")) return {};
  std::string_view line = trim(head.substr(2, head.find('\n') == std::string_view::npos ? head.npos : head.find('\n') - 2));
  const auto next_word = [&line] {
    line = trim(line);
    const auto end = line.find_first_of(" \t");
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(word.size());
    return word;
  };
  std::string_view word = next_word();
  if (word != "env" && !word.ends_with("/env")) return std::string(word);
  do word = next_word();
  while (!word.empty() && (word[0] == '-' || word.find('=') != std::string_view::npos));
  return std::string(word);
}

std::string installation_of(const std::string& path, const std::string& home) {
  const std::string folder = folder_of(path);
  const std::string name = name_of(folder);
  if (name == "bin" || name == "shims") {
    const std::string parent = folder_of(folder);
    // ~/.cargo also holds the registry's token, and ~/.local everything.
    if (!is_too_wide(parent, home) && parent != home + "/.cargo") return parent;
  }
  return is_too_wide(folder, home) ? path : folder;
}

std::vector<std::string> program_folders(const std::string& path, const std::string& home,
                                         const std::vector<std::string>& visible) {
  std::vector<std::string> out;
  const auto is_visible = [&](const std::string& file) {
    const auto holds = [&](const std::string& folder) { return is_within(file, folder); };
    return std::any_of(visible.begin(), visible.end(), holds) || std::any_of(out.begin(), out.end(), holds);
  };
  std::vector<std::string> programs{path};
  for (std::size_t i = 0; i < programs.size() && i < 8; ++i) {  // a script's interpreter may be a script
    const std::string program = programs[i];
    const std::string real = resolved(program);
    for (const std::string& file : {program, real})
      if (!is_visible(file)) out.push_back(installation_of(file, home));
    // rustup's programs in ~/.cargo/bin start the toolchains beside it.
    if (folder_of(program) == home + "/.cargo/bin" && ::access((home + "/.rustup").c_str(), F_OK) == 0 &&
        !is_visible(home + "/.rustup"))
      out.push_back(home + "/.rustup");
    if (const std::string interpreter = interpreter_of(head_of(real)); !interpreter.empty())
      if (auto found = find_command(interpreter)) programs.push_back(std::move(*found));
  }
  return out;
}

}  // namespace weir::launch
