// cargo: what replaces its built-in registry, or that registry itself, and the registries of the configuration.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>

#include "base/file.h"
#include "base/text.h"
#include "launch/package_sources/cargo_config.h"
#include "launch/package_sources/connect_witness.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"

namespace weir::launch {

namespace {

namespace fs = std::filesystem;

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = "/tmp/weir-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

// The URL in what cargo says about its failure ("failed to fetch `https://…`") that is at `place` ("host:port").
std::string url_at(std::string_view said, std::string_view place) {
  const std::string host(place.substr(0, place.rfind(':')));
  for (std::size_t at = 0; (at = said.find('`', at)) != std::string_view::npos; ++at) {
    const auto end = said.find('`', at + 1);
    if (end == std::string_view::npos) break;
    const auto url = said.substr(at + 1, end - at - 1);
    for (const std::string_view scheme : {"https://", "http://"})
      for (const auto& authority : {host, std::string(place)})
        if (url.starts_with(std::string(scheme) + authority + "/")) return std::string(url);
  }
  return {};
}

// The index that is built into this cargo. It is made to look for a package through a proxy that notes where it wants to go
// and refuses; nothing leaves the host.
Result<std::string> built_in_index(const Surroundings& host, const std::string& cargo, const std::string& protocol, std::string& asked) {
  const ScratchFolder scratch;
  auto witness = ConnectWitness::start();
  if (!witness) return std::unexpected(witness.error());
  std::error_code error;
  fs::create_directory(scratch.path() + "/src", error);
  const auto written = replace_file(scratch.path() + "/Cargo.toml",
                                    "[package]\nname = \"probe\"\nversion = \"0.0.0\"\n[lib]\npath = \"lib.rs\"\n"
                                    "[dependencies]\nprobe-dependency = \"1\"\n[workspace]\n", 0600);
  if (scratch.path().empty() || !written || !replace_file(scratch.path() + "/lib.rs", "", 0600))
    return fail("tool_failed", "cannot write to /tmp, where cargo is asked about its registry");
  // Not in the scratch folder: cargo would look for a configuration in /tmp, where anybody can write one.
  ToolCall call{.program = cargo,
                .arguments = {"generate-lockfile", "--manifest-path", scratch.path() + "/Cargo.toml"},
                .environment = host.environment()};
  std::erase_if(call.environment, [](const auto& variable) {
    const std::string name = to_lower(variable.first);
    return name.ends_with("_proxy") || name.starts_with("cargo_");
  });
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"CARGO_HOME", scratch.path() + "/home"}, {"CARGO_HTTP_PROXY", (*witness)->url()}, {"CARGO_NET_RETRY", "0"},
           {"CARGO_NET_OFFLINE", "false"}, {"CARGO_NET_GIT_FETCH_WITH_CLI", "false"}, {"CARGO_TERM_COLOR", "never"}})
    call.environment[name] = value;
  if (!protocol.empty()) call.environment["CARGO_REGISTRIES_CRATES_IO_PROTOCOL"] = protocol;
  // rustup finds its toolchains beside cargo's home unless it is told.
  const auto answer = run_tool(call);
  if (!answer) return std::unexpected(answer.error());
  const auto places = (*witness)->finish();
  asked = "cargo generate-lockfile, with a proxy that only notes where cargo wants to go";
  for (const auto& place : places) {
    std::string url = url_at(answer->err, place);
    constexpr std::string_view kConfig = "config.json";
    if (url.ends_with("/" + std::string(kConfig))) return "sparse+" + url.substr(0, url.size() - kConfig.size());
    if (!url.empty()) return url;
  }
  return fail("tool_failed", places.empty() ? "cargo did not say where its registry is (name it in cargo's configuration, or write rules for its hosts)"
                                            : "cargo goes to " + printable(places.front(), 200) + " for its registry, and did not say where on it (write rules for its hosts)");
}

