#include "keeper/prepared_policy.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"

namespace weir::keeper {
namespace {

bool holds_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  X509_free(certificate);
  ERR_clear_error();
  return certificate != nullptr;
}

}  // namespace

Result<PreparedPolicy> prepare_policy(LoadedPolicy loaded, vault::Vault& vault, bool may_ask) {
  PreparedPolicy prepared;
  const auto& given = loaded.document.vault;
  const vault::ServerSettings server{.address = given.address, .name_space = given.name_space, .ca_file = given.ca_file,
                                     .ca_path = given.ca_path, .client_certificate = given.client_certificate,
                                     .client_key = given.client_key, .server_name = given.server_name, .method = given.method,
                                     .mount = given.mount, .role = given.role, .user = given.user, .secret = given.secret,
                                     .wrapped = given.wrapped};
  for (const auto& credential : loaded.document.credentials) {
    if (may_ask && credential.from.starts_with("store:"))
      if (auto unlocked = vault.unlock(); !unlocked) return std::unexpected(unlocked.error());
    auto secret = vault.obtain(credential.from, credential.ttl_seconds, server);
    if (!secret) return fail(secret.error().code, "credential `" + credential.name + "`: " + secret.error().message);
    prepared.secrets.push_back(std::move(*secret));
  }
  if (const auto& file = loaded.document.upstream.ca_file; !file.empty()) {
    auto pem = read_file(file);
    if (!pem) return fail(pem.error().code, loaded.document.file + ": upstream.ca_file: " + pem.error().message);
    if (!holds_certificate(*pem))
      return fail("ca_file_invalid", loaded.document.file + ": upstream.ca_file: " + file + " holds no certificate in PEM form");
    prepared.upstream_ca_pem = std::move(*pem);
  }
  prepared.loaded = std::move(loaded);
  return prepared;
}

}  // namespace weir::keeper
