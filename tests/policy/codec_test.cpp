#include "policy_testing.h"
#include "random_documents.h"

namespace weir::policy {
namespace {

Document sample() {
  return document_of(
      "use: [anthropic, github-write]\ndefault: ask\nrules:\n  - {name: 'ü', hosts: ['*', 'a.com:1', '*.b.com'], ports: "
      "[65535], addresses: ['::/0']}\n"
      "  - {hosts: [c.com], query: {a: 'b*'}, headers: {x-a: '*'}, content_types: ['image/*'], body_max: 1KiB, rate: 5/h, "
      "when: "
      "['mon-fri 22:00-06:00 UTC', '2026-03-01T00:00Z/2026-04-01T00:00Z'], websocket: false, process: [/bin/x]}\n"
      "  - {hosts: [c.com], graphql: {operations: [query], fields: [a]}, action: ask}\n"
      "  - {hosts: [c.com], mcp: {methods: ['', tools/call], tools: ['x*']}}\n"
      "  - {tcp: ['d.com:22'], rate: 1/s}\n  - {hosts: [e.com], tls: passthrough}\n"
      "credentials:\n  a: {from: 'store:a', hosts: [a.com], substitute: {env: A, shape: 'a{random:16}', in: [query, body], elsewhere: log}}\n"
      "  b: {from: 'env:B', hosts: ['b.com:1'], inject: {basic: {username: 'ü'}}, insecure: true}\n"
      "  c: {from: 'env:C', hosts: [c.com], inject: {aws_sigv4: {region: r, service: s}}}\n"
      "oauth: [{token_url: 'https://a.com:8443/t', keep: {access_token: a}}]\nleaks: ask\n"
      "upstream: {ca_file: x, proxy: 'http://a:1', resolve: {a: '1.1.1.1:2', b: '::1'}}\nlimits: {request_body: "
      "18446744073709551615, inspected_body: 5, approval_wait: 1h}\n");
}

TEST(Codec, GivesBackWhatItWasGiven) {
  EXPECT_EQ(decode(encode(sample())).value(), sample());
  EXPECT_EQ(decode(encode(Document{})).value(), Document{});
}

TEST(Codec, LeavesOutWhatIsTheKeepersAlone) {
  const auto document = document_of(
      "vault: {address: 'https://v.example'}\ncredentials:\n  a: {from: {exec: [/bin/x]}, ttl: 1h, hosts: [a.com], inject: {query: k}, "
      "refresh: {oauth2: {token_url: 'https://t.example/hidden', grant: client_credentials, client_id: me}}}\n");
  const auto bytes = encode(document);
  EXPECT_EQ(bytes.find("hidden"), std::string::npos);
  EXPECT_EQ(bytes.find("v.example"), std::string::npos);
  const auto decoded = decode(bytes).value();
  EXPECT_EQ(decoded, proxys_part(document));
  EXPECT_EQ(decoded.credentials[0].refresh, Refresh{});
  EXPECT_EQ(decoded.credentials[0].ttl_seconds, 0U);
  EXPECT_EQ(decoded.credentials[0].inject, document.credentials[0].inject);
  EXPECT_TRUE(Policy::compile(decoded));
}

TEST(Codec, GivesBackWhateverLoads) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    Dice dice(seed);
    const auto document = loadable_document(dice);
    const auto decoded = decode(encode(document));
    ASSERT_TRUE(decoded) << seed;
    ASSERT_EQ(first_difference(*decoded, proxys_part(document)), "") << seed;
    ASSERT_EQ(*decoded, proxys_part(document)) << seed;
    ASSERT_TRUE(Policy::compile(*decoded)) << seed;
  }
}

TEST(Codec, RefusesNumbersThatMeanNothing) {
  auto document = sample();
  for (auto& credential : document.credentials) {
    const auto kept = credential.inject.kind;
    credential.inject.kind = static_cast<Injection::Kind>(7);
    EXPECT_FALSE(decode(encode(document)));
    credential.inject.kind = kept;
  }
  document.leaks = static_cast<Leaks>(4);
  EXPECT_FALSE(decode(encode(document)));
}

TEST(Codec, KeepsBytesThatAreNotText) {
  Document document;
  document.file = std::string("\xff\0\x80", 3);
  EXPECT_EQ(decode(encode(document)).value(), document);
}

TEST(Codec, RefusesEveryShorterOrLongerMessage) {
  const auto bytes = encode(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    ASSERT_FALSE(decode(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(decode(bytes + '\0'));
  EXPECT_FALSE(decode(bytes + bytes));
}

TEST(Codec, NeverReadsAChangedByteAsTheSameDocument) {
  auto original = sample();
  original.rules.resize(2);
  original.rules[0].name = "r";
  const auto bytes = encode(original);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int flip : {1, 0x20, 0x80}) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto decoded = decode(changed);
      if (decoded) {
        ASSERT_NE(*decoded, original) << i;
        ASSERT_EQ(encode(*decoded), changed) << i;
      }
    }
}

TEST(Codec, RefusesOtherCbor) {
  for (const std::string& bytes :
       {std::string("\xf6"), std::string("\xa0"), std::string("\x80"), std::string("\x01"), std::string("\xff"),
        std::string("\xc0\xa0"), std::string("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
        std::string("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("{}")})
    EXPECT_FALSE(decode(bytes));
}

TEST(Codec, DoesNotRecurseAsDeepAsTheSenderLikes) {
  EXPECT_FALSE(decode(std::string(1U << 20, '\x81')));
  EXPECT_FALSE(decode(std::string(1U << 20, '\x9f')));
}

}  // namespace
}  // namespace weir::policy
