#include "proxy/tls/client_hello.h"

#include <algorithm>
#include <cstdint>

#include "policy/canonical.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMaxFragment = 1U << 14;  // RFC 8446 §5.1
constexpr std::uint8_t kTypeClientHello = 1;
constexpr std::uint8_t kTypeServerHello = 2;
constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kAlpn = 16;
constexpr std::uint16_t kEncryptedClientHello = 0xfe0d;
constexpr std::uint16_t kFirstDraftOfIt = 0xfe08;  // draft-ietf-tls-esni 07 to 12 counted up from here
constexpr std::uint16_t kEncryptedServerName = 0xffce;  // and drafts 01 to 06 had this one

std::unexpected<Error> invalid(const char* what) {
  return fail("client_hello_invalid", std::string("the TLS ClientHello is malformed: ") + what);
}

std::unexpected<Error> too_large() {
  return fail("client_hello_too_large", "the TLS ClientHello takes more than " + std::to_string(kMaxClientHello) + " octets");
}

// Octets taken from the front; nothing when there are fewer.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  std::optional<std::string_view> take(std::size_t size) {
    if (left_.size() < size) return std::nullopt;
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  std::optional<std::size_t> number(std::size_t octets) {  // in network order
    const auto taken = take(octets);
    if (!taken) return std::nullopt;
    std::size_t value = 0;
    for (const char octet : *taken) value = value << 8 | static_cast<std::uint8_t>(octet);
    return value;
  }
  // A vector (RFC 8446 §3.4): its length in `octets` octets, then that many.
  std::optional<std::string_view> vector(std::size_t octets) {
    const auto size = number(octets);
    return size ? take(*size) : std::nullopt;
  }

 private:
  std::string_view left_;
};

// One host_name and nothing else: of several, servers differ in which they take (RFC 6066 §3 forbids two of a kind).
Result<std::string> read_server_name(std::string_view extension) {
  Reader reader(extension);
  const auto list = reader.vector(2);
  if (!list || !reader.empty()) return invalid("server_name");
  Reader names(*list);
  const auto kind = names.number(1);
  const auto name = names.vector(2);
  if (!kind || *kind != 0 || !name || !names.empty()) return invalid("server_name is not one host name");
  if (name->ends_with('.')) return invalid("the server name has a trailing dot");
  const bool ascii = std::all_of(name->begin(), name->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!ascii) return invalid("the server name is not ASCII");
  auto canonical = policy::canonical_host(*name);
  if (!canonical) return invalid("the server name is not a host name");
  if (policy::is_ip_literal(*canonical)) return invalid("the server name is an IP address");
  return canonical;
}

Result<std::vector<std::string>> read_alpn(std::string_view extension) {  // RFC 7301 §3.1
  Reader reader(extension);
  const auto list = reader.vector(2);
  if (!list || list->empty() || !reader.empty()) return invalid("application_layer_protocol_negotiation");
  std::vector<std::string> protocols;
  for (Reader names(*list); !names.empty();) {
    const auto name = names.vector(1);
    if (!name || name->empty()) return invalid("an application protocol's name");
    protocols.emplace_back(*name);
  }
  return protocols;
}

