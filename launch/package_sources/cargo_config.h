// What cargo's configuration says about registries (The Cargo Book: Configuration, Source Replacement, Registries). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launch/package_sources/findings.h"

namespace weir::launch {

struct CargoConfiguration {
  bool replaced = false;  // the registry that is built into cargo is not used
  std::string index;      // what replaces it; empty: something that is not on the network, or nothing replaces it
  std::map<std::string, std::string> registries;  // by name: the index's URL
  std::string protocol;                           // asked for by name: "sparse", "git" or empty
  std::vector<std::string> notes;
};

// `toml`: config.toml of cargo's home, or empty. `environment`: CARGO_REGISTRIES_NAME_INDEX wins over the file.
Result<CargoConfiguration> read_cargo(std::string_view toml, const std::map<std::string, std::string>& environment);

// An index's URL as the rules need it: "sparse+https://host/index/" is files, anything else is a git repository.
Origin index_origin(const std::string& role, const std::string& index);

// The part of an index's config.json that says where crates are: the URL below which all of them lie.
Result<std::string> read_download_url(std::string_view config_json);

}  // namespace weir::launch
