#include "proxy/tls/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

namespace weir::proxy {
namespace {

std::string number(std::size_t value, std::size_t octets) {
  std::string out;
  while (octets-- > 0) out.push_back(static_cast<char>(value >> 8 * octets & 0xff));
  return out;
}
std::string vector(const std::string& content, std::size_t octets) { return number(content.size(), octets) + content; }
std::string extension(std::size_t type, const std::string& body) { return number(type, 2) + vector(body, 2); }
std::string name_entry(const std::string& name, char kind = 0) { return std::string(1, kind) + vector(name, 2); }
std::string server_name(const std::string& name) { return extension(0, vector(name_entry(name), 2)); }

std::string message(const std::string& extensions) {
  const std::string body = std::string("\x03\x03", 2) + std::string(32, 'r') + vector(std::string(32, 's'), 1) + vector(std::string("\x13\x01", 2), 2) +
                           vector(std::string(1, '\0'), 1) + vector(extensions, 2);
  return std::string(1, '\x01') + vector(body, 3);
}
std::string record(const std::string& fragment, char type = kTlsHandshakeRecord) { return std::string(1, type) + std::string("\x03\x01", 2) + vector(fragment, 2); }
std::string hello(const std::string& extensions) { return record(message(extensions)); }

ClientHello whole(const std::string& bytes) {
  const auto got = read_client_hello(bytes);
  if (!got) ADD_FAILURE() << got.error().code << ": " << got.error().message;
  if (!got || !*got) {
    ADD_FAILURE() << "it is not whole";
    return {};
  }
  return **got;
}
std::string code(const std::string& bytes) {
  const auto got = read_client_hello(bytes);
  if (got) return *got ? "ok" : "more";
  return got.error().code;
}

// What OpenSSL's own client says first.
std::string from_openssl(const char* name, int version) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  static constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(ssl.get(), kProtocols, sizeof kProtocols - 1);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return {data, static_cast<std::size_t>(size)};
}

TEST(ClientHello, ReadsWhatOpensslSends) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string bytes = from_openssl("API.example.com", version);
    const ClientHello got = whole(bytes);
    EXPECT_EQ(got.server_name, "api.example.com");
    EXPECT_EQ(got.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
    EXPECT_FALSE(got.encrypted);
    EXPECT_EQ(got.size, bytes.size());
    EXPECT_EQ(whole(from_openssl(nullptr, version)).server_name, "");
  }
}

TEST(ClientHello, WaitsForEveryOctetOfIt) {
  const std::string bytes = from_openssl("api.example.com", TLS1_3_VERSION);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(code(bytes.substr(0, size)), "more") << size;
}

TEST(ClientHello, IsPutTogetherFromRecordsOfAnySize) {
  const std::string sent = message(server_name("api.example.com"));
  for (std::size_t piece = 1; piece <= sent.size(); ++piece) {
    std::string bytes;
    for (std::size_t at = 0; at < sent.size(); at += piece) bytes += record(sent.substr(at, piece));
    const ClientHello got = whole(bytes);
    EXPECT_EQ(got.server_name, "api.example.com") << piece;
    EXPECT_EQ(got.size, bytes.size());
    EXPECT_EQ(code(bytes.substr(0, bytes.size() - 1)), "more");
  }
}

TEST(ClientHello, LeavesWhatComesAfterItsRecord) {
  const std::string first = hello(server_name("api.example.com"));
  EXPECT_EQ(whole(first + record("\x01", '\x14') + record("early data", '\x17')).size, first.size());
}

TEST(ClientHello, NeedsNoExtensions) {
  const std::string body = std::string("\x03\x01", 2) + std::string(32, 'r') + vector("", 1) + vector(std::string("\x00\x2f", 2), 2) + vector(std::string(1, '\0'), 1);
  EXPECT_EQ(whole(record(std::string(1, '\x01') + vector(body, 3))).server_name, "");
}

TEST(ClientHello, SeesAnEncryptedOneAndItsDrafts) {
  for (const std::size_t type : {0xfe0dU, 0xfe0aU, 0xfe08U, 0xffceU})
    EXPECT_TRUE(whole(hello(server_name("front.example") + extension(type, "anything"))).encrypted) << type;
  EXPECT_FALSE(whole(hello(server_name("front.example") + extension(0xfe0e, "x"))).encrypted);
}

TEST(ClientHello, IsNoOtherProtocol) {
  for (const char* other : {"GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\x16\x02", "\x80\x2e\x01", "\x15\x03\x01"}) EXPECT_EQ(code(other), "not_tls") << other;
  EXPECT_EQ(code(record("x", '\x17')), "not_tls");
}

