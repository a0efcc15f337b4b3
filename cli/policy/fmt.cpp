// `weir policy fmt`: policy files in their usual form.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/text.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "policy/formatting.h"

namespace weir::cli {

namespace {

struct Options {
  std::vector<std::string> files;
  bool check = false;
  bool write = false;
  bool json = false;
};

struct File {
  std::string name;
  std::string text;
  policy::Formatted formatted;
  bool differs() const { return formatted.ok() && formatted.text != text; }
};

Result<std::string> read(const std::string& name) {
  if (name != "-") return read_file(name);
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  if (std::cin.bad()) return fail("read_failed", "standard input cannot be read");
  return text;
}

Result<void> write(const File& file) {
  struct stat now{};
  if (::stat(file.name.c_str(), &now) != 0) return fail("write_failed", printable(file.name) + " cannot be written");
  // A symbolic link would be replaced by a file: what it points to is meant.
  std::error_code failed;
  const auto target = std::filesystem::canonical(file.name, failed);
  if (failed) return fail("write_failed", fmt::format("{}: {}", printable(file.name), failed.message()));
  return replace_file(target.string(), file.formatted.text, now.st_mode & 07777U);
}

Json to_json(const File& file, const Options& options) {
  Json json = {{"file", file.name}, {"ok", file.formatted.ok()}, {"differs", file.differs()}};
  Json diagnostics = Json::array();
  for (const auto& diagnostic : file.formatted.diagnostics) diagnostics.push_back(cli::to_json(diagnostic));
  json["diagnostics"] = diagnostics;
  if (!options.check && !options.write && file.formatted.ok()) json["text"] = file.formatted.text;
  return json;
}

int run(const Options& options) {
  if (options.check && options.write) return complain("--check and --write do not go together");
  std::vector<File> files;
  for (const auto& name : options.files) {
    if (name == "-" && options.write) return complain("--write needs a file: standard input cannot be written to");
    const auto text = read(name);
    if (!text) return complain(text.error().message);
    files.push_back({name, *text, policy::format_text(*text, name == "-" ? "standard input" : name)});
  }
  const bool all_good = std::ranges::all_of(files, [](const File& file) { return file.formatted.ok(); });
  // Nothing is written when one of the files is bad.
  if (options.write && all_good)
    for (const auto& file : files)
      if (file.differs())
        if (const auto written = write(file); !written) return complain(written.error().message);

  if (options.json) {
    Json list = Json::array();
    for (const auto& file : files) list.push_back(to_json(file, options));
    print(list);
  } else {
    for (const auto& file : files) {
      print_diagnostics(file.formatted.diagnostics);
      if (!file.formatted.ok())
        complain(printable(file.name) + " is left as it is");
      else if (!all_good)
        continue;
      else if (options.check || options.write)
        print(file.differs() ? file.name + "\n" : std::string());
      else
        print(file.formatted.text);
    }
  }
  if (!all_good) return 2;
  return options.check && std::ranges::any_of(files, &File::differs) ? 1 : 0;
}

}  // namespace

void add_policy_fmt(CLI::App& policy, int& status) {
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb =
      policy.add_subcommand("fmt", "Policy files in their usual form, comments kept (--check: exit 1 if one is not)");
  verb->add_option("FILE", options->files, "policy files; - reads standard input")->required();
  verb->add_flag("--check", options->check, "only name the files that are not in this form");
  verb->add_flag("--write", options->write, "write the files instead of printing them, and name those that changed");
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = run(*options); });
}

}  // namespace weir::cli
