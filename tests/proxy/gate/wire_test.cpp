#include "proxy/wire.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::proxy {
namespace {

TEST(Wire, ConfigurationGoesThereAndBack) {
  ProxyConfig config;
  config.sandbox_id = "sbx_x";
  config.policy_document = std::string("a\0b", 3);
  config.ca_certificate_pem = "pem";
  config.ca_key_der = Secret("key");
  config.upstream_ca_pem = "";
  config.hosts_file = "127.0.0.1 localhost\n";
  config.placeholders = {"", "tok_0123456789abcdef", ""};
  const auto back = decode_config(encode_config(config));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sandbox_id, config.sandbox_id);
  EXPECT_EQ(back->policy_document, config.policy_document);
  EXPECT_EQ(back->ca_key_der.reveal(), "key");
  EXPECT_EQ(back->hosts_file, config.hosts_file);
  EXPECT_EQ(back->placeholders, config.placeholders);
}

TEST(Wire, RefusesAConfigurationCutAnywhereOrWithMoreBehindIt) {
  const std::string whole = encode_config({});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_config(std::string_view(whole).substr(0, size)));
  EXPECT_FALSE(decode_config(whole + "x"));
}

TEST(Wire, APolicyGoesThereAndBack) {
  const PolicyBundle bundle{"document", "pem", {"a", ""}};
  const std::string whole = encode_policy(bundle);
  const auto back = decode_policy(whole);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->policy_document, bundle.policy_document);
  EXPECT_EQ(back->upstream_ca_pem, bundle.upstream_ca_pem);
  EXPECT_EQ(back->placeholders, bundle.placeholders);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_policy(std::string_view(whole).substr(0, size)));
}

TEST(Wire, EventsGoThereAndBack) {
  std::string message;
  put_event(message, "dns.query", "fields");
  put_event(message, "egress.denied", "");
  std::string_view rest = message;
  std::string_view type;
  std::string_view fields;
  ASSERT_TRUE(take_event(rest, type, fields));
  EXPECT_EQ(type, "dns.query");
  EXPECT_EQ(fields, "fields");
  ASSERT_TRUE(take_event(rest, type, fields));
  EXPECT_EQ(type, "egress.denied");
  EXPECT_EQ(fields, "");
  EXPECT_TRUE(rest.empty());
}

TEST(Wire, G5AHostileProxysBytesNeverReadBeyondTheMessage) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::string_view rest = bytes;
    std::string_view type;
    std::string_view fields;
    std::size_t taken = 0;
    while (take_event(rest, type, fields)) taken += 5 + type.size() + fields.size();
    ASSERT_LE(taken, bytes.size());
  }
}

}  // namespace
}  // namespace weir::proxy