TEST(ClientHello, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string good = server_name("api.example.com");
  const struct {
    const char* what;
    std::string bytes;
  } kCases[] = {
      {"two names", hello(extension(0, vector(name_entry("a.example") + name_entry("b.example"), 2)))},
      {"two server_name extensions", hello(good + server_name("other.example"))},
      {"the same extension twice", hello(good + extension(0xabcd, "") + extension(0xabcd, ""))},
      {"no name in the list", hello(extension(0, vector("", 2)))},
      {"an empty extension", hello(extension(0, ""))},
      {"an empty name", hello(server_name(""))},
      {"a name of another type", hello(extension(0, vector(name_entry("a.example", 1), 2)))},
      {"octets after the list", hello(extension(0, vector(name_entry("a.example"), 2) + "x"))},
      {"octets after the name", hello(extension(0, vector(name_entry("a.example") + "x", 2)))},
      {"a NUL in the name", hello(server_name(std::string("a.example\0.b.example", 20)))},
      {"a trailing dot", hello(server_name("a.example."))},
      {"an address", hello(server_name("192.0.2.1"))},
      {"an IPv6 address", hello(server_name("2001:db8::1"))},
      {"a name that is not ASCII", hello(server_name("b\xc3\xbc"
                                                     "cher.example"))},
      {"a bad label", hello(server_name("a..example"))},
      {"an empty protocol name", hello(good + extension(16, vector(std::string(1, '\0'), 2)))},
      {"an empty protocol list", hello(good + extension(16, vector("", 2)))},
      {"an extension that ends beyond", hello(good + number(0xabcd, 2) + number(4, 2) + "abc")},
      {"an empty record", record("") + hello(good)},
      {"another message first", record(std::string(1, '\x02') + number(1, 3) + "x")},
      {"another message in the same record", record(message(good) + message(good))},
      {"another record within", record(message(good).substr(0, 20)) + record("\x01", '\x14') + record(message(good).substr(20))},
      {"a record of another version within", record(message(good).substr(0, 20)) + std::string("\x16\x02", 2)},
      {"a record that is too large", std::string("\x16\x03\x01\x40\x01", 5)},
      {"an empty record before any octet of it", std::string("\x16\x03\x01\x00\x00", 5)},
  };
  for (const auto& one : kCases) EXPECT_EQ(code(one.bytes), "client_hello_invalid") << one.what;
}

TEST(ClientHello, RefusesLengthsThatDoNotAgree) {
  const std::string good = hello(server_name("api.example.com"));
  // Each octet of the fixed part that is a length, one up and one down.
  for (const std::size_t at : {8U, 43U, 77U, 80U, 83U, 87U, 89U, 92U})
    for (const int by : {-1, 1}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] + by);
      const std::string got = code(bytes);
      EXPECT_TRUE(got == "client_hello_invalid" || got == "more") << at << ' ' << by << ' ' << got;
    }
}

TEST(ClientHello, IsOfBoundedSize) {
  const std::string large = message(server_name("api.example.com") + extension(0xabcd, std::string(kMaxClientHello, 'x')));
  EXPECT_EQ(code(record(large.substr(0, 16384)) + record(large.substr(16384))), "client_hello_too_large");
  EXPECT_EQ(code(record(large.substr(0, 4))), "client_hello_too_large") << "its length alone says so";
  std::string drop_by_drop;
  for (std::size_t at = 0; drop_by_drop.size() < kMaxClientHello; ++at) drop_by_drop += record(large.substr(at, 1));
  EXPECT_EQ(code(drop_by_drop), "client_hello_too_large");
  const std::string small = message(server_name("api.example.com") + extension(0xabcd, std::string(4000, 'x')));
  drop_by_drop.clear();
  for (std::size_t at = 0; drop_by_drop.size() < kMaxClientHello; ++at) drop_by_drop += record(small.substr(at, 1));
  EXPECT_EQ(code(drop_by_drop), "client_hello_too_large") << "record headers count too";
}

TEST(HelloRetryRequest, IsToldFromAServerHello) {
  const std::string random("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c", 32);
  const std::string retry = record(std::string("\x02\x00\x00\x50\x03\x03", 6) + random + std::string(46, 'x'));
  for (std::size_t size = 0; size < 43; ++size) EXPECT_EQ(is_hello_retry_request(retry.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(is_hello_retry_request(retry.substr(0, 43)), true);
  EXPECT_EQ(is_hello_retry_request(retry), true);
  const std::string server_hello = record(std::string("\x02\x00\x00\x50\x03\x03", 6) + std::string(78, 'r'));
  EXPECT_EQ(is_hello_retry_request(server_hello), false);
  EXPECT_EQ(is_hello_retry_request(record(std::string("\x02\x28", 2), '\x15')), false) << "an alert";
}

}  // namespace
}  // namespace weir::proxy
