// How the parts of a Document are written to the channel between keeper and proxy. For the codec alone: what is read here has
// not been checked, decode() compares it with what encode() would write.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "policy/document.h"

namespace weir::policy {

using Json = nlohmann::json;

// Optional values are null on the wire.
template <class T>
Json optional_to_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_from_json(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

template <class T, class F>
Json list_to_json(const std::vector<T>& values, F&& one) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(one(value));
  return list;
}

template <class T, class F>
std::vector<T> list_from_json(const Json& json, F&& one) {
  std::vector<T> values;
  for (const auto& item : json.get_ref<const Json::array_t&>()) values.push_back(one(item));
  return values;
}

// nlohmann's get<> converts between numbers without a word; decode() compares with encode() of the result, so a value
// that did not fit is found there.
template <class Enum>
Enum enum_from(const Json& json, Enum last) {
  const auto value = json.get<unsigned>();
  if (value > static_cast<unsigned>(last)) throw std::out_of_range("enumeration");
  return static_cast<Enum>(value);
}

Json place_to_json(const Place& place);
Place place_from(const Json& json);
Json pattern_to_json(const HostPattern& pattern);
HostPattern pattern_from(const Json& json);

// Without what is the keeper's alone: `refresh` and `ttl`.
Json credential_to_json(const Credential& credential);
Credential credential_from(const Json& json);
Json capture_to_json(const OAuthCapture& capture);
OAuthCapture capture_from(const Json& json);

}  // namespace weir::policy
