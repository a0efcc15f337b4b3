// Whether a value can serve for what it is for.
#include "vault/purpose.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "tests/vault/keys.h"
#include "tests/vault/scratch.h"
#include "vault/client_certificate.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<Usable> as_certificate(const std::string& value) { return usable_for(Purpose::client_certificate, Secret(value), "it"); }

TEST(ClientCertificate, ChainWithItsKeyServesUntilItEnds) {
  const auto key = ec_key(), other = ec_key();
  for (const std::string& pem : {certificate_pem(key) + key_pem(key), key_pem(key) + certificate_pem(key), certificate_pem(key) + certificate_pem(other) + key_pem(key, nullptr, true),
                                 "Bag Attributes\n  x: y\n" + certificate_pem(key) + "\r\n" + key_pem(key)}) {
    const auto got = as_certificate(pem);
    ASSERT_TRUE(got) << message_of(got);
    EXPECT_EQ(got->value.reveal(), pem);
    EXPECT_NEAR(static_cast<double>(*got->ends_s), static_cast<double>(wall_clock_us() / 1'000'000 + 3600), 5);
  }
  const auto rsa = rsa_key();
  EXPECT_TRUE(as_certificate(certificate_pem(rsa) + key_pem(rsa, nullptr, true)));
}

TEST(ClientCertificate, AnythingElseSaysWhatIsWrongWithIt) {
  const auto key = ec_key(), other = ec_key();
  const std::string certificate = certificate_pem(key), its_key = key_pem(key);
  const struct {
    std::string value;
    const char* says;
  } table[] = {
      {"s3cret", "holds no certificate"},
      {its_key, "holds no certificate"},
      {certificate, "holds no private key"},
      {certificate + its_key + its_key, "more than one private key"},
      {certificate + key_pem(other), "not its first certificate's"},
      {certificate_pem(other) + certificate + its_key, "in place 2"},
      {certificate + key_pem(key, "pass"), "passphrase"},
      {certificate + key_pem(key, "pass", true), "passphrase"},
      {certificate_pem(key, "agent", -60) + its_key, "ended on"},
      {certificate + its_key.substr(0, 100), "cut off"},
      {certificate + "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n", "private key that cannot be read"},
      {"-----BEGIN CERTIFICATE-----\ns3cret\n-----END CERTIFICATE-----\n" + its_key, "certificate that cannot be read (number 1)"},
  };
  for (const auto& row : table) {
    const auto got = as_certificate(row.value);
    EXPECT_EQ(code_of(got), "credential_invalid") << row.says;
    EXPECT_THAT(message_of(got), AllOf(HasSubstr(row.says), Not(HasSubstr("s3cret"))));
  }
  EXPECT_EQ(code_of(as_certificate("")), "vault_value_empty");
}

TEST(ClientCertificate, WhatVaultsPkiGivesIsMadePem) {
  const auto key = ec_key(), issuer = ec_key();
  const nlohmann::json pki{{"certificate", certificate_pem(key)}, {"ca_chain", {certificate_pem(issuer, "issuer")}}, {"issuing_ca", certificate_pem(issuer, "issuer")},
                           {"private_key", key_pem(key)}, {"private_key_type", "ec"}};
  const auto got = as_certificate(pki.dump());
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), pki["certificate"].get<std::string>() + "\n" + pki["ca_chain"][0].get<std::string>() + "\n" + pki["private_key"].get<std::string>() + "\n");
  EXPECT_EQ(code_of(as_certificate(R"({"certificate":"x"})")), "credential_invalid");
}

TEST(AwsKeysAsValue, AreMadeOneFormAndEndWhenTheySay) {
  auto got = usable_for(Purpose::aws_keys, Secret(R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"})"), "it");
  ASSERT_TRUE(got) << message_of(got);
  EXPECT_EQ(got->value.reveal(), "A\ns\nt");
  EXPECT_EQ(got->ends_s, 1893456000);
  got = usable_for(Purpose::aws_keys, Secret("A\ns"), "it");
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->ends_s);
  EXPECT_EQ(code_of(usable_for(Purpose::aws_keys, Secret("A"), "it")), "credential_invalid");
}

TEST(LastsMs, IsTheShorterOfBothAndNeverNothingForWhatIsOver) {
  const std::int64_t now = wall_clock_us() / 1'000'000;
  EXPECT_EQ(lasts_ms(5000, {}), 5000);
  EXPECT_EQ(lasts_ms(0, {}), 0);
  EXPECT_NEAR(static_cast<double>(lasts_ms(0, now + 60)), 60'000, 2000);
  EXPECT_EQ(lasts_ms(5000, now + 60), 5000);
  EXPECT_EQ(lasts_ms(0, now - 60), 1);
}

TEST(Text, MayHaveNoControlCharactersAndWhatIsExchangedMay) {
  EXPECT_EQ(code_of(usable_for(Purpose::text, Secret("a\nb"), "it")), "vault_value_unusable");
  EXPECT_EQ(usable_for(Purpose::exchanged, Secret("a\nb"), "it")->value.reveal(), "a\nb");
}

TEST(SecretText, FormsAndBase64AreAsTheirStandardsHaveThem) {
  EXPECT_EQ(form_body({{"a b", "ü&="}, {"c", ""}}).reveal(), "a+b=%C3%BC%26%3D&c=");
  EXPECT_EQ(form_body({}).reveal(), "");
  EXPECT_EQ(form_encoded("").reveal(), "");
  EXPECT_EQ(base64("foob").reveal(), "Zm9vYg==");
  EXPECT_EQ(base64("").reveal(), "");
  EXPECT_EQ(base64url("\xfb\xff\xfe\x01").reveal(), "-__-AQ");
  EXPECT_EQ(joined({"a", "", "b"}).reveal(), "ab");
}

}  // namespace
}  // namespace weir::vault
