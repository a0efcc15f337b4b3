#include "policy/loading/shapes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "policy/document/check.h"
#include "policy/document/rule_keys.h"

namespace weir::policy {

namespace {

// Expressions are ECMA-262, which JSON Schema 2020-12 §6.4 names.
constexpr std::string_view kHost =
    R"re(^(\*|(\*\.)?[^\s*/:\[\].]+(\.[^\s*/:\[\].]+)*\.?|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?$)re"
    R"re(|^[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$)re";
constexpr std::string_view kDestination =
    R"re(^(\*|(\*\.)?[^\s*/:\[\].]+(\.[^\s*/:\[\].]+)*\.?|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}$)re";
constexpr std::string_view kToken = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";  // RFC 9110 §5.6.2
constexpr std::string_view kSize = "^(0|[1-9][0-9]*)(KiB|MiB|GiB|TiB)?$";

Schema list_of(Schema item) {
  return {{"type", "array"}, {"minItems", 1}, {"uniqueItems", true}, {"items", std::move(item)}};
}
Schema matching(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }
Schema one_of(const Schema& values) { return {{"enum", values}}; }
Schema whole(std::uint64_t least, std::uint64_t most) {
  return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}
Schema glob() { return {{"type", {"string", "number", "boolean"}}, {"maxLength", 1024}}; }

std::string window_pattern() {
  const std::string day = "(mon|tue|wed|thu|fri|sat|sun)";
  const std::string days = fmt::format("{0}(-{0})?(,{0}(-{0})?)*", day);
  const std::string times = "([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)";
  const std::string zone = "[A-Za-z][A-Za-z0-9_+/-]*";
  const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})";
  return fmt::format("^(({0})( {1})?( {2})?|{1}( {2})?|{3}/{3})$", days, times, zone, time);
}

}  // namespace

Schema map_of(std::span<const ShapedKey> keys) {
  Schema schema = {{"type", "object"}, {"additionalProperties", false}};
  Schema required = Schema::array();
  Schema& properties = schema["properties"] = Schema::object();
  for (const auto& key : keys) {
    Schema value = key.shape();
    value["description"] = key.about;
    properties[std::string(key.name)] = std::move(value);
    if (key.required) required.push_back(key.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

namespace shape {

Schema version() { return {{"const", 1}}; }
Schema text() { return {{"type", {"string", "number", "boolean"}}, {"minLength", 1}}; }
Schema words() { return list_of({{"type", "string"}, {"minLength", 1}}); }
Schema flag() { return {{"type", "boolean"}}; }
Schema action() { return one_of({"allow", "deny", "ask", "log"}); }
Schema default_action() { return one_of({"deny", "ask", "log"}); }
Schema hosts() { return list_of(matching(kHost)); }
Schema destinations() { return list_of(matching(kDestination)); }
Schema ports() { return list_of(whole(1, 65535)); }
Schema methods() { return list_of(matching("^[!#$%&'*+.^_`|~0-9A-Z-]+$")); }
Schema paths() { return list_of(matching("^/[^?#\\\\]*$")); }
Schema executables() { return list_of(matching("^/([^?#\\\\]*[^/?#\\\\])?$")); }
Schema networks() { return list_of(matching("^[0-9A-Fa-f.:]+/[0-9]{1,3}$")); }
Schema slash() { return one_of({"allow", "deny"}); }
Schema parameters() {
  return {{"type", "object"}, {"minProperties", 1}, {"propertyNames", {{"minLength", 1}}}, {"additionalProperties", glob()}};
}
Schema fields() {
  Schema not_these = Schema::array();
  for (const auto name : reserved_headers()) not_these.push_back(name);
  not_these.push_back("content-type");
  return {{"type", "object"},
          {"minProperties", 1},
          {"propertyNames", {{"pattern", fmt::format("^{}$", kToken)}, {"not", {{"enum", std::move(not_these)}}}}},
          {"additionalProperties", glob()}};
}
Schema media_types() { return list_of(matching("^[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+$")); }
Schema size() { return {{"anyOf", {{{"type", "integer"}, {"minimum", 0}}, matching(kSize)}}}; }
Schema inspected_size() { return {{"anyOf", {whole(0, kMaxInspected), matching("^(0|[1-9][0-9]*)(KiB|MiB)?$")}}}; }
Schema duration() { return matching("^[1-9][0-9]*(s|m|min|h)$"); }
Schema rate() { return matching("^[1-9][0-9]{0,6}/(s|min|h|day)$"); }
Schema windows() { return list_of(matching(window_pattern())); }
Schema globs() { return list_of(glob()); }
Schema operations() {
  Schema names = Schema::array();
  for (const auto name : kOperations) names.push_back(name);
  return list_of(one_of(names));
}
Schema passthrough() { return {{"const", "passthrough"}}; }
Schema source() { return matching("^(env:[A-Za-z_][0-9A-Za-z_]*|file:.+|store:[0-9A-Za-z._/-]+(@[1-9][0-9]*)?|exec:(/[^ ]*|\\[.+\\])|vault:[^/?# ]+/[^?# ]+(\\?[^#]+)?#.+)$"); }
Schema header() {
  Schema not_these = Schema::array();
  for (const auto name : reserved_headers()) not_these.push_back(name);
  return {{"type", "string"}, {"pattern", fmt::format("^{}$", kToken)}, {"not", {{"enum", std::move(not_these)}}}};
}
Schema format() { return matching(R"(\{secret\})"); }
Schema proxy() { return matching("^http://[^/@\\s]+:[1-9][0-9]{0,4}/?$"); }
Schema resolve() {
  return {{"type", "object"},
          {"additionalProperties", matching(R"re(^([0-9.]+|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?$)re")}};
}
Schema connections() { return whole(1, 1'000'000); }
Schema requests() { return whole(1, 1'000'000'000); }

}  // namespace shape

}  // namespace weir::policy
