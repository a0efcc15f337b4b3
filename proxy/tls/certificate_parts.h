// What the authority's own certificate and its leaves have in common.
#pragma once

#include <ctime>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "proxy/tls/openssl_ptr.h"

namespace weir::proxy {

constexpr std::time_t kDay = 24 * 60 * 60;
constexpr std::time_t kBackdate = 2 * kDay;            // guests' clocks drift, and a snapshot wakes in the past
constexpr std::time_t kAuthorityLifetime = 30 * kDay;  // both from notBefore on
constexpr std::time_t kLeafLifetime = 7 * kDay;

// 128 random bits, positive and without leading zero octets (RFC 5280 §4.1.2.2).
bool set_random_serial(X509& certificate);

bool set_validity(X509& certificate, std::time_t not_before, std::time_t not_after);

// The subject of `certificate`, one attribute after the other; the text is UTF-8 without control characters.
X509NamePtr make_name(std::initializer_list<std::pair<int, std::string_view>> attributes);

// The key identifier of RFC 5280 §4.2.1.2 (1): SHA-1 over the public key's bit string. An identifier, no security.
std::string key_identifier(X509& certificate);

X509ExtensionPtr basic_constraints(bool authority);           // critical; path length 0 for an authority
X509ExtensionPtr key_usage(std::initializer_list<int> bits);  // critical; bit numbers of RFC 5280 §4.2.1.3
X509ExtensionPtr server_authentication();
X509ExtensionPtr subject_key_identifier(std::string_view identifier);
X509ExtensionPtr authority_key_identifier(std::string_view identifier);

}  // namespace weir::proxy
