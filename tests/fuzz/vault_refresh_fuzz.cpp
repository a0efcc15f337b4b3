// What token services answer, and certificates and keys as their sources give them.
#include <cstdlib>
#include <string>
#include <string_view>

#include "vault/client_certificate.h"
#include "vault/refresh/jwt.h"
#include "vault/refresh/sts_answer.h"

namespace {

void check_sts(std::string_view text) {
  for (const std::string_view action : {"AssumeRole", "AssumeRoleWithWebIdentity"}) {
    const auto keys = weir::vault::read_sts_keys(text, action);
    if (!keys) continue;
    const std::string_view lines = keys->keys.reveal();
    const auto first = lines.find('\n'), last = lines.rfind('\n');
    // Three parts, none empty, and nothing in them that could be more.
    if (keys->ends_s <= 0 || first == 0 || first == last || last - first == 1 || last + 1 == lines.size()) std::abort();
    if (lines.substr(first + 1, last - first - 1).find('\n') != std::string_view::npos || lines.find_first_of("<>&\"\r\0 ") != std::string_view::npos)
      std::abort();
  }
  (void)weir::vault::read_sts_error(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check_sts(text);
      break;
    case 1: {
      const weir::Secret pem = weir::vault::client_certificate_as_pem(weir::Secret(text));
      const auto checked = weir::vault::check_client_certificate(pem, "it");
      if (!checked && checked.error().message.empty()) std::abort();
      break;
    }
    default:
      (void)weir::vault::signed_jwt("{}", "{}", text, "it");
  }
  return 0;
}
