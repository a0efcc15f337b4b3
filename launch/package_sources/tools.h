// The package managers that are asked. What each says is read by a function of its own, pure, so that it can be tested.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launch/package_sources/findings.h"
#include "launch/package_sources/surroundings.h"

namespace weir::launch {

Result<Findings> ask_npm(const Surroundings& host);
Result<Findings> ask_pip(const Surroundings& host);
Result<Findings> ask_cargo(const Surroundings& host);
Result<Findings> ask_go(const Surroundings& host);
Result<Findings> ask_apt(const Surroundings& host);

// "tool_untrusted": a tool's configuration lies where a sandbox can write.
Result<void> check_configuration(const Surroundings& host, std::string_view tool, const std::string& file);

// `npm config list --long`: lines such as `registry = "https://…"`.
struct NpmConfiguration {
  std::vector<Origin> origins;
  std::vector<std::string> files;  // that npm reads its configuration from
};
Result<NpmConfiguration> read_npm(std::string_view list);

// `pip config list`: lines such as global.index-url='https://…'. `built_in`: pip's own index and where its files are, or empty.
struct PipBuiltIn {
  std::string index;
  std::string files;  // a host
};
Result<Findings> read_pip(std::string_view list, const PipBuiltIn& built_in);
std::vector<std::string> read_pip_files(std::string_view debug);  // `pip config debug`: the files' names

// `go env -json`. `files`: where go reads its settings from.
struct GoConfiguration {
  Findings findings;
  std::vector<std::string> files;
};
Result<GoConfiguration> read_go(std::string_view json);

// `apt-get indextargets`, each line "URI SOURCESFILE:NUMBER".
struct AptSources {
  Findings findings;
  std::vector<std::string> files;
};
AptSources read_apt(std::string_view lines);

}  // namespace weir::launch
