// Keys and certificates made for a test.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace weir::vault::test {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeKey>;

inline TestKey rsa_key(int bits = 2048) { return TestKey(EVP_RSA_gen(static_cast<unsigned>(bits))); }
inline TestKey ec_key() { return TestKey(EVP_EC_gen("P-256")); }

inline std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string out(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

// PKCS#8, encrypted where there is a passphrase; or PKCS#1 (GitHub's form).
inline std::string key_pem(const TestKey& key, const char* passphrase = nullptr, bool traditional = false) {
  BIO* const bio = BIO_new(BIO_s_mem());
  const EVP_CIPHER* const cipher = passphrase == nullptr ? nullptr : EVP_aes_256_cbc();
  if (traditional)
    PEM_write_bio_PrivateKey_traditional(bio, key.get(), cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
  else
    PEM_write_bio_PKCS8PrivateKey(bio, key.get(), cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
  return text_of(bio);
}

inline std::string certificate_pem(const TestKey& key, const char* name = "agent", long seconds = 3600) {
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1,
                             0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_set_pubkey(certificate, key.get());
  X509_sign(certificate, key.get(), EVP_sha256());
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  X509_free(certificate);
  return text_of(bio);
}

}  // namespace weir::vault::test
