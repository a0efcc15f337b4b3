#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

struct LimitsReader {
  Diagnostics& diagnostics;
  Limits& limits;
};

template <class T, class Out>
void take(LimitsReader& reader, const YamlNode& value, std::string_view what, Read<T> (*read)(std::string_view), Out& out) {
  const auto word = read_text(reader.diagnostics, value, what);
  if (!word) return;
  if (const auto number = read(word->text))
    out = static_cast<Out>(*number);
  else
    reader.diagnostics.error(word->place, number.error());
}

Read<std::uint64_t> read_inspected(std::string_view text) {
  auto size = read_size(text);
  if (size && *size > kMaxInspected)
    return std::unexpected(
        Problem{"`inspected_body` is more than 64MiB", "it is held in memory for each request that needs it"});
  return size;
}

constexpr Key<LimitsReader> kLimitsKeys[] = {
    {"connections", "Open at the same time", shape::connections,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       constexpr auto count = [](std::string_view text) { return read_count(text, 1, 1'000'000); };
       take<std::uint64_t>(reader, value, "connections", count, reader.limits.connections);
     }},
    {"request_body", "Octets of one request", shape::size,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "request_body", read_size, reader.limits.request_body);
     }},
    {"response_body", "Octets of one response", shape::size,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "response_body", read_size, reader.limits.response_body);
     }},
    {"requests_per_minute", "Of the whole sandbox", shape::requests,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       constexpr auto count = [](std::string_view text) { return read_count(text, 1, 1'000'000'000); };
       take<std::uint64_t>(reader, value, "requests_per_minute", count, reader.limits.requests_per_minute);
     }},
    {"inspected_body", "Octets of a body that a `graphql`, `jsonrpc` or `mcp` rule reads", shape::inspected_size,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "inspected_body", read_inspected, reader.limits.inspected_body);
     }},
    {"approval_wait", "How long a request that asks is held: 5min", shape::duration,
     [](LimitsReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "approval_wait", read_duration, reader.limits.approval_seconds);
     }},
};

}  // namespace

void read_limits(Diagnostics& diagnostics, const YamlNode& node, Limits& limits) {
  LimitsReader reader{diagnostics, limits};
  read_section(diagnostics, node, "`limits`", kLimitsKeys, reader);
}

Schema limits_schema() { return section_schema(kLimitsKeys); }

}  // namespace weir::policy
