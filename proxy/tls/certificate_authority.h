// One sandbox's certificate authority and the leaf certificates it signs. P-256 throughout.
#pragma once

#include <openssl/ssl.h>

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::proxy {

struct CertificateAuthority {
  std::string certificate_pem;  // public; goes into the sandbox
  Secret key_der;               // PKCS#8; stays with keeper and proxy (SECURITY: G5)
  // A fresh CA: self-signed, CA:TRUE pathlen 0, keyCertSign, valid from two days back for 30 days, the name says which
  // sandbox.
  static Result<CertificateAuthority> create(std::string_view sandbox_id, std::time_t now = std::time(nullptr));
};

inline std::time_t system_seconds() { return std::time(nullptr); }

// Signs and caches leaves; one leaf key for the sandbox. Single-threaded. `clock` is the wall clock but in tests.
class LeafCertificates {
 public:
  static Result<LeafCertificates> load(const CertificateAuthority& authority, std::time_t (*clock)() = system_seconds);
  LeafCertificates(LeafCertificates&&) noexcept;
  LeafCertificates& operator=(LeafCertificates&&) noexcept;
  ~LeafCertificates();
  // The leaf for a canonical host (DNS SAN) or IP literal (IP SAN): serverAuth, notBefore two days back, valid
  // for seven days in all and never past the CA; made anew a day before its end. At most `kMaxCached` are kept (least
  // recently used goes). The X509 stays owned by the cache and may go with the next call: up-ref to keep it.
  // "authority_expired", "certificate_name_invalid".
  Result<X509*> leaf(std::string_view canonical_host);
  EVP_PKEY* key() const;  // the leaf key, owned by the cache
  static constexpr std::size_t kMaxCached = 1024;

 private:
  struct State;
  explicit LeafCertificates(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::proxy
