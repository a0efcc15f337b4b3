#include "proxy/tls/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/encoding.h"
#include "proxy/tls/openssl_ptr.h"

namespace weir::proxy {
namespace {

constexpr std::time_t kDay = 24 * 60 * 60;
std::time_t g_now = 0;
std::time_t test_clock() { return g_now; }

X509Ptr read_pem(const std::string& pem) {
  const BioPtr memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
}

std::string to_pem(X509* certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string to_text(X509* certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  X509_print(memory.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::time_t seconds(const ASN1_TIME* time) {
  const std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int rest = 0;
  EXPECT_EQ(ASN1_TIME_diff(&days, &rest, epoch.get(), time), 1);
  return days * kDay + rest;
}

class Certificates : public testing::Test {
 protected:
  void SetUp() override {
    g_now = std::time(nullptr);
    auto made = CertificateAuthority::create("sbx_01ARZ3NDEKTSV4RRFFQ69G5FAV", g_now);
    ASSERT_TRUE(made) << made.error().message;
    authority_ = std::move(*made);
    root_ = read_pem(authority_.certificate_pem);
    ASSERT_TRUE(root_);
    auto loaded = LeafCertificates::load(authority_, test_clock);
    ASSERT_TRUE(loaded) << loaded.error().message;
    leaves_.emplace(std::move(*loaded));
  }

  // What X509_verify_cert says in strict mode for a TLS server of that name; X509_V_OK when all is well.
  int verify(X509* leaf, const std::string& host, std::time_t at = 0) {
    const std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root_.get());
    const std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters,
                                X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_auth_level(parameters, 3);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1)
      X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
    X509_VERIFY_PARAM_set_time(parameters, at != 0 ? at : g_now);
    return X509_verify_cert(context.get()) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
  }

  CertificateAuthority authority_;
  X509Ptr root_;
  std::optional<LeafCertificates> leaves_;
};

TEST_F(Certificates, AuthoritySignsLeavesOnlyAndNamesItsSandbox) {
  const std::string text = to_text(root_.get());
  EXPECT_THAT(text, testing::HasSubstr("CN=weir sandbox sbx_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  EXPECT_THAT(text, testing::HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
  EXPECT_THAT(text, testing::HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign\n"));
  EXPECT_EQ(X509_check_ca(root_.get()), 1);
  EXPECT_EQ(seconds(X509_get0_notBefore(root_.get())), g_now - 2 * kDay);
  EXPECT_EQ(seconds(X509_get0_notAfter(root_.get())), g_now + 28 * kDay);
}

TEST_F(Certificates, EachAuthorityHasItsOwnKeyAndSerial) {
  const auto other = CertificateAuthority::create("sbx_other");
  ASSERT_TRUE(other);
  EXPECT_NE(other->key_der.reveal(), authority_.key_der.reveal());
  const auto other_root = read_pem(other->certificate_pem);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(root_.get()), X509_get0_serialNumber(other_root.get())), 0);
  auto other_leaves = LeafCertificates::load(*other);
  ASSERT_TRUE(other_leaves);
  EXPECT_NE(verify(*other_leaves->leaf("api.example.com"), "api.example.com"), X509_V_OK);
}

TEST_F(Certificates, KeyThatIsNotTheCertificatesIsRefused) {
  auto other = CertificateAuthority::create("sbx_other");
  ASSERT_TRUE(other);
  other->certificate_pem = authority_.certificate_pem;
  const auto refused = LeafCertificates::load(*other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "authority_invalid");
  EXPECT_FALSE(LeafCertificates::load(CertificateAuthority{}));
  EXPECT_FALSE(LeafCertificates::load({.certificate_pem = authority_.certificate_pem, .key_der = Secret("no key")}));
}

TEST_F(Certificates, SandboxNamesThatCannotStandInANameAreRefused) {
  for (const std::string& id : {std::string(), std::string(60, 'x'), std::string("a b"), std::string("a\nb"),
                                std::string("a\0b", 3), std::string("b\xc3\xbc")})
    EXPECT_FALSE(CertificateAuthority::create(id)) << id;
}

TEST_F(Certificates, LeafPassesStrictVerificationForItsNameAndNoOther) {
  for (const std::string host :
       {"api.example.com", "localhost", "xn--bcher-kva.example", "under_score.example", "10.0.0.1", "::1", "2001:db8::7"}) {
    const auto leaf = leaves_->leaf(host);
    ASSERT_TRUE(leaf) << host << ": " << leaf.error().message;
    EXPECT_EQ(verify(*leaf, host), X509_V_OK) << host << ": " << X509_verify_cert_error_string(verify(*leaf, host));
    EXPECT_EQ(verify(*leaf, "evil.example"), X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_EQ(verify(*leaf, "sub." + host), X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_EQ(verify(*leaf, "10.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
  }
}

TEST_F(Certificates, LeafIsForServersOnlyAndIsNoAuthority) {
  const auto leaf = leaves_->leaf("api.example.com");
  ASSERT_TRUE(leaf);
  const std::string text = to_text(*leaf);
  EXPECT_THAT(text, testing::HasSubstr("CA:FALSE"));
  EXPECT_THAT(text, testing::HasSubstr("X509v3 Key Usage: critical\n                Digital Signature\n"));
  EXPECT_THAT(text, testing::HasSubstr("TLS Web Server Authentication\n"));
  EXPECT_THAT(text, testing::HasSubstr("DNS:api.example.com\n"));
  EXPECT_EQ(X509_check_ca(*leaf), 0);
  EXPECT_EQ(X509_check_private_key(*leaf, leaves_->key()), 1);
  EXPECT_EQ(seconds(X509_get0_notBefore(*leaf)), g_now - 2 * kDay);
  EXPECT_EQ(seconds(X509_get0_notAfter(*leaf)), g_now + 5 * kDay);
}

TEST_F(Certificates, AddressIsAnIpNameAndNoDnsName) {
  EXPECT_THAT(to_text(*leaves_->leaf("192.0.2.7")), testing::HasSubstr("IP Address:192.0.2.7\n"));
  EXPECT_THAT(to_text(*leaves_->leaf("2001:db8::7")), testing::HasSubstr("IP Address:2001:DB8:0:0:0:0:0:7\n"));
}

TEST_F(Certificates, NameOver64OctetsStandsInACriticalAlternativeNameAlone) {
  const std::string fits = std::string(56, 'a') + ".example";
  const std::string over = std::string(57, 'a') + ".example";
  EXPECT_THAT(to_text(*leaves_->leaf(fits)), testing::HasSubstr("CN=" + fits));
  const auto leaf = leaves_->leaf(over);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(X509_NAME_entry_count(X509_get_subject_name(*leaf)), 0);
  EXPECT_THAT(to_text(*leaf), testing::HasSubstr("X509v3 Subject Alternative Name: critical\n                DNS:" + over));
  EXPECT_EQ(verify(*leaf, over), X509_V_OK) << X509_verify_cert_error_string(verify(*leaf, over));
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_EQ(verify(*leaves_->leaf(longest), longest), X509_V_OK);
}

TEST_F(Certificates, WhatIsNoCanonicalHostGetsNoCertificate) {
  for (const std::string& host :
       {std::string(), std::string("*.example.com"), std::string("a b"), std::string("A.example"),
        std::string("evil.example\0.good.example", 26), std::string("a,DNS:b"), std::string(254, 'a'),
        std::string(".example"), std::string("b\xc3\xbc"), std::string("[::1]")}) {
    const auto refused = leaves_->leaf(host);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "certificate_name_invalid");
  }
}

TEST_F(Certificates, SerialsArePositiveRandomAndOf128Bits) {
  std::set<std::string> serials;
  for (int i = 0; i < 200; ++i) {
    const auto leaf = leaves_->leaf("h" + std::to_string(i) + ".example");
    ASSERT_TRUE(leaf);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(*leaf);
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "negative";
    EXPECT_EQ(ASN1_STRING_length(serial), 16);
    serials.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), 16);
  }
  EXPECT_EQ(serials.size(), 200U);
}

TEST_F(Certificates, SameLeafIsGivenUntilADayBeforeItsEnd) {
  const auto first = leaves_->leaf("api.example.com");
  X509_up_ref(*first);
  const X509Ptr kept(*first);
  g_now += 4 * kDay - 1;
  EXPECT_EQ(*leaves_->leaf("api.example.com"), kept.get());
  g_now += 1;
  const auto second = leaves_->leaf("api.example.com");
  ASSERT_TRUE(second);
  EXPECT_NE(*second, kept.get());
  EXPECT_EQ(verify(*second, "api.example.com"), X509_V_OK);
}

TEST_F(Certificates, LeafNeverOutlivesTheAuthorityAndNoneIsMadeAfterIt) {
  const std::time_t end = seconds(X509_get0_notAfter(root_.get()));
  g_now = end - 1;
  const auto last = leaves_->leaf("api.example.com");
  ASSERT_TRUE(last);
  EXPECT_EQ(seconds(X509_get0_notAfter(*last)), end);
  EXPECT_EQ(verify(*last, "api.example.com"), X509_V_OK);
  EXPECT_EQ(*leaves_->leaf("api.example.com"), *last) << "a new one would end no later";
  g_now = end;
  const auto refused = leaves_->leaf("api.example.com");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "authority_expired");
}

TEST_F(Certificates, GuestWhoseClockIsBehindStillAccepts) {
  const auto leaf = leaves_->leaf("api.example.com");
  EXPECT_EQ(verify(*leaf, "api.example.com", g_now - 2 * kDay + 60), X509_V_OK);
  EXPECT_EQ(verify(*leaf, "api.example.com", g_now - 3 * kDay), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(Certificates, CacheKeepsTheRecentlyUsedAndStaysBounded) {
  const auto first = leaves_->leaf("first.example");
  X509_up_ref(*first);
  const X509Ptr kept(*first);
  const auto second = leaves_->leaf("second.example");
  X509_up_ref(*second);
  const X509Ptr gone(*second);
  for (std::size_t i = 0; i < LeafCertificates::kMaxCached - 1; ++i) {
    ASSERT_TRUE(leaves_->leaf("h" + std::to_string(i) + ".example"));
    if (i % 100 == 0) {
      ASSERT_EQ(*leaves_->leaf("first.example"), kept.get());
    }
  }
  EXPECT_EQ(*leaves_->leaf("first.example"), kept.get());
  EXPECT_NE(*leaves_->leaf("second.example"), gone.get());
}

TEST_F(Certificates, LeafServesInATlsHandshake) {
  const std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> server_context(SSL_CTX_new(TLS_server_method()));
  const std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> client_context(SSL_CTX_new(TLS_client_method()));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context.get()), root_.get());
  SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(client_context.get()), X509_V_FLAG_X509_STRICT);
  const std::unique_ptr<SSL, FreeWith<SSL_free>> server(SSL_new(server_context.get()));
  const std::unique_ptr<SSL, FreeWith<SSL_free>> client(SSL_new(client_context.get()));
  ASSERT_EQ(SSL_use_certificate(server.get(), *leaves_->leaf("api.example.com")), 1);
  ASSERT_EQ(SSL_use_PrivateKey(server.get(), leaves_->key()), 1);
  SSL_set1_host(client.get(), "api.example.com");
  BIO* left = nullptr;
  BIO* right = nullptr;
  ASSERT_EQ(BIO_new_bio_pair(&left, 0, &right, 0), 1);
  SSL_set_bio(server.get(), left, left);
  SSL_set_bio(client.get(), right, right);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  for (int i = 0; i < 20 && !(SSL_is_init_finished(server.get()) && SSL_is_init_finished(client.get())); ++i) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  EXPECT_TRUE(SSL_is_init_finished(client.get()));
  EXPECT_EQ(SSL_get_verify_result(client.get()), X509_V_OK);
  ERR_clear_error();
}

TEST_F(Certificates, OpensslProgramVerifiesStrictly) {
  if (std::system("command -v openssl >/dev/null") != 0) GTEST_SKIP() << "no openssl program here";
  char folder[] = "/tmp/weir-certificates-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string at = folder;
  std::ofstream(at + "/ca.pem") << authority_.certificate_pem;
  std::ofstream(at + "/leaf.pem") << to_pem(*leaves_->leaf("api.example.com"));
  const std::string command = "openssl verify -x509_strict -purpose sslserver -verify_hostname api.example.com -CAfile " +
                              at + "/ca.pem " + at + "/leaf.pem >/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(at);
}

}  // namespace
}  // namespace weir::proxy
