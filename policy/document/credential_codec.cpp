#include "policy/document/wire.h"

namespace weir::policy {

namespace {

Json injection_to_json(const Injection& inject) {
  return Json::array({static_cast<unsigned>(inject.kind), inject.name, inject.format, inject.username, inject.region, inject.service});
}
Injection injection_from(const Json& json) {
  return {.kind = enum_from(json.at(0), Injection::Kind::aws_sigv4),
          .name = json.at(1).get<std::string>(),
          .format = json.at(2).get<std::string>(),
          .username = json.at(3).get<std::string>(),
          .region = json.at(4).get<std::string>(),
          .service = json.at(5).get<std::string>()};
}

Json substitution_to_json(const Substitution& substitute) {
  return Json::array({substitute.env, substitute.shape, substitute.in_header, substitute.in_query, substitute.in_path, substitute.in_body,
                      substitute.elsewhere_logged});
}
Substitution substitution_from(const Json& json) {
  return {.env = json.at(0).get<std::string>(),
          .shape = json.at(1).get<std::string>(),
          .in_header = json.at(2).get<bool>(),
          .in_query = json.at(3).get<bool>(),
          .in_path = json.at(4).get<bool>(),
          .in_body = json.at(5).get<bool>(),
          .elsewhere_logged = json.at(6).get<bool>()};
}

using Kept = std::pair<std::string, std::string>;

}  // namespace

Json place_to_json(const Place& place) { return {place.file, place.line, place.column}; }
Place place_from(const Json& json) { return {json.at(0).get<std::string>(), json.at(1).get<int>(), json.at(2).get<int>()}; }

Json pattern_to_json(const HostPattern& pattern) {
  return {static_cast<unsigned>(pattern.kind), pattern.name, optional_to_json(pattern.port)};
}
HostPattern pattern_from(const Json& json) {
  return {enum_from(json.at(0), HostPattern::Kind::any), json.at(1).get<std::string>(),
          optional_from_json<std::uint16_t>(json.at(2))};
}

Json credential_to_json(const Credential& credential) {
  return {{"name", credential.name},
          {"from", credential.from},
          {"hosts", list_to_json(credential.hosts, pattern_to_json)},
          {"inject", injection_to_json(credential.inject)},
          {"substitute", substitution_to_json(credential.substitute)},
          {"insecure", credential.insecure},
          {"place", place_to_json(credential.place)}};
}
Credential credential_from(const Json& json) {
  return {.name = json.at("name").get<std::string>(),
          .from = json.at("from").get<std::string>(),
          .hosts = list_from_json<HostPattern>(json.at("hosts"), pattern_from),
          .inject = injection_from(json.at("inject")),
          .substitute = substitution_from(json.at("substitute")),
          .insecure = json.at("insecure").get<bool>(),
          .place = place_from(json.at("place"))};
}

Json capture_to_json(const OAuthCapture& capture) {
  return Json::array({capture.host, capture.port, capture.path,
                      list_to_json(capture.keep, [](const Kept& kept) { return Json::array({kept.first, kept.second}); }),
                      place_to_json(capture.place)});
}
OAuthCapture capture_from(const Json& json) {
  return {.host = json.at(0).get<std::string>(),
          .port = json.at(1).get<std::uint16_t>(),
          .path = json.at(2).get<std::string>(),
          .keep = list_from_json<Kept>(
              json.at(3), [](const Json& kept) { return Kept{kept.at(0).get<std::string>(), kept.at(1).get<std::string>()}; }),
          .place = place_from(json.at(4))};
}

}  // namespace weir::policy
