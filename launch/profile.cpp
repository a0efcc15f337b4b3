// Profiles as YAML: one strict reader, errors with line and column.
#include "launch/profile.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "launch/logins/login.h"
#include "launch/yaml_reader.h"

namespace weir::launch {
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

namespace {

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

Profile profile_of(const YAML::Node& root, const std::string& name) {
  Profile profile;
  profile.name = name;
  each(root, "the profile",
       std::to_array<std::string_view>(
           {"description", "commands", "policy", "mounts", "environment", "pass_environment", "credentials", "login"}),
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
         if (key == "environment") profile.environment = variables(value, "`environment`");
         if (key == "login") profile.login = login_of(value);
       });
  if (profile.commands.empty() && !profile.login)
    complain(root, "the profile needs `commands`, the programs that it is for, or a `login`");
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
  } catch (const ProfileProblem& problem) {
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
