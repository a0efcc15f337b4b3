// Owning pointers to OpenSSL's objects, and its error queue as an Error.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"

namespace weir::proxy {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using EvpKeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using EvpDigestPtr = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

// The oldest entry of OpenSSL's queue, which is emptied so that it does not tell on the next call.
inline std::unexpected<Error> fail_openssl(std::string code, std::string message) {
  char reason[256] = "no reason given";
  if (const unsigned long error = ERR_get_error(); error != 0) ERR_error_string_n(error, reason, sizeof reason);
  ERR_clear_error();
  return fail(std::move(code), std::move(message) + ": " + reason);
}

}  // namespace weir::proxy
