// What protects the embedded store: where its master key is.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::vault {

enum class Protection : std::uint8_t { kKeyFile, kPassphrase, kKeyring, kSystemdCredential };

// "key-file", "passphrase", "keyring", "systemd-credential".
constexpr std::string_view name_of(Protection protection) {
  switch (protection) {
    case Protection::kKeyFile: return "key-file";
    case Protection::kPassphrase: return "passphrase";
    case Protection::kKeyring: return "keyring";
    case Protection::kSystemdCredential: return "systemd-credential";
  }
  return "";
}

}  // namespace weir::vault
