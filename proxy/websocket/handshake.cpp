#include "proxy/websocket/handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "base/encoding.h"
#include "base/text.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy::websocket {

namespace {

constexpr std::size_t kMostSubprotocols = 100;

// Calls `take` with every element of the lists that fields of this name hold, in order.
template <class Take>
void for_each_element(const std::vector<Header>& headers, std::string_view name, Take&& take) {
  for (const auto& header : headers) {
    if (!equals_ignoring_case(header.name, name)) continue;
    auto list = header.value;
    for (auto element = next_element(list); !element.empty(); element = next_element(list)) take(element);
  }
}

bool lists(const std::vector<Header>& headers, std::string_view name, std::string_view wanted) {
  bool found = false;
  for_each_element(headers, name, [&](std::string_view element) { found = found || equals_ignoring_case(element, wanted); });
  return found;
}

// Whether Upgrade says `websocket` and nothing else.
bool upgrades_to_websocket_alone(const std::vector<Header>& headers) {
  std::size_t count = 0;
  for_each_element(headers, "upgrade", [&](std::string_view) { ++count; });
  return count == 1 && lists(headers, "upgrade", "websocket");
}

// The value of a field that must be there once; nothing when it is not.
std::optional<std::string_view> only(const std::vector<Header>& headers, std::string_view name) {
  std::optional<std::string_view> value;
  for (const auto& header : headers) {
    if (!equals_ignoring_case(header.name, name)) continue;
    if (value) return std::nullopt;
    value = header.value;
  }
  return value;
}

bool has(const std::vector<Header>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const Header& header) { return equals_ignoring_case(header.name, name); });
}

// 16 bytes in base64 (RFC 4648 §4): 22 digits, of the last of which two bits count, and the padding.
bool is_key(std::string_view text) {
  constexpr std::size_t kDigits = 22;
  if (text.size() != kDigits + 2 || !text.ends_with("==")) return false;
  for (const char c : text.substr(0, kDigits))
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/')) return false;
  return std::string_view("AQgw").find(text[kDigits - 1]) != std::string_view::npos;
}

}  // namespace

bool asks_for_websocket(const RequestHead& head) {
  // "websocket/13" names it too, as far as some servers are concerned.
  bool found = false;
  for_each_element(head.headers, "upgrade", [&](std::string_view element) {
    found = found || equals_ignoring_case(element.substr(0, element.find('/')), "websocket");
  });
  return found;
}

Result<Handshake> read_handshake(const RequestHead& head) {
  const auto& headers = head.headers;
  if (head.method != "GET") return fail("websocket_method", "A WebSocket is asked for with another method than GET.");
  if (head.http_1_0) return fail("websocket_http_version", "A WebSocket is asked for over HTTP/1.0.");
  if (head.body.kind != BodyLength::Kind::none && !(head.body.kind == BodyLength::Kind::fixed && head.body.size == 0))
    return fail("websocket_body", "The request for a WebSocket has a body.");
  if (!upgrades_to_websocket_alone(headers)) return fail("websocket_upgrade", "Upgrade does not say `websocket` alone.");
  if (!lists(headers, "connection", "upgrade")) return fail("websocket_connection", "Connection does not say `upgrade`.");
  if (only(headers, "sec-websocket-version") != "13")
    return fail("websocket_version", "The request for a WebSocket has not one Sec-WebSocket-Version, 13.");
  const auto key = only(headers, "sec-websocket-key");
  if (!key || !is_key(*key))
    return fail("websocket_key", "The request for a WebSocket has not one Sec-WebSocket-Key of 16 bytes in base64.");
  Handshake handshake{.key = *key, .subprotocols = {}};
  bool sound = true;
  for_each_element(headers, "sec-websocket-protocol", [&](std::string_view element) {
    auto& offered = handshake.subprotocols;
    sound = sound && offered.size() < kMostSubprotocols && is_token(element) &&
            std::find(offered.begin(), offered.end(), element) == offered.end();
    if (sound) offered.push_back(element);
  });
  if (!sound) return fail("websocket_protocol", "Sec-WebSocket-Protocol is not a short list of different tokens.");
  return handshake;
}

std::string make_key() { return base64_encode(random_bytes(16)); }

std::string accept_for(std::string_view key) {
  // RFC 6455 §1.3. SHA-1 proves nothing here, it only shows that the server has read the handshake.
  const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string digest(20, '\0');
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha1(), nullptr) !=
          1 ||
      size != digest.size())
    throw std::runtime_error("OpenSSL has no SHA-1");
  return base64_encode(digest);
}

Result<std::string_view> check_answer(const ResponseHead& head, std::string_view key,
                                      std::span<const std::string_view> subprotocols) {
  const auto& headers = head.headers;
  if (head.status != 101) return fail("websocket_status", "The upstream does not switch to WebSocket.");
  if (!upgrades_to_websocket_alone(headers)) return fail("websocket_upgrade", "The upstream switches to another protocol.");
  if (!lists(headers, "connection", "upgrade"))
    return fail("websocket_connection", "The upstream's Connection does not say `upgrade`.");
  if (only(headers, "sec-websocket-accept") != accept_for(key))
    return fail("websocket_accept", "The upstream's Sec-WebSocket-Accept does not fit the key.");
  if (has(headers, "sec-websocket-extensions"))
    return fail("websocket_extension", "The upstream wants an extension that was not offered.");
  if (!has(headers, "sec-websocket-protocol")) return std::string_view();
  const auto chosen = only(headers, "sec-websocket-protocol");
  if (!chosen || std::find(subprotocols.begin(), subprotocols.end(), *chosen) == subprotocols.end())
    return fail("websocket_protocol", "The upstream chose a subprotocol that was not offered.");
  return *chosen;
}

}  // namespace weir::proxy::websocket
