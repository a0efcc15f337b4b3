// pip: the indexes of its configuration and environment, else the one that is built into it.
#include <algorithm>
#include <filesystem>
#include <future>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"

namespace weir::launch {

namespace {

// A Python string literal as repr() writes it; escapes that a URL cannot hold are left as they are.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.back() != text.front()) return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    if (escaped == 'n' || escaped == 't' || escaped == 'r')
      out += ' ';
    else if (escaped == '\\' || escaped == '\'' || escaped == '"')
      out += escaped;
    else
      (out += '\\') += escaped;
  }
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; (start = text.find_first_not_of(" \t\r\n", start)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(" \t\r\n", start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

// An index at …/simple has its files beside that folder as a rule: …/packages, …/files, …/+f.
std::string folder_of_index(const std::string& url) {
  std::string shown = shown_url(url);
  while (shown.ends_with('/')) shown.pop_back();
  const auto slash = shown.rfind('/');
  if (slash == std::string::npos) return shown;
  const auto last = shown.substr(slash + 1);
  return last == "simple" || last == "+simple" ? shown.substr(0, slash + 1) : shown;
}

bool is_url(std::string_view text) { return text.find("://") != std::string_view::npos; }

std::string host_of(const std::string& url) {
  const std::string shown = shown_url(url);
  const auto start = shown.find("://");
  return start == std::string::npos ? "" : to_lower(shown.substr(start + 3, shown.find_first_of(":/", start + 3) - start - 3));
}

using Settings = std::map<std::string, std::string>;  // "install.index-url"

std::optional<std::string> value_for(const Settings& settings, const std::string& command, const std::string& option) {
  for (const auto& section : {std::string(":env:"), command, std::string("global")})  // what pip lets win
    if (const auto found = settings.find(section + "." + option); found != settings.end()) return found->second;
  return std::nullopt;
}

bool is_true(const std::optional<std::string>& value) {
  return value && std::ranges::any_of(std::array{"1", "true", "yes", "on", "y", "t"},
                                      [&](const char* word) { return equals_ignoring_case(*value, word); });
}

// The interpreter that has pip: what /usr/bin/pip itself says, or the python3 beside it.
Result<std::string> python_of_pip(const Surroundings& host) {
  auto pip = host.find("pip3");
  if (!pip) pip = host.find("pip");
  if (pip) {
    const auto head = read_file(*pip, 1U << 20);
    if (head && head->starts_with("#!/")) {
      std::string line(trim(std::string_view(*head).substr(2, head->find('\n') - 2)));
      const auto name = line.substr(line.rfind('/') + 1);
      if (line.find(' ') == std::string::npos && name.starts_with("python") && !host.in_sandbox_hands(line)) return line;
    }
    const std::string beside = pip->substr(0, pip->rfind('/')) + "/python3";
    std::error_code error;
    if (std::filesystem::exists(beside, error) && !host.in_sandbox_hands(beside)) return beside;
  }
  auto python = host.find("python3");
  if (python) return python;
  return fail(pip ? "tool_missing" : pip.error().code, pip ? "python3 is not installed on this host, and pip needs it" : pip.error().message);
}

}  // namespace

Result<Findings> read_pip(std::string_view list, const PipBuiltIn& built_in) {
  Settings settings;
  for (const auto line : split(list, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string key = to_lower(trim(line.substr(0, equals)));
    std::ranges::replace(key, '_', '-');
    settings[key] = unquoted(trim(line.substr(equals + 1)));
  }
  Findings found;
  const auto add = [&](std::string_view role, const std::string& url, const std::string& from) {
    if (std::ranges::any_of(found.origins, [&](const auto& origin) { return origin.url == from; })) return;
    found.origins.push_back(Origin{.role = std::string(role), .url = from});
    if (!built_in.files.empty() && host_of(url) == host_of(built_in.index))
      found.origins.push_back(Origin{.role = "files", .url = "https://" + built_in.files + "/", .whole_host = true});
  };
  for (const std::string command : {"install", "download", "wheel"}) {
    if (!is_true(value_for(settings, command, "no-index"))) {
      const auto index = value_for(settings, command, "index-url");
      if (!index && built_in.index.empty())
        return fail("tool_failed", "pip names no index, and does not tell the one that is built into it (write rules for its hosts)");
      const auto url = std::string(trim(index.value_or(built_in.index)));
      add("index", url, folder_of_index(url));
      for (const auto& extra : words_of(value_for(settings, command, "extra-index-url").value_or("")))
        add("extra index", extra, folder_of_index(extra));
    }
    for (const auto& link : words_of(value_for(settings, command, "find-links").value_or("")))
      if (is_url(link)) add("links", link, link);
  }
  if (found.origins.empty()) found.notes.emplace_back("an index, since pip's configuration says no-index");
  return found;
}

std::vector<std::string> read_pip_files(std::string_view debug) {
  std::vector<std::string> files;
  for (const auto line : split(debug, '\n')) {
    const auto end = line.rfind(", exists:");
    const auto file = trim(line.substr(0, end));
    if (end != std::string_view::npos && file.starts_with('/')) files.emplace_back(file);
  }
  return files;
}

Result<Findings> ask_pip(const Surroundings& host) {
  const auto python = python_of_pip(host);
  if (!python) return std::unexpected(python.error());
  ToolCall list{.program = *python, .arguments = {"-m", "pip", "config", "list"}, .environment = host.environment()};
  list.environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1";
  list.environment["PYTHONDONTWRITEBYTECODE"] = "1";
  ToolCall debug = list, built_in = list;
  debug.arguments.back() = "debug";
  built_in.arguments = {"-c", "from pip._internal.models.index import PyPI as p; print(p.simple_url, p.file_storage_domain)"};
  auto debug_said = std::async(std::launch::async, [&] { return ask_tool(debug); });
  auto built_in_said = std::async(std::launch::async, [&] { return ask_tool(built_in); });
  const auto said = ask_tool(list);
  const auto files = debug_said.get();
  const auto own = built_in_said.get();
  if (!said) {
    if (said.error().message.find("No module named pip") != std::string::npos)
      return fail("tool_missing", "pip is not installed on this host (install it, or write rules for its hosts)");
    return std::unexpected(said.error());
  }
  if (!files) return std::unexpected(files.error());
  for (const auto& file : read_pip_files(*files))
    if (auto good = check_configuration(host, "pip", file); !good) return std::unexpected(good.error());
  PipBuiltIn known;
  if (own)
    if (const auto words = words_of(*own); words.size() == 2) known = {words[0], words[1]};
  auto found = read_pip(*said, known);
  if (found) found->asked = {command_line(list)};
  return found;
}

}  // namespace weir::launch
