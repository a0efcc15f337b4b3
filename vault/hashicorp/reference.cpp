#include "vault/hashicorp/reference.h"

#include <algorithm>

#include "base/text.h"

namespace weir::vault {

Result<Reference> parse_reference(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail("vault_source_invalid",
                "`vault:" + printable(text, 200) + "` " + std::string(why) + "; write vault:MOUNT/PATH#FIELD");
  };
  Reference reference;
  const auto hash = text.find('#');
  if (hash == std::string_view::npos || hash + 1 == text.size()) return wrong("names no field");
  reference.field = text.substr(hash + 1);
  const auto question = text.substr(0, hash).find('?');
  const auto path = text.substr(0, std::min(hash, question));
  for (const auto segment : split(path, '/'))
    if (segment.empty() || segment == "." || segment == ".." || segment.find_first_of("%\\") != std::string_view::npos)
      return wrong("is not a path in Vault");
  if (path.find('/') == std::string_view::npos) return wrong("names a mount and nothing in it");
  reference.path = path;
  if (question == std::string_view::npos) return reference;
  for (const auto parameter : split(text.substr(question + 1, hash - question - 1), '&')) {
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || equals == 0) return wrong("has a parameter that is not NAME=VALUE");
    reference.parameters.emplace_back(parameter.substr(0, equals), parameter.substr(equals + 1));
  }
  return reference;
}

std::string percent_encoded(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    }
  }
  return out;
}

}  // namespace weir::vault
