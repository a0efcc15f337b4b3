#include "vault/store/cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <new>
#include <stdexcept>

#include "base/encoding.h"

namespace weir::vault::store {
namespace {

constexpr std::size_t kKey = 32;
constexpr std::size_t kNonce = 12;
constexpr int kTag = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* in(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* out(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// OpenSSL refusing what is always right is a broken installation, not bad input.
void must(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot do the vault's cryptography");
}

Secret expand(const Secret& master, std::string_view document_id, std::string_view purpose) {
  const std::unique_ptr<EVP_KDF, FreeContext> hkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeContext> context(EVP_KDF_CTX_new(hkdf.get()));
  must(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(master.reveal().data()), master.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<char*>(document_id.data()), document_id.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(purpose.data()), purpose.size()),
      OSSL_PARAM_construct_end()};
  Secret key = Secret::of_size(kKey);
  must(EVP_KDF_derive(context.get(), out(key.data()), key.size(), parameters) == 1);
  return key;
}

// What a sealed value is bound to. NUL cannot occur in any part but the id, which is of fixed length.
std::string bound_text(std::string_view document_id, std::string_view entry, const Version& version) {
  std::string text("weir-vault 1");
  text += '\0';
  text += document_id;
  text += entry;
  text += '\0';
  text += std::to_string(version.number);
  text += '\0';
  text += version.created;
  return text;
}

}  // namespace

Result<Secret> derive_master_key(const Secret& passphrase, const Scrypt& parameters) {
  Secret key = Secret::of_size(kKey);
  const std::uint64_t memory = 128 * parameters.n * parameters.r + (std::uint64_t{64} << 20U);
  if (EVP_PBE_scrypt(passphrase.reveal().data(), passphrase.size(), in(parameters.salt), parameters.salt.size(),
                     parameters.n, parameters.r, parameters.p, memory, out(key.data()), key.size()) != 1)
    return fail("vault_kdf_failed", "the passphrase could not be turned into a key: scrypt needs " +
                                        std::to_string(memory >> 20U) + " MiB of memory");
  return key;
}

Keys derive_keys(const Secret& master, std::string_view document_id) {
  const Secret check = expand(master, document_id, "weir vault 1: key check");
  return {.encryption = expand(master, document_id, "weir vault 1: values"),
          .sealing = expand(master, document_id, "weir vault 1: seal"),
          .check = std::string(check.reveal())};
}

void seal_value(const Keys& keys, std::string_view document_id, std::string_view entry, Version& version,
                const Secret& value) {
  version.nonce = random_bytes(kNonce);
  version.sealed.assign(value.size() + kTag, '\0');
  const std::string bound = bound_text(document_id, entry, version);
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  must(context &&
       EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), in(keys.encryption.reveal()), in(version.nonce), nullptr) == 1);
  must(EVP_EncryptUpdate(context.get(), nullptr, &size, in(bound), static_cast<int>(bound.size())) == 1);
  must(EVP_EncryptUpdate(context.get(), out(version.sealed.data()), &size, in(value.reveal()),
                         static_cast<int>(value.size())) == 1);
  must(EVP_EncryptFinal_ex(context.get(), out(version.sealed.data()) + size, &size) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, version.sealed.data() + value.size()) == 1);
}

std::optional<Secret> open_value(const Keys& keys, std::string_view document_id, std::string_view entry,
                                 const Version& version) {
  if (version.nonce.size() != kNonce || version.sealed.size() <= kTag) return std::nullopt;
  const std::size_t length = version.sealed.size() - kTag;
  std::string tag = version.sealed.substr(length);
  const std::string bound = bound_text(document_id, entry, version);
  const CipherContext context(EVP_CIPHER_CTX_new());
  Secret value = Secret::of_size(length);
  int size = 0;
  must(context &&
       EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), in(keys.encryption.reveal()), in(version.nonce), nullptr) == 1);
  must(EVP_DecryptUpdate(context.get(), nullptr, &size, in(bound), static_cast<int>(bound.size())) == 1);
  must(EVP_DecryptUpdate(context.get(), out(value.data()), &size, in(version.sealed), static_cast<int>(length)) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), out(value.data()) + size, &size) != 1) return std::nullopt;
  return value;
}

std::string sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  must(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string hmac_sha256(const Secret& key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  must(HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.size()), in(text), text.size(), digest, &size) !=
       nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir::vault::store
