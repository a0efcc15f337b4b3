// Profiles as YAML: one strict reader, errors with line and column.
#include "launch/profile.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "base/paths.h"
#include "base/text.h"

namespace weir::launch {
namespace {

// Thrown and caught within this file: yaml-cpp reports by exceptions as well, and one way out reads better than two.
struct Problem {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] void complain(const YAML::Node& node, std::string message) { throw Problem{node.Mark(), std::move(message)}; }

std::string scalar(const YAML::Node& node, const std::string& what) {
  if (!node.IsScalar()) complain(node, what + " must be a text");
  if (node.Scalar().find('\0') != std::string::npos) complain(node, what + " must not hold a NUL");
  return node.Scalar();
}

bool boolean(const YAML::Node& node, const std::string& what) {
  const std::string text = scalar(node, what);
  if (text != "true" && text != "false") complain(node, what + " must be `true` or `false`");
  return text == "true";
}

std::vector<std::string> list(const YAML::Node& node, const std::string& what) {
  if (!node.IsSequence()) complain(node, what + " must be a list: [one, two]");
  std::vector<std::string> out;
  for (const auto& item : node) out.push_back(scalar(item, "an entry of " + what));
  return out;
}

// Calls `take(key, value)` for each entry; refuses anything but a mapping, an unknown key, and one given twice.
template <std::size_t N, class Take>
void each(const YAML::Node& node, const std::string& what, const std::array<std::string_view, N>& known, Take take) {
  if (!node.IsMap()) complain(node, what + " must be a mapping (`key: value`)");
  std::vector<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = scalar(entry.first, "a key");
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      std::string message = "unknown key `" + printable(key, 80) + "` in " + what;
      if (const auto near = nearest(key, known)) message += "; did you mean `" + std::string(*near) + "`?";
      complain(entry.first, message);
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      complain(entry.first, "`" + key + "` is given twice in " + what);
    seen.push_back(key);
    take(std::string_view(key), entry.second);
  }
}

std::string path_of(const YAML::Node& node, const std::string& what) {
  std::string path = scalar(node, what);
  if (path == "~" || path.starts_with("~/")) path.replace(0, 1, home_directory());
  if (!path.starts_with('/')) complain(node, what + " must start with `~/` or `/`");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Mount mount_of(const YAML::Node& node) {
  Mount mount;
  std::string mode = "read-only";
  each(node, "a mount", std::to_array<std::string_view>({"path", "source", "mode", "optional", "create", "file", "content"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "path") mount.target = path_of(value, "`path`");
         if (key == "source") mount.source = path_of(value, "`source`");
         if (key == "optional") mount.optional = boolean(value, "`optional`");
         if (key == "create") mount.create = boolean(value, "`create`");
         if (key == "file") mount.is_file = boolean(value, "`file`");
         if (key == "content") mount.content = scalar(value, "`content`");
         if (key == "mode") {
           mode = scalar(value, "`mode`");
           if (mode != "read-only" && mode != "read-write" && mode != "hidden")
             complain(value, "`mode` must be read-only, read-write or hidden");
         }
       });
  if (mount.target.empty()) complain(node, "a mount needs a `path`");
  mount.hidden = mode == "hidden";
  if (mode == "read-write") mount.mode = Mount::Mode::read_write;
  const bool from_host = !mount.hidden && !mount.content;
  if (!from_host && (!mount.source.empty() || mount.create || mount.optional))
    complain(node, "a mount that is hidden or has `content` takes nothing from the host");
  if (mount.hidden && mount.content) complain(node, "a mount is either hidden or has `content`");
  if (mount.optional && mount.create) complain(node, "a mount is either `optional` or made with `create`");
  if (from_host && mount.source.empty()) mount.source = mount.target;
  return mount;
}

ProfileCredential credential_of(const YAML::Node& node) {
  ProfileCredential out;
  each(node, "a credential", std::to_array<std::string_view>({"credential", "from", "missing"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "credential") out.credential = scalar(value, "`credential`");
         if (key == "missing") out.missing = std::string(trim(scalar(value, "`missing`")));
         if (key == "from") {
           out.from = list(value, "`from`");
           for (const std::string& source : out.from)
             if (!source.starts_with("env:") && !source.starts_with("file:") && !source.starts_with("store:"))
               complain(value,
                        "`" + printable(source, 80) + "` is no place of a secret; write env:NAME, file:PATH or store:ENTRY");
         }
       });
  if (out.credential.empty()) complain(node, "a credential needs the name of the policy's credential: `credential: NAME`");
  if (out.from.empty()) complain(node, "a credential needs `from`: [env:NAME, store:ENTRY]");
  return out;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Profile profile_of(const YAML::Node& root, const std::string& name) {
  Profile profile;
  profile.name = name;
  const auto each_of = [](const YAML::Node& node, const char* what, auto take) {
    if (!node.IsSequence()) complain(node, std::string(what) + " must be a list");
    for (const auto& item : node) take(item);
  };
  each(root, "the profile",
       std::to_array<std::string_view>(
           {"description", "commands", "policy", "mounts", "environment", "pass_environment", "credentials"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "description") profile.description = scalar(value, "`description`");
         if (key == "policy") profile.policy = scalar(value, "`policy` (write the policy's text after `policy: |`)");
         if (key == "mounts")
           each_of(value, "`mounts`", [&](const YAML::Node& item) { profile.mounts.push_back(mount_of(item)); });
         if (key == "credentials")
           each_of(value, "`credentials`",
                   [&](const YAML::Node& item) { profile.credentials.push_back(credential_of(item)); });
         if (key == "commands") {
           profile.commands = list(value, "`commands`");
           for (const std::string& command : profile.commands)
             if (command.empty() || command.find('/') != std::string::npos)
               complain(value, "a command is the bare name of a program, without folders");
         }
         if (key == "pass_environment") {
           profile.pass_environment = list(value, "`pass_environment`");
           for (const std::string& variable : profile.pass_environment)
             if (!is_variable_name(variable))
               complain(value, "`" + printable(variable, 80) + "` is not the name of an environment variable");
         }
         if (key == "environment") {
           if (!value.IsMap()) complain(value, "`environment` must be a mapping (`NAME: value`)");
           for (const auto& entry : value) {
             const std::string variable = scalar(entry.first, "a variable's name");
             if (!is_variable_name(variable))
               complain(entry.first, "`" + printable(variable, 80) + "` is not the name of an environment variable");
             if (!profile.environment.emplace(variable, scalar(entry.second, "`" + variable + "`")).second)
               complain(entry.first, "`" + variable + "` is given twice in `environment`");
           }
         }
       });
  if (profile.commands.empty()) complain(root, "the profile needs `commands`: the programs that it is for");
  return profile;
}

}  // namespace

Result<Profile> parse_profile(std::string_view text, const std::string& name) {
  const auto refuse = [&](const YAML::Mark& mark, const std::string& message) {
    const bool known = !mark.is_null() && mark.line >= 0;
    return fail("profile_invalid",
                known ? fmt::format("{}:{}:{}: {}", name, mark.line + 1, mark.column + 1, message) : name + ": " + message);
  };
  std::string stem = name.substr(name.rfind('/') + 1);
  if (stem.ends_with(".yaml")) stem.resize(stem.size() - 5);
  if (text.size() > (1U << 20)) return fail("profile_invalid", name + ": a profile of over 1 MiB");
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) return fail("profile_invalid", name + ": a profile is a mapping with at least `commands: […]`");
    return profile_of(root, stem);
  } catch (const Problem& problem) {
    return refuse(problem.mark, problem.message);
  } catch (const YAML::Exception& error) {
    return refuse(error.mark, "not valid YAML: " + error.msg);
  }
}

std::optional<Profile> profile_for_command(const std::vector<Profile>& all, const std::string& command) {
  const std::string name = command.substr(command.rfind('/') + 1);
  for (const Profile& profile : all)
    if (std::find(profile.commands.begin(), profile.commands.end(), name) != profile.commands.end()) return profile;
  return std::nullopt;
}

}  // namespace weir::launch
