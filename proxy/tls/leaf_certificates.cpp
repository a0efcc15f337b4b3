// Signing a leaf is on the path of a sandbox's first request to a host, so all that two leaves share is made once:
// extensions, names, the digest, and the public key in the form that X509_set_pubkey() takes over without a round
// through the encoders (see legacy_public_key). What is left is mostly the signature.
#include <arpa/inet.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <list>
#include <unordered_map>

#include "base/text.h"
#include "proxy/tls/certificate_authority.h"
#include "proxy/tls/certificate_parts.h"

namespace weir::proxy {
namespace {

using Asn1StringPtr = std::unique_ptr<ASN1_STRING, FreeWith<ASN1_STRING_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

constexpr std::size_t kMaxCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr std::time_t kRenewBefore = kDay;  // a cached leaf nearer to its end than this is made anew

// The same public key as an object of OpenSSL's older kind. X509_set_pubkey() copies such a key's encoding (2 µs);
// a provider's key goes through OSSL_ENCODER and OSSL_DECODER each time (150 to 250 µs in OpenSSL 3.0).
EvpKeyPtr legacy_public_key(const EVP_PKEY& key) {
  unsigned char* parameters = nullptr;
  unsigned char* point = nullptr;
  const int parameters_size = i2d_KeyParams(&key, &parameters);
  const int point_size = i2d_PublicKey(&key, &point);
  EvpKeyPtr copy;
  if (parameters_size > 0 && point_size > 0) {
    const unsigned char* at = parameters;
    copy.reset(d2i_KeyParams(EVP_PKEY_EC, nullptr, &at, parameters_size));
    at = point;
    if (EVP_PKEY* raw = copy.get(); raw == nullptr || d2i_PublicKey(EVP_PKEY_EC, &raw, &at, point_size) == nullptr)
      copy.reset();
  }
  OPENSSL_free(parameters);
  OPENSSL_free(point);
  return copy;
}

// The address of an IP literal as an iPAddress name has it (RFC 5280 §4.2.1.6); empty: a DNS name.
std::string address_octets(const std::string& host) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

bool is_dns_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '.' && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

GeneralNamesPtr alternative_names(const std::string& host, const std::string& address) {
  const std::string& value = address.empty() ? host : address;
  Asn1StringPtr text(ASN1_STRING_type_new(address.empty() ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING));
  GeneralNamesPtr names(GENERAL_NAMES_new());
  std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  if (!text || !names || !name || ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1)
    return nullptr;
  GENERAL_NAME_set0_value(name.get(), address.empty() ? GEN_DNS : GEN_IPADD, text.release());
  if (sk_GENERAL_NAME_push(names.get(), name.get()) <= 0) return nullptr;
  (void)name.release();
  return names;
}

}  // namespace

struct LeafCertificates::State {
  struct Leaf {
    std::string host;
    X509Ptr certificate;
    std::time_t not_after;
  };

  std::time_t (*clock)();
  X509Ptr authority;
  EvpKeyPtr authority_key;
  std::time_t authority_end = 0;
  EvpKeyPtr leaf_key;
  EvpKeyPtr public_key;
  EvpDigestPtr digest;
  std::vector<X509ExtensionPtr> extensions;
  std::list<Leaf> leaves;                                                   // most recently used first
  std::unordered_map<std::string_view, std::list<Leaf>::iterator> by_host;  // views Leaf::host

  // Near its end a leaf is made anew, unless that would end no later.
  bool fresh(const Leaf& leaf, std::time_t now) const {
    return now < leaf.not_after && (leaf.not_after - now > kRenewBefore || leaf.not_after >= authority_end);
  }
  Result<X509Ptr> sign(const std::string& host, const std::string& address, std::time_t not_before,
                       std::time_t not_after) const;
};

Result<LeafCertificates> LeafCertificates::load(const CertificateAuthority& authority, std::time_t (*clock)()) {
  auto state = std::make_unique<State>();
  state->clock = clock;
  const BioPtr memory(BIO_new_mem_buf(authority.certificate_pem.data(), static_cast<int>(authority.certificate_pem.size())));
  state->authority.reset(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!state->authority) return fail_openssl("authority_invalid", "the sandbox's CA certificate cannot be read");
  const auto* der = reinterpret_cast<const unsigned char*>(authority.key_der.reveal().data());
  state->authority_key.reset(d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(authority.key_der.size())));
  if (!state->authority_key) return fail_openssl("authority_invalid", "the sandbox's CA key cannot be read");
  if (X509_check_private_key(state->authority.get(), state->authority_key.get()) != 1)
    return fail_openssl("authority_invalid", "the sandbox's CA key is not the key of its certificate");
  if (X509_check_ca(state->authority.get()) != 1)
    return fail("authority_invalid", "the sandbox's CA certificate is not a CA's");
  int days = 0;
  int seconds = 0;
  const std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(state->authority.get())) != 1)
    return fail_openssl("authority_invalid", "the sandbox's CA certificate has no usable end");
  state->authority_end = days * kDay + seconds;

  state->leaf_key.reset(EVP_EC_gen("P-256"));
  state->public_key = state->leaf_key ? legacy_public_key(*state->leaf_key) : nullptr;
  state->digest.reset(EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
  const X509Ptr carrier(X509_new());
  const auto failed = [] { return fail_openssl("certificate_failed", "cannot prepare the sandbox's leaf certificates"); };
  if (!state->public_key || !state->digest || !carrier || X509_set_pubkey(carrier.get(), state->public_key.get()) != 1)
    return failed();
  state->extensions.push_back(basic_constraints(false));
  state->extensions.push_back(key_usage({0}));  // digitalSignature
  state->extensions.push_back(server_authentication());
  state->extensions.push_back(subject_key_identifier(key_identifier(*carrier)));
  state->extensions.push_back(authority_key_identifier(key_identifier(*state->authority)));
  if (!std::ranges::all_of(state->extensions, [](const auto& extension) { return extension != nullptr; })) return failed();
  return LeafCertificates(std::move(state));
}