// An index's config.json, from where it is.
Result<std::string> config_of(const Surroundings& host, const Origin& index) {
  const std::string url = shown_url(index.url);
  if (!url.starts_with("https://") && !url.starts_with("http://")) return fail("index", "it is not at an http or https URL");
  const ScratchFolder scratch;
  ToolCall call{.program = {}, .arguments = {}, .environment = host.environment()};
  std::erase_if(call.environment, [](const auto& variable) { return variable.first.starts_with("GIT_"); });
  call.environment["GIT_TERMINAL_PROMPT"] = "0";
  call.time_limit = std::chrono::seconds(15);
  if (index.kind == Origin::Kind::files) {
    const auto curl = host.find("curl");
    if (!curl) return std::unexpected(curl.error());
    call.program = *curl;
    call.arguments = {"--silent", "--show-error", "--fail", "--location", "--max-time", "10", "--max-filesize", "65536", "--proto",
                      url.starts_with("https:") ? "=https" : "=http,https", "--", url + (url.ends_with('/') ? "" : "/") + "config.json"};
    auto answer = run_tool(call);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 0) return std::move(answer->out);
    return fail("index", without_passwords(trim(answer->err)));
  }
  const auto git = host.find("git");
  if (!git) return std::unexpected(git.error());
  if (scratch.path().empty()) return fail("index", "cannot write to /tmp");
  call.program = *git;
  const std::string copy = scratch.path() + "/index";
  // Only the newest commit; of its tree only what is asked for, where the server can do that.
  call.arguments = {"clone", "--quiet", "--bare", "--depth", "1", "--filter=tree:0", "--", url, copy};
  if (auto cloned = ask_tool(call); !cloned) return cloned;
  call.arguments = {"-C", copy, "show", "HEAD:config.json"};
  return ask_tool(call);
}

struct Registry {
  Origin index;
  std::string of;  // " of NAME", for roles
};

void add_downloads(const Surroundings& host, std::vector<Registry> registries, Findings& found) {
  std::vector<std::future<Result<std::string>>> answers;
  for (const auto& registry : registries)
    answers.push_back(std::async(std::launch::async, [&host, &registry] {
      auto config = config_of(host, registry.index);
      return config ? read_download_url(*config) : config;
    }));
  for (std::size_t i = 0; i < registries.size(); ++i) {
    const auto url = answers[i].get();
    found.origins.push_back(registries[i].index);
    if (url)
      found.origins.push_back(Origin{.role = "downloads" + registries[i].of, .url = *url, .told_by = registries[i].index.url});
    else
      found.notes.push_back("where crates" + registries[i].of + " are downloaded from, which " + shown_url(registries[i].index.url) +
                            " knows and could not tell (" + url.error().message + "); write a rule for it");
  }
}

std::string home_of_cargo(const Surroundings& host) {
  const auto set = host.variable("CARGO_HOME");
  return set.empty() ? host.home() + "/.cargo" : set.starts_with('/') ? set : "/" + set;
}

}  // namespace

Result<Findings> ask_cargo(const Surroundings& host) {
  const auto cargo = host.find("cargo");
  if (!cargo) return std::unexpected(cargo.error());
  const std::string home = home_of_cargo(host);
  std::string file = home + "/config";  // the old name wins where both are there, as in cargo
  std::error_code error;
  if (!fs::exists(file, error)) file += ".toml";
  if (auto good = check_configuration(host, "cargo", file); !good) return std::unexpected(good.error());
  std::string text;
  Findings found;
  if (fs::exists(file, error)) {
    auto read = read_file(file, 1U << 20);
    if (!read) return std::unexpected(read.error());
    text = std::move(*read);
    found.asked.push_back(file);
  }
  const auto configuration = read_cargo(text, host.environment());
  if (!configuration) return fail(configuration.error().code, configuration.error().message + " (" + printable(file, 300) + ")");
  found.notes = configuration->notes;
  std::vector<Registry> registries;
  if (!configuration->replaced) {
    std::string asked;
    const auto index = built_in_index(host, *cargo, configuration->protocol, asked);
    if (!index) return std::unexpected(index.error());
    found.asked.push_back(asked);
    registries.push_back({index_origin("index", *index), ""});
  } else if (!configuration->index.empty()) {
    registries.push_back({index_origin("index", configuration->index), ""});
  }
  for (const auto& [name, index] : configuration->registries)
    if (index != configuration->index) registries.push_back({index_origin("index of " + name, index), " of " + name});
  add_downloads(host, std::move(registries), found);
  return found;
}

}  // namespace weir::launch
