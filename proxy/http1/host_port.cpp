#include "proxy/http1/host_port.h"

#include <arpa/inet.h>

#include <cstring>

namespace weir::proxy {
namespace {

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

bool is_v6(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy) return false;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in6_addr address{};
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, copy, &address) == 1;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  unsigned value = 0;
  if (text.empty() || text.size() > 5) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace

Result<HostPort> split_host_port(std::string_view text) {
  HostPort parts;
  std::string_view rest;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return fail("bad_host", "the host has a '[' without its ']'");
    parts.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    parts.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (bracketed ? !is_v6(parts.host) : !is_name(parts.host))
    return fail("bad_host", "the host is not a plain name or address");
  if (rest.empty()) return parts;
  if (rest.front() == ':') parts.port = read_port(rest.substr(1));
  if (!parts.port) return fail("bad_host", "what follows the host is not ':' and a port from 1 to 65535");
  return parts;
}

}  // namespace weir::proxy
