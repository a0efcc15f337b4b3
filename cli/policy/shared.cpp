#include "cli/policy/shared.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "launch/package_sources.h"

namespace weir::cli {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print(const Json& json) { print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

Json to_json(const policy::Place& place) { return {{"file", place.file}, {"line", place.line}, {"column", place.column}}; }

Json to_json(const policy::Diagnostic& diagnostic) {
  Json json = {{"severity", diagnostic.severity == policy::Diagnostic::Severity::error ? "error" : "warning"}};
  json.update(to_json(diagnostic.place));
  json["message"] = diagnostic.message;
  json["hint"] = diagnostic.hint;
  json["source_line"] = diagnostic.source_line;
  return json;
}

std::string text_of(const policy::Place& place) {
  return fmt::format("{}:{}:{}", printable(place.file), place.line, place.column);
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void print_diagnostics(const std::vector<policy::Diagnostic>& diagnostics) {
  for (const auto& diagnostic : diagnostics) std::fputs((policy::format(diagnostic) + "\n").c_str(), stderr);
}

std::optional<policy::Document> document_from(const std::string& text, const std::string& file, int& status) {
  auto loaded = policy::load_text(text, file, launch::PackagePresets{});
  if (!loaded.ok()) {
    print_diagnostics(loaded.diagnostics);
    status = complain(printable(file) + " has errors");
    return std::nullopt;
  }
  return std::move(loaded.document);
}

std::optional<policy::Document> load_document(const std::string& file, int& status) {
  const auto text = read_file(file);
  if (text) return document_from(*text, file, status);
  status = complain(text.error().message);
  return std::nullopt;
}

std::optional<policy::Policy> load_policy(const std::string& file, int& status) {
  auto document = load_document(file, status);
  if (!document) return std::nullopt;
  auto compiled = policy::Policy::compile(std::move(*document));
  if (!compiled) {
    status = complain(compiled.error().message);
    return std::nullopt;
  }
  return std::move(*compiled);
}

CLI::Option* add_json_flag(CLI::App* verb, bool& as_json) { return verb->add_flag("--json", as_json, "as JSON"); }

}  // namespace weir::cli
