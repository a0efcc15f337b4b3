#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "vault/http/address.h"
#include "vault/server.h"

namespace weir::vault {
namespace {

constexpr std::array<std::string_view, 6> kMethods = {"token", "approle", "jwt", "kubernetes", "cert", "userpass"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<ServerSettings> complete_settings(ServerSettings given) {
  const std::pair<const char*, std::string*> variables[] = {{"VAULT_ADDR", &given.address},
                                                            {"VAULT_NAMESPACE", &given.name_space},
                                                            {"VAULT_CACERT", &given.ca_file},
                                                            {"VAULT_CAPATH", &given.ca_path},
                                                            {"VAULT_CLIENT_CERT", &given.client_certificate},
                                                            {"VAULT_CLIENT_KEY", &given.client_key},
                                                            {"VAULT_TLS_SERVER_NAME", &given.server_name}};
  for (const auto& [name, value] : variables)
    if (value->empty()) *value = variable(name);
  if (const auto skip = to_lower(variable("VAULT_SKIP_VERIFY"));
      !skip.empty() && skip != "0" && skip != "false" && skip != "f")
    return fail(
        "vault_settings",
        "VAULT_SKIP_VERIFY is set, and weir never talks to a Vault that it cannot verify; unset it, and name the CA's "
        "certificate with VAULT_CACERT or `ca_file`");
  if (given.address.empty())
    return fail("vault_settings",
                "it is not known where Vault is; set VAULT_ADDR=https://…, or `vault: {address: …}` in the policy");
  while (given.address.ends_with('/')) given.address.pop_back();
  const std::string_view address = given.address;
  const auto slashes = address.find("://");
  const auto scheme = address.substr(0, slashes);
  const auto authority = slashes == std::string_view::npos ? std::string_view() : address.substr(slashes + 3);
  if ((scheme != "https" && scheme != "http") || authority.empty() ||
      authority.find_first_of("/?#@ \r\n\t") != std::string_view::npos)
    return fail("vault_settings", "`" + printable(address, 200) + "` is not an address of Vault; write https://host:port");
  if (scheme == "http" && !http::is_this_machine(authority))
    return fail("vault_settings", "`" + printable(address, 200) + "` would send the token in the clear; use https://");
  if (std::ranges::any_of(given.name_space + given.server_name + given.mount + given.user, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '?' || c == '#' || c == '%';
      }))
    return fail("vault_settings", "Vault's namespace, server name, mount and user may have no blanks and no ? # %");
  if (given.method.empty()) given.method = "token";
  if (std::ranges::find(kMethods, given.method) == kMethods.end())
    return fail("vault_settings", "`" + printable(given.method, 60) + "` is not a method to log in to Vault with");
  if (given.mount.empty()) given.mount = given.method;
  return given;
}

}  // namespace weir::vault
