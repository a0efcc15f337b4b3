// What the verbs of `weir policy` have in common: reading policies, printing for people and for programs.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "policy/loader.h"
#include "policy/policy.h"

namespace weir::cli {

using Json = nlohmann::ordered_json;

void print(const std::string& text);
void print(const Json& json);  // indented; what is not UTF-8 is replaced, so that it stays JSON

Json to_json(const policy::Place& place);
Json to_json(const policy::Diagnostic& diagnostic);
std::string text_of(const policy::Place& place);                     // "file:3:5"
std::string count_of(std::size_t count, std::string_view noun);      // "1 rule", "2 rules"
void print_diagnostics(const std::vector<policy::Diagnostic>& diagnostics);  // to standard error

// Every verb reads policy files through these. On failure what is wrong is on standard error and `status` is 2.
std::optional<policy::Document> load_document(const std::string& file, int& status);
std::optional<policy::Document> document_from(const std::string& text, const std::string& file, int& status);  // `file`'s text
std::optional<policy::Policy> load_policy(const std::string& file, int& status);

// A `--json` flag, the same for every verb.
CLI::Option* add_json_flag(CLI::App* verb, bool& as_json);

}  // namespace weir::cli
