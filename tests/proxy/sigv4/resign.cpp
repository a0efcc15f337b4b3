// What test_witness.py drives: each line of standard input is a request as JSON, each line of standard output what came of it.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/encoding.h"
#include "proxy/sigv4/sigv4.h"

using namespace weir::proxy;
using Json = nlohmann::json;

namespace {

// Octets stand in hex, so that any of them can be said in JSON.
std::string octets(const Json& value) { return *weir::hex_decode(value.get<std::string>()); }
std::string hex(std::string_view bytes) { return weir::hex_encode(bytes); }

Json error(const weir::Error& error) { return {{"error", error.code}, {"message", error.message}}; }

Json resign(const Json& asked) {
  const std::string method = asked["method"], authority = asked["authority"], path = octets(asked["path"]), query = octets(asked["query"]), body = octets(asked["body"]),
                    value = asked["keys"];
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& field : asked["headers"]) fields.emplace_back(octets(field[0]), octets(field[1]));
  DraftRequest draft;
  draft.method = method;
  draft.authority = authority;
  draft.path = path;
  draft.query = query;
  draft.has_query = !query.empty();
  for (const auto& [name, text] : fields) draft.headers.push_back({name, text});
  const auto keys = sigv4::split_keys(value);
  if (!keys) return error(keys.error());
  const auto plan = sigv4::plan(draft, asked.value("region", ""), asked.value("service", ""));
  if (!plan) return error(plan.error());
  std::string hash, seed, out;
  if (plan->payload == sigv4::Plan::Payload::hash_needed) hash = sigv4::payload_hash(body);
  const auto now = asked["now"].get<std::int64_t>();
  if (auto signing = sigv4::sign(draft, *plan, *keys, now, hash, &seed); !signing) return error(signing.error());
  sigv4::ChunkSigner chunks(*plan, *keys, now, seed);
  std::string_view rest = body;
  for (const auto& cut : asked.value("cuts", Json::array())) {
    const auto size = std::min(cut.get<std::size_t>(), rest.size());
    if (auto fed = chunks.feed(rest.substr(0, size), false, out); !fed) return error(fed.error());
    rest.remove_prefix(size);
  }
  if (auto fed = chunks.feed(rest, true, out); !fed) return error(fed.error());
  Json headers = Json::array();
  for (const auto& field : draft.headers) headers.push_back({hex(field.name), hex(field.value)});
  return {{"path", hex(draft.path)}, {"query", hex(draft.query)}, {"has_query", draft.has_query}, {"headers", headers}, {"body", hex(out)}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << resign(Json::parse(line)).dump() << std::endl;
}
