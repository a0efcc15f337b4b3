// Any octets as a .env file, as JSON and as a key: no crash; what is found is named as it must be, and comes back when it is
// written down in quotes and read again.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "vault/import.h"
#include "vault/store/key_text.h"
#include "vault/store/random_value.h"

namespace {

using weir::Secret;
using weir::vault::NamedSecrets;

// As a file that says the same.
std::string written(const NamedSecrets& found) {
  std::string text;
  for (const auto& [name, value] : found) {
    text += name + "=\"";
    for (const char c : value.reveal()) {
      if (c == '"' || c == '\\') text += '\\';
      text += c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
    }
    text += "\"\n";
  }
  return text;
}

void check_env(std::string_view text) {
  const auto found = weir::vault::parse_env(Secret(text));
  if (!found) return;
  std::set<std::string> names;
  std::size_t size = 0;
  for (const auto& [name, value] : *found) {
    if (name.empty() || !names.insert(name).second) std::abort();
    size += name.size() + value.size();
  }
  if (size > text.size()) std::abort();
  const auto again = weir::vault::parse_env(Secret(written(*found)));
  if (!again || again->size() != found->size()) std::abort();
  for (std::size_t i = 0; i < found->size(); ++i)
    if ((*again)[i].first != (*found)[i].first || (*again)[i].second.reveal() != (*found)[i].second.reveal()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_env(text);
  (void)weir::vault::parse_json(Secret(text));
  if (const auto key = weir::vault::store::parse_key_text(text); key && weir::vault::store::key_text(*key).size() != 64)
    std::abort();
  if (size < 200) (void)weir::vault::store::random_value(text);
  return 0;
}
