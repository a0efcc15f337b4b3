#include "proxy/tls/certificate_parts.h"

#include <openssl/bn.h>

#include "base/encoding.h"

namespace weir::proxy {
namespace {

using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using BitStringPtr = std::unique_ptr<ASN1_BIT_STRING, FreeWith<ASN1_BIT_STRING_free>>;
using OctetStringPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

OctetStringPtr octet_string(std::string_view bytes) {
  OctetStringPtr string(ASN1_OCTET_STRING_new());
  if (string && ASN1_OCTET_STRING_set(string.get(), octets(bytes), static_cast<int>(bytes.size())) != 1) string.reset();
  return string;
}

}  // namespace

bool set_random_serial(X509& certificate) {
  std::string bytes = random_bytes(16);
  if (bytes[0] == 0) bytes[0] = 1;
  const BignumPtr number(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_validity(X509& certificate, std::time_t not_before, std::time_t not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), not_after) != nullptr;
}

X509NamePtr make_name(std::initializer_list<std::pair<int, std::string_view>> attributes) {
  X509NamePtr name(X509_NAME_new());
  for (const auto& [nid, value] : attributes)
    if (name && X509_NAME_add_entry_by_NID(name.get(), nid, MBSTRING_UTF8, octets(value), static_cast<int>(value.size()), -1,
                                           0) != 1)
      name.reset();
  return name;
}

std::string key_identifier(X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_pubkey_digest(&certificate, EVP_sha1(), digest, &size) != 1) return {};
  return {reinterpret_cast<const char*>(digest), size};
}

X509ExtensionPtr basic_constraints(bool authority) {
  const std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>> value(BASIC_CONSTRAINTS_new());
  if (!value) return nullptr;
  value->ca = authority ? 0xff : 0;
  if (authority) {
    value->pathlen = ASN1_INTEGER_new();
    if (value->pathlen == nullptr || ASN1_INTEGER_set(value->pathlen, 0) != 1) return nullptr;
  }
  return X509ExtensionPtr(X509V3_EXT_i2d(NID_basic_constraints, 1, value.get()));
}

X509ExtensionPtr key_usage(std::initializer_list<int> bits) {
  const BitStringPtr value(ASN1_BIT_STRING_new());
  for (const int bit : bits)
    if (!value || ASN1_BIT_STRING_set_bit(value.get(), bit, 1) != 1) return nullptr;
  return X509ExtensionPtr(X509V3_EXT_i2d(NID_key_usage, 1, value.get()));
}

X509ExtensionPtr server_authentication() {
  const std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>> value(EXTENDED_KEY_USAGE_new());
  if (!value || sk_ASN1_OBJECT_push(value.get(), OBJ_nid2obj(NID_server_auth)) <= 0) return nullptr;
  return X509ExtensionPtr(X509V3_EXT_i2d(NID_ext_key_usage, 0, value.get()));
}

X509ExtensionPtr subject_key_identifier(std::string_view identifier) {
  const auto value = octet_string(identifier);
  return value ? X509ExtensionPtr(X509V3_EXT_i2d(NID_subject_key_identifier, 0, value.get())) : nullptr;
}

X509ExtensionPtr authority_key_identifier(std::string_view identifier) {
  const std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>> value(AUTHORITY_KEYID_new());
  if (!value) return nullptr;
  value->keyid = octet_string(identifier).release();
  return value->keyid != nullptr ? X509ExtensionPtr(X509V3_EXT_i2d(NID_authority_key_identifier, 0, value.get())) : nullptr;
}

}  // namespace weir::proxy
