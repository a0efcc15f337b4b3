// `weir profiles`: the agents that `weir run` knows without a policy file.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/verbs.h"
#include "launch/profile.h"

namespace weir::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + printable(word);
  return out;
}

void show_list(const std::vector<launch::Profile>& all) {
  std::size_t name_width = 4;
  std::size_t command_width = 8;
  for (const launch::Profile& profile : all) {
    name_width = std::max(name_width, printable(profile.name).size());
    command_width = std::max(command_width, joined(profile.commands).size());
  }
  fmt::print("{:<{}}  {:<{}}  {}\n", "NAME", name_width, "COMMANDS", command_width, "DESCRIPTION");
  for (const launch::Profile& profile : all)
    fmt::print("{:<{}}  {:<{}}  {}\n", printable(profile.name), name_width, joined(profile.commands), command_width,
               printable(profile.description));
}

std::string describe(const launch::Mount& mount) {
  const std::string target = printable(mount.target);
  if (mount.hidden) return target + "  hidden";
  if (mount.content) return target + "  made new for each sandbox";
  std::string out = target + (mount.mode == launch::Mount::Mode::read_write ? "  read-write" : "  read-only");
  if (mount.source != mount.target) out += ", from " + printable(mount.source);
  if (mount.optional) out += ", if it exists";
  if (mount.create) out += ", made when missing";
  return out;
}

void show_one(const launch::Profile& profile) {
  fmt::print("name:         {}\ncommands:     {}\ndescription:  {}\n", printable(profile.name), joined(profile.commands),
             printable(profile.description));
  for (const launch::ProfileCredential& credential : profile.credentials)
    fmt::print("credential:   {}, from {}\n", printable(credential.credential), joined(credential.from));
  for (const auto& [name, value] : profile.environment)
    fmt::print("environment:  {}={}\n", printable(name), printable(value));
  if (!profile.pass_environment.empty()) fmt::print("passed on:    {}\n", joined(profile.pass_environment));
  for (const launch::Mount& mount : profile.mounts) fmt::print("mount:        {}\n", describe(mount));
  fmt::print("policy:\n");
  for (const auto line : split(trim(profile.policy), '\n')) fmt::print("  {}\n", printable(line));
}

}  // namespace

void add_profiles(CLI::App& app, int& status) {
  CLI::App* verb = app.add_subcommand("profiles", "List the agents that `weir run` knows, and what it gives them");
  verb->require_subcommand(0, 1);
  auto name = std::make_shared<std::string>();
  CLI::App* show = verb->add_subcommand("show", "All of one profile: mounts, environment, credentials, policy");
  show->add_option("name", *name, "the profile's name")->required();
  verb->callback([show, name, &status] {
    const auto all = launch::profiles();
    if (!all) {
      status = complain(all.error().message);
      return;
    }
    if (!show->parsed()) {
      show_list(*all);
      return;
    }
    std::vector<std::string_view> names;
    for (const launch::Profile& profile : *all) {
      if (profile.name == *name) {
        show_one(profile);
        return;
      }
      names.emplace_back(profile.name);
    }
    std::string message = "there is no profile `" + printable(*name) + "`";
    if (const auto near = nearest(*name, names)) message += "; did you mean `" + std::string(*near) + "`?";
    status = complain(message + " (`weir profiles` lists them)");
  });
}

}  // namespace weir::cli
