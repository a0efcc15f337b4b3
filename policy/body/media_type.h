// What a request's headers say of the form of its body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::policy {

struct MediaType {
  std::string essence;  // "application/json": lower case, without parameters
  std::string charset;  // lower case; empty when not given
  bool operator==(const MediaType&) const = default;
};

// RFC 9110 §8.3.1. Nothing when it is malformed, a list, or names its charset twice.
std::optional<MediaType> parse_media_type(std::string_view content_type);

bool is_json(const MediaType& type);  // application/json, or any type that ends in +json (RFC 6839 §3.1)

// Why the bytes of a body are not plain UTF-8 text of the type; empty when they are. SECURITY: G7, another encoding is
// another reading.
std::string_view encoding_problem(const MediaType& type, std::string_view content_encoding);

}  // namespace weir::policy
