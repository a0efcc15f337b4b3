#include "vault/refresh/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

#include "vault/secret_text.h"

namespace weir::vault {
namespace {

constexpr int kFewestBits = 2048;  // RFC 7518 §3.3

struct Freed {
  void operator()(BIO* each) const { BIO_free(each); }
  void operator()(EVP_PKEY* each) const { EVP_PKEY_free(each); }
  void operator()(EVP_MD_CTX* each) const { EVP_MD_CTX_free(each); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

Owned<EVP_PKEY> read_key(std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

}  // namespace

Result<Secret> signed_jwt(std::string_view header, std::string_view claims, std::string_view pem, std::string_view what_) {
  const std::string what(what_);
  const auto key = read_key(pem);
  if (key == nullptr) {
    if (pem.find("ENCRYPTED") != std::string_view::npos)
      return fail("refresh_invalid", what + " has a passphrase, which nobody could type; take it off: openssl pkey -in KEY -out KEY-WITHOUT");
    return fail("refresh_invalid", what + " is no private key in PEM form (-----BEGIN … PRIVATE KEY-----)");
  }
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return fail("refresh_invalid", what + " is no RSA key, which RS256 needs");
  if (EVP_PKEY_get_bits(key.get()) < kFewestBits)
    return fail("refresh_invalid", what + " has " + std::to_string(EVP_PKEY_get_bits(key.get())) + " bits, too few for RS256");
  const Secret text = joined({base64url(header).reveal(), ".", base64url(claims).reveal()});
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  Secret signature = Secret::of_size(size);
  const auto octets = [](const char* bytes) { return reinterpret_cast<const unsigned char*>(bytes); };
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(text.reveal().data()),
                     text.size()) != 1) {
    ERR_clear_error();
    return fail("refresh_invalid", what + " cannot sign");
  }
  signature.shrink(size);
  return joined({text.reveal(), ".", base64url(signature.reveal()).reveal()});
}

}  // namespace weir::vault
