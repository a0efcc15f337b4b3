#include "proxy/tls/certificate_authority.h"

#include <openssl/pem.h>

#include <algorithm>

#include "base/text.h"
#include "proxy/tls/certificate_parts.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kNamePrefix = "weir sandbox ";
constexpr std::size_t kMaxCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1

Result<std::string> to_pem(X509& certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (!memory || PEM_write_bio_X509(memory.get(), &certificate) != 1)
    return fail_openssl("certificate_failed", "cannot write the sandbox's CA certificate");
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

// SECURITY: G5. Both forms that OpenSSL makes on the way are cleansed by their free functions or by us.
Result<Secret> to_pkcs8(const EVP_PKEY& key) {
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(&key));
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
  if (size <= 0) return fail_openssl("certificate_failed", "cannot write the sandbox's CA key");
  Secret secret(std::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return secret;
}

bool add(X509& certificate, const X509ExtensionPtr& extension) {
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::create(std::string_view sandbox_id, std::time_t now) {
  const bool plain = std::ranges::all_of(sandbox_id, [](char c) { return c > ' ' && c <= '~'; });
  if (sandbox_id.empty() || !plain || kNamePrefix.size() + sandbox_id.size() > kMaxCommonName)
    return fail("certificate_name_invalid",
                "`" + printable(sandbox_id, 80) + "` cannot name a sandbox's CA: it takes 1 to " +
                    std::to_string(kMaxCommonName - kNamePrefix.size()) + " printable ASCII characters without spaces");
  const EvpKeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  const auto name =
      make_name({{NID_organizationName, "weir"}, {NID_commonName, std::string(kNamePrefix) + std::string(sandbox_id)}});
  const auto failed = [] { return fail_openssl("certificate_failed", "cannot make the sandbox's CA certificate"); };
  if (!key || !certificate || !name) return failed();
  X509& made = *certificate;
  if (X509_set_version(&made, X509_VERSION_3) != 1 || !set_random_serial(made) ||
      !set_validity(made, now - kBackdate, now - kBackdate + kAuthorityLifetime) ||
      X509_set_subject_name(&made, name.get()) != 1 || X509_set_issuer_name(&made, name.get()) != 1 ||
      X509_set_pubkey(&made, key.get()) != 1)
    return failed();
  const std::string identifier = key_identifier(made);
  if (!add(made, basic_constraints(true)) || !add(made, key_usage({5})) ||  // keyCertSign
      !add(made, subject_key_identifier(identifier)) || !add(made, authority_key_identifier(identifier)) ||
      X509_sign(&made, key.get(), EVP_sha256()) <= 0)
    return failed();
  auto pem = to_pem(made);
  if (!pem) return std::unexpected(pem.error());
  auto der = to_pkcs8(*key);
  if (!der) return std::unexpected(der.error());
  return CertificateAuthority{.certificate_pem = std::move(*pem), .key_der = std::move(*der)};
}

}  // namespace weir::proxy