Result<ClientHello> read_message(std::string_view message) {
  Reader reader(message);
  const auto version = reader.number(2);
  // 3.1 to 3.3; later ones are said in an extension (RFC 8446 §4.1.2).
  if (!version || *version < 0x0301 || *version > 0x0303) return invalid("its version");
  if (!reader.take(32)) return invalid("it ends within its random");
  const auto session = reader.vector(1);
  if (!session || session->size() > 32) return invalid("its session identifier");
  const auto suites = reader.vector(2);
  if (!suites || suites->size() < 2 || suites->size() % 2 != 0) return invalid("its cipher suites");
  const auto compressions = reader.vector(1);
  if (!compressions || compressions->empty()) return invalid("its compression methods");
  ClientHello hello;
  if (reader.empty()) return hello;  // RFC 5246 §7.4.1.2: extensions may be left out altogether
  const auto extensions = reader.vector(2);
  if (!extensions || !reader.empty()) return invalid("its extensions do not end where it ends");

  std::vector<std::uint16_t> seen;
  for (Reader left(*extensions); !left.empty();) {
    const auto number = left.number(2);
    const auto body = left.vector(2);
    if (!number || !body) return invalid("an extension does not end where it should");
    const auto type = static_cast<std::uint16_t>(*number);
    if (type == kEncryptedServerName || (type >= kFirstDraftOfIt && type <= kEncryptedClientHello)) hello.encrypted = true;
    if (type == kServerName) {
      auto name = read_server_name(*body);
      if (!name) return std::unexpected(name.error());
      hello.server_name = std::move(*name);
    } else if (type == kAlpn) {
      auto protocols = read_alpn(*body);
      if (!protocols) return std::unexpected(protocols.error());
      hello.alpn = std::move(*protocols);
    }
    seen.push_back(type);
  }
  // RFC 8446 §4.2. Servers differ in which of two they take.
  std::ranges::sort(seen);
  if (std::ranges::adjacent_find(seen) != seen.end()) return invalid("an extension stands in it twice");
  return hello;
}

}  // namespace

Result<std::optional<ClientHello>> read_client_hello(std::string_view bytes) {
  std::string message;  // with its header, as far as it has come
  std::size_t at = 0;
  for (;;) {
    const std::string_view record = bytes.substr(at);
    const auto foreign = message.empty() ? fail("not_tls", "the connection does not begin with a TLS handshake")
                                         : invalid("something else stands within it");
    if (!record.empty() && record[0] != kTlsHandshakeRecord) return foreign;
    if (record.size() > 1 && record[1] != 3) return foreign;  // the minor version says nothing (RFC 8446 §5.1)
    if (record.size() < kRecordHeader) break;
    const std::size_t size = *Reader(record.substr(3, 2)).number(2);
    if (size == 0 || size > kMaxFragment) return invalid("a record is empty or too large");
    if (at + kRecordHeader + size > kMaxClientHello) return too_large();
    message.append(record.substr(kRecordHeader, size));
    if (!message.empty() && static_cast<std::uint8_t>(message[0]) != kTypeClientHello) return invalid("another message comes first");
    if (message.size() >= 4) {
      const std::size_t wanted = 4 + *Reader(std::string_view(message).substr(1, 3)).number(3);
      if (wanted > kMaxClientHello) return too_large();
      // Nothing may follow it in its last record: the client waits for the answer (RFC 8446 §5.1).
      if (message.size() > wanted || (message.size() == wanted && record.size() < kRecordHeader + size)) return invalid("something follows it in its record");
      if (message.size() == wanted) {
        auto hello = read_message(std::string_view(message).substr(4));
        if (!hello) return std::unexpected(hello.error());
        hello->size = at + kRecordHeader + size;
        return std::optional<ClientHello>(std::move(*hello));
      }
    }
    if (record.size() < kRecordHeader + size) break;
    at += kRecordHeader + size;
  }
  if (bytes.size() >= kMaxClientHello) return too_large();
  return std::optional<ClientHello>();
}

std::optional<bool> is_hello_retry_request(std::string_view bytes) {
  // SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
  static constexpr std::string_view kRandom(
      "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c", 32);
  constexpr std::size_t kRandomAt = kRecordHeader + 4 + 2;
  if (!bytes.empty() && bytes[0] != kTlsHandshakeRecord) return false;
  if (bytes.size() > kRecordHeader && bytes[kRecordHeader] != kTypeServerHello) return false;
  if (bytes.size() > kRandomAt) {
    const auto random = bytes.substr(kRandomAt, kRandom.size());
    if (random != kRandom.substr(0, random.size())) return false;
    if (random.size() == kRandom.size()) return true;
  }
  return std::nullopt;
}

}  // namespace weir::proxy
