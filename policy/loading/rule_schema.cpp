// What goes together in a rule, as JSON Schema: the same lists that find_contradictions() reads.
#include <nlohmann/json.hpp>

#include "policy/document/rule_keys.h"
#include "policy/loading/rule_reader.h"

namespace weir::policy {

namespace {

template <class Keys>
Schema names(const Keys& keys) {
  Schema list = Schema::array();
  for (const auto key : keys) list.push_back(key);
  return list;
}

Schema having(std::string_view key) { return {{"required", Schema::array({key})}}; }

template <class Keys>
Schema without(const Keys& keys) {
  Schema any = Schema::array();
  for (const auto key : keys) any.push_back(having(key));
  return {{"not", {{"anyOf", std::move(any)}}}};
}

Schema when(std::string_view key, Schema value, Schema then) {
  Schema condition = having(key);
  condition["properties"][std::string(key)]["const"] = std::move(value);
  return {{"if", std::move(condition)}, {"then", std::move(then)}};
}

}  // namespace

Schema rule_schema() {
  Schema schema = rule_keys_schema();
  Schema& all = schema["allOf"] = Schema::array();
  all.push_back({{"oneOf", Schema::array({having("hosts"), having("tcp")})}});
  all.push_back({{"if", having("tcp")}, {"then", {{"propertyNames", {{"enum", names(kTcpKeys)}}}}}});
  Schema passthrough = names(kPassthroughKeys);
  passthrough.push_back("tls");
  all.push_back({{"if", having("tls")}, {"then", {{"propertyNames", {{"enum", std::move(passthrough)}}}}}});
  Schema denial = without(kNotInDenials);
  denial["not"]["anyOf"].push_back(having("tls"));
  all.push_back(when("action", "deny", std::move(denial)));
  all.push_back(when("websocket", true, without(kNotInHandshakes)));
  Schema& others = schema["dependentSchemas"] = Schema::object();
  for (const auto key : kBodyFormats) {
    std::vector<std::string_view> rest;
    for (const auto other : kBodyFormats)
      if (other != key) rest.push_back(other);
    others[std::string(key)] = without(rest);
  }
  schema["dependentRequired"] = {{"encoded_slash", {"paths"}}};
  return schema;
}

}  // namespace weir::policy
