#include "launch/yaml_reader.h"

#include <algorithm>

#include "base/paths.h"

namespace weir::launch {

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

std::string path_of(const YAML::Node& node, const std::string& what) {
  std::string path = scalar(node, what);
  if (path == "~" || path.starts_with("~/")) path.replace(0, 1, home_directory());
  if (!path.starts_with('/')) complain(node, what + " must start with `~/` or `/`");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::map<std::string, std::string> variables(const YAML::Node& node, const std::string& what) {
  if (!node.IsMap()) complain(node, what + " must be a mapping (`NAME: value`)");
  std::map<std::string, std::string> out;
  for (const auto& entry : node) {
    const std::string variable = scalar(entry.first, "a variable's name");
    if (!is_variable_name(variable))
      complain(entry.first, "`" + printable(variable, 80) + "` is not the name of an environment variable");
    if (!out.emplace(variable, scalar(entry.second, "`" + variable + "`")).second)
      complain(entry.first, "`" + variable + "` is given twice in " + what);
  }
  return out;
}

void check_keys(const YAML::Node& node, const std::string& what, std::span<const std::string_view> known) {
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
  }
}

}  // namespace weir::launch