LeafCertificates::LeafCertificates(std::unique_ptr<State> state) : state_(std::move(state)) {}
LeafCertificates::LeafCertificates(LeafCertificates&&) noexcept = default;
LeafCertificates& LeafCertificates::operator=(LeafCertificates&&) noexcept = default;
LeafCertificates::~LeafCertificates() = default;

EVP_PKEY* LeafCertificates::key() const { return state_->leaf_key.get(); }

Result<X509Ptr> LeafCertificates::State::sign(const std::string& host, const std::string& address, std::time_t not_before,
                                              std::time_t not_after) const {
  const auto failed = [] { return fail_openssl("certificate_failed", "cannot make a leaf certificate"); };
  X509Ptr made(X509_new());
  // A name too long for a common name stands in the SAN alone, which must then be critical (RFC 5280 §4.2.1.6).
  const bool named = host.size() <= kMaxCommonName;
  const auto subject = named ? make_name({{NID_commonName, host}}) : make_name({});
  const auto names = alternative_names(host, address);
  if (!made || !subject || !names) return failed();
  if (X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_random_serial(*made) ||
      !set_validity(*made, not_before, not_after) ||
      X509_set_issuer_name(made.get(), X509_get_subject_name(authority.get())) != 1 ||
      X509_set_subject_name(made.get(), subject.get()) != 1 || X509_set_pubkey(made.get(), public_key.get()) != 1)
    return failed();
  for (const auto& extension : extensions)
    if (X509_add_ext(made.get(), extension.get(), -1) != 1) return failed();
  if (X509_add1_ext_i2d(made.get(), NID_subject_alt_name, names.get(), named ? 0 : 1, X509V3_ADD_APPEND) != 1)
    return failed();
  if (X509_sign(made.get(), authority_key.get(), digest.get()) <= 0) return failed();
  return made;
}

Result<X509*> LeafCertificates::leaf(std::string_view canonical_host) {
  State& state = *state_;
  const std::time_t now = state.clock();
  if (const auto known = state.by_host.find(canonical_host);
      known != state.by_host.end() && state.fresh(*known->second, now)) {
    state.leaves.splice(state.leaves.begin(), state.leaves, known->second);
    return known->second->certificate.get();
  }
  if (now >= state.authority_end)
    return fail("authority_expired", "the sandbox's CA has reached the end of its 30 days; start the sandbox anew");
  std::string host(canonical_host);
  const std::string address = address_octets(host);
  if (address.empty() && !is_dns_name(host))
    return fail("certificate_name_invalid",
                "`" + printable(host, 80) + "` cannot stand in a certificate: not a canonical host name");
  const std::time_t not_before = now - kBackdate;
  const std::time_t not_after = std::min(not_before + kLeafLifetime, state.authority_end);
  auto made = state.sign(host, address, not_before, not_after);
  if (!made) return std::unexpected(made.error());

  if (const auto old = state.by_host.find(canonical_host); old != state.by_host.end()) {
    const auto leaf = old->second;
    state.by_host.erase(old);
    state.leaves.erase(leaf);
  } else if (state.leaves.size() >= kMaxCached) {
    state.by_host.erase(state.leaves.back().host);
    state.leaves.pop_back();
  }
  state.leaves.push_front({.host = std::move(host), .certificate = std::move(*made), .not_after = not_after});
  state.by_host.emplace(state.leaves.front().host, state.leaves.begin());
  return state.leaves.front().certificate.get();
}

}  // namespace weir::proxy
