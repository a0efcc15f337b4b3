#include <algorithm>

#include "base/text.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4 {
namespace {

bool all_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<Keys> split_keys(std::string_view value) {
  if (value.ends_with('\n')) value.remove_suffix(1);
  const auto lines = split(value, '\n');
  Keys keys;
  if (lines.size() == 2 || lines.size() == 3) keys = {lines[0], lines[1], lines.size() == 3 ? lines[2] : std::string_view()};
  // The id stands between marks of its own in Credential=ID/DATE/…, SignedHeaders=…
  const bool good = !keys.id.empty() && !keys.secret.empty() && all_visible(keys.id) && all_visible(keys.secret) && all_visible(keys.token) &&
                    keys.id.find_first_of("/,=;") == std::string_view::npos;
  if (!good) return fail("credential_unusable", "the value holds no AWS keys: an access key id, the secret key, and a session token where there is one");
  return keys;
}

}  // namespace weir::proxy::sigv4
