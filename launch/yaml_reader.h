// What the readers of profiles share: strict about keys, errors with the place. Private to launch/.
#pragma once

#include <yaml-cpp/yaml.h>

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "launch/logins/login.h"
#include "launch/sandbox.h"

namespace weir::launch {

// Thrown and caught within the reader of a profile: yaml-cpp reports by exceptions as well, and one way out reads better than two.
struct ProfileProblem {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] inline void complain(const YAML::Node& node, std::string message) {
  throw ProfileProblem{node.Mark(), std::move(message)};
}

std::string scalar(const YAML::Node& node, const std::string& what);
bool boolean(const YAML::Node& node, const std::string& what);
std::vector<std::string> list(const YAML::Node& node, const std::string& what);
std::string path_of(const YAML::Node& node, const std::string& what);  // ~ expanded, without a slash at its end
bool is_variable_name(std::string_view name);
Mount mount_of(const YAML::Node& node);  // an entry of `mounts`
Login login_of(const YAML::Node& node);  // what stands under `login`
std::map<std::string, std::string> variables(const YAML::Node& node, const std::string& what);  // NAME: value

// Refuses anything but a mapping, an unknown key, and one given twice.
void check_keys(const YAML::Node& node, const std::string& what, std::span<const std::string_view> known);

// Calls `take(key, value)` for each entry of a mapping that check_keys() is content with.
template <std::size_t N, class Take>
void each(const YAML::Node& node, const std::string& what, const std::array<std::string_view, N>& known, Take take) {
  check_keys(node, what, known);
  for (const auto& entry : node) take(std::string_view(entry.first.Scalar()), entry.second);
}

template <class Take>
void each_of(const YAML::Node& node, const std::string& what, Take take) {
  if (!node.IsSequence()) complain(node, what + " must be a list");
  for (const auto& item : node) take(item);
}

}  // namespace weir::launch
