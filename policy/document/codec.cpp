// A Document as CBOR (RFC 8949) for the channel between keeper and proxy.
#include <nlohmann/json.hpp>

#include "policy/document.h"
#include "policy/document/wire.h"

namespace weir::policy {

namespace {

Json globs_to_json(const std::vector<NamedGlob>& globs) {
  return list_to_json(globs, [](const NamedGlob& glob) { return Json::array({glob.name, glob.glob}); });
}
std::vector<NamedGlob> globs_from(const Json& json) {
  return list_from_json<NamedGlob>(
      json, [](const Json& item) { return NamedGlob{item.at(0).get<std::string>(), item.at(1).get<std::string>()}; });
}

Json window_to_json(const TimeWindow& window) {
  return Json::array({static_cast<unsigned>(window.kind), window.days, window.from, window.to, window.zone, window.zone_rule,
                      window.begin, window.end});
}
TimeWindow window_from(const Json& json) {
  return {.kind = enum_from(json.at(0), TimeWindow::Kind::interval),
          .days = json.at(1).get<std::uint8_t>(),
          .from = json.at(2).get<std::uint16_t>(),
          .to = json.at(3).get<std::uint16_t>(),
          .zone = json.at(4).get<std::string>(),
          .zone_rule = json.at(5).get<std::string>(),
          .begin = json.at(6).get<std::int64_t>(),
          .end = json.at(7).get<std::int64_t>()};
}

// What few rules have is written only where it is there: {"key": value}.
Json rare_to_json(const Rule& rule) {
  Json rare = Json::object();
  const auto add = [&](const char* key, bool is_there, auto&& value) {
    if (is_there) rare[key] = value();
  };
  add("tcp", rule.tcp, [] { return true; });
  add("passthrough", rule.passthrough, [] { return true; });
  add("slash", rule.encoded_slash, [] { return true; });
  add("ports", !rule.ports.empty(), [&] { return rule.ports; });
  add("query", !rule.query.empty(), [&] { return globs_to_json(rule.query); });
  add("headers", !rule.headers.empty(), [&] { return globs_to_json(rule.headers); });
  add("types", !rule.content_types.empty(), [&] { return rule.content_types; });
  add("body_max", rule.body_max.has_value(), [&] { return *rule.body_max; });
  add("rate", rule.rate.has_value(), [&] { return Json::array({rule.rate->count, rule.rate->seconds}); });
  add("when", !rule.when.empty(), [&] { return list_to_json(rule.when, window_to_json); });
  add("websocket", rule.websocket.has_value(), [&] { return *rule.websocket; });
  add("graphql", rule.graphql.has_value(), [&] { return Json::array({rule.graphql->operations, rule.graphql->fields}); });
  add("rpc", rule.rpc.has_value(), [&] { return Json::array({rule.rpc->mcp, rule.rpc->methods, rule.rpc->tools}); });
  add("process", !rule.process.empty(), [&] { return rule.process; });
  add("addresses", !rule.addresses.empty(), [&] { return rule.addresses; });
  return rare;
}
void rare_from(const Json& json, Rule& rule) {
  const auto take = [&](const char* key, auto&& read) {
    if (const auto found = json.find(key); found != json.end()) read(*found);
  };
  using Strings = std::vector<std::string>;
  take("tcp", [&](const Json& value) { rule.tcp = value.get<bool>(); });
  take("passthrough", [&](const Json& value) { rule.passthrough = value.get<bool>(); });
  take("slash", [&](const Json& value) { rule.encoded_slash = value.get<bool>(); });
  take("ports", [&](const Json& value) { rule.ports = value.get<std::vector<std::uint16_t>>(); });
  take("query", [&](const Json& value) { rule.query = globs_from(value); });
  take("headers", [&](const Json& value) { rule.headers = globs_from(value); });
  take("types", [&](const Json& value) { rule.content_types = value.get<Strings>(); });
  take("body_max", [&](const Json& value) { rule.body_max = value.get<std::uint64_t>(); });
  take("rate",
       [&](const Json& value) { rule.rate = Rate{value.at(0).get<std::uint32_t>(), value.at(1).get<std::uint32_t>()}; });
  take("when", [&](const Json& value) { rule.when = list_from_json<TimeWindow>(value, window_from); });
  take("websocket", [&](const Json& value) { rule.websocket = value.get<bool>(); });
  take("graphql",
       [&](const Json& value) { rule.graphql = GraphqlCondition{value.at(0).get<Strings>(), value.at(1).get<Strings>()}; });
  take("rpc", [&](const Json& value) {
    rule.rpc = RpcCondition{value.at(0).get<bool>(), value.at(1).get<Strings>(), value.at(2).get<Strings>()};
  });
  take("process", [&](const Json& value) { rule.process = value.get<Strings>(); });
  take("addresses", [&](const Json& value) { rule.addresses = value.get<Strings>(); });
}

Json rule_to_json(const Rule& rule) {
  return Json::array({rule.name, static_cast<unsigned>(rule.action), list_to_json(rule.hosts, pattern_to_json), rule.methods,
                      rule.paths, place_to_json(rule.place), rare_to_json(rule)});
}
Rule rule_from(const Json& json) {
  Rule rule{.name = json.at(0).get<std::string>(),
            .action = enum_from(json.at(1), Action::deny),
            .hosts = list_from_json<HostPattern>(json.at(2), pattern_from),
            .methods = json.at(3).get<std::vector<std::string>>(),
            .paths = json.at(4).get<std::vector<std::string>>(),
            .place = place_from(json.at(5))};
  rare_from(json.at(6), rule);
  return rule;
}

Json fixed_to_json(const FixedAddress& fixed) { return {fixed.host, fixed.address, optional_to_json(fixed.port)}; }
FixedAddress fixed_from(const Json& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::string>(), optional_from_json<std::uint16_t>(json.at(2))};
}

Json to_json(const Document& document) {
  return {{"format", 3},
          {"file", document.file},
          {"default", static_cast<unsigned>(document.default_action)},
          {"use", document.use},
          {"credentials", list_to_json(document.credentials, credential_to_json)},
          {"oauth", list_to_json(document.oauth, capture_to_json)},
          {"leaks", static_cast<unsigned>(document.leaks)},
          {"rules", list_to_json(document.rules, rule_to_json)},
          {"ca_file", document.upstream.ca_file},
          {"proxy", document.upstream.proxy},
          {"resolve", list_to_json(document.upstream.resolve, fixed_to_json)},
          {"connections", document.limits.connections},
          {"request_body", document.limits.request_body},
          {"response_body", document.limits.response_body},
          {"requests_per_minute", document.limits.requests_per_minute},
          {"inspected_body", document.limits.inspected_body},
          {"approval_seconds", document.limits.approval_seconds}};
}

Document from_json(const Json& json) {
  return {.file = json.at("file").get<std::string>(),
          .default_action = enum_from(json.at("default"), Action::deny),
          .use = json.at("use").get<std::vector<std::string>>(),
          .credentials = list_from_json<Credential>(json.at("credentials"), credential_from),
          .oauth = list_from_json<OAuthCapture>(json.at("oauth"), capture_from),
          .leaks = enum_from(json.at("leaks"), Leaks::deny),
          .rules = list_from_json<Rule>(json.at("rules"), rule_from),
          .upstream = {json.at("ca_file").get<std::string>(), json.at("proxy").get<std::string>(),
                       list_from_json<FixedAddress>(json.at("resolve"), fixed_from)},
          .limits = {json.at("connections").get<std::uint32_t>(), json.at("request_body").get<std::uint64_t>(),
                     json.at("response_body").get<std::uint64_t>(), json.at("requests_per_minute").get<std::uint32_t>(),
                     json.at("inspected_body").get<std::uint64_t>(), json.at("approval_seconds").get<std::uint32_t>()}};
}

// Goes over the bytes without building anything, and stops where the nesting is deeper than encode() ever writes: the
// library's parser recurses, so its depth must not be the sender's to choose.
class DepthCheck : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  static constexpr int kMaxDepth = 8;
  int depth_ = 0;
};

}  // namespace

Document proxys_part(Document document) {
  for (auto& credential : document.credentials) {
    credential.refresh = {};
    credential.ttl_seconds = 0;
  }
  document.vault = {};
  return document;
}

std::string encode(const Document& document) {
  std::string bytes;
  Json::to_cbor(to_json(document), bytes);
  return bytes;
}

Result<Document> decode(std::string_view bytes) {
  const auto refuse = [] {
    return fail("policy_encoding_invalid", "the policy that came over the channel is not one that weir writes");
  };
  DepthCheck depth;
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &depth, Json::input_format_t::cbor)) return refuse();
  const Json json = Json::from_cbor(bytes.begin(), bytes.end(), true, false);
  if (json.is_discarded()) return refuse();
  Document document;
  try {
    document = from_json(json);
  } catch (const std::exception&) {  // the library's way to say that a key is missing or has another type
    return refuse();
  }
  // SECURITY: G7, exactly one spelling: no unknown keys, no long forms, no numbers that were cut to fit.
  if (encode(document) != bytes) return refuse();
  return document;
}

}  // namespace weir::policy
