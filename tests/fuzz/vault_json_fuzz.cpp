// What Vault answers, and what a policy says behind `vault:`.
#include <cstdlib>
#include <string>

#include "base/secret_json.h"
#include "vault/hashicorp/reference.h"

namespace {

void walk(const weir::SecretJson& json, int depth = 0) {
  (void)json.text();
  (void)json.number();
  for (const auto& item : json.items()) walk(item, depth + 1);
  for (const auto& name : json.names()) {
    const auto member = json.member(name);
    if (!member) std::abort();
    if (depth < 3) walk(*member, depth + 1);
  }
  if (json.is(weir::SecretJson::Kind::string)) {
    const auto text = json.text();
    const auto quoted = weir::quoted_json(text.reveal());
    const auto again = weir::SecretJson::parse(quoted.reveal());
    if (!again || again->text().reveal() != text.reveal()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (size > 4096) return 0;
  if (const auto json = weir::SecretJson::parse(text)) walk(*json);
  (void)weir::vault::parse_reference(text);
  return 0;
}
