#include <idn2.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxInput = 1024;  // IDNA can shrink a name, but nothing sensible is longer
constexpr std::size_t kMaxName = 253;    // RFC 1035 §2.3.4, without the root's dot
constexpr std::size_t kMaxLabel = 63;

std::unexpected<Error> refuse(std::string_view host, std::string_view why) {
  return fail("host_invalid", "`" + printable(host, 300) + "` is not a host name: " + std::string(why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct Idn2Free {
  void operator()(char* text) const { idn2_free(text); }
};
using Idn2Text = std::unique_ptr<char, Idn2Free>;

constexpr int kIdnaFlags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

Result<std::string> to_a_labels(std::string_view host) {
  const std::string input(host);
  char* raw = nullptr;
  const int status = idn2_to_ascii_8z(input.c_str(), &raw, kIdnaFlags);
  const Idn2Text owner(raw);
  if (status != IDN2_OK) return refuse(host, idn2_strerror(status));
  return to_lower(raw);
}

// An A-label must be the one that its own U-label gives (RFC 5891 §5.4), or it would be a second spelling.
bool round_trips(const std::string& name) {
  char* raw = nullptr;
  int status = idn2_to_unicode_8z8z(name.c_str(), &raw, kIdnaFlags);
  const Idn2Text unicode(raw);
  if (status != IDN2_OK) return false;
  raw = nullptr;
  status = idn2_to_ascii_8z(unicode.get(), &raw, kIdnaFlags);
  const Idn2Text again(raw);
  return status == IDN2_OK && name == again.get();
}

bool has_a_label(std::string_view name) { return name.starts_with("xn--") || name.find(".xn--") != std::string_view::npos; }

// The last label is a number in any notation that inet_aton would take: then the whole is an address or an error
// (the same test as the URL Standard's "ends in a number checker").
bool ends_in_a_number(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);
  if (std::ranges::all_of(last, is_digit)) return true;
  return last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex);
}

Result<std::string> check_labels(std::string_view original, std::string name) {
  if (name.size() > kMaxName) return refuse(original, "it is longer than 253 octets");
  for (const auto label : split(name, '.')) {
    if (label.empty()) return refuse(original, "it has an empty label");
    if (label.size() > kMaxLabel) return refuse(original, "a label is longer than 63 octets");
    if (label.front() == '-' || label.back() == '-') return refuse(original, "a label begins or ends with a hyphen");
    for (const char c : label)
      if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
        return refuse(original, "it has the character `" + printable(std::string_view(&c, 1)) + "`");
  }
  if (ends_in_a_number(name)) {
    // SECURITY: G7, one spelling of an address; 0x7f.1 or 127.1 would mean 127.0.0.1 to inet_aton.
    const auto address = parse_ip(name);
    if (!address) return refuse(original, "it ends in a number and is not an IPv4 address in dotted quad form");
    return to_text(*address);
  }
  if (has_a_label(name) && !round_trips(name)) return refuse(original, "it has an invalid internationalised label (xn--)");
  return name;
}

// Whether it is canonical as it stands, and plainly so: most names are, and large policies have many.
bool is_plain_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxName) return false;
  std::size_t label = 0;     // where it begins
  bool has_letter = false;   // in the last label: then it is no number in any notation but 0x
  for (std::size_t i = 0; i <= host.size(); ++i) {
    if (i == host.size() || host[i] == '.') {
      const auto length = i - label;
      if (length == 0 || length > kMaxLabel || host[label] == '-' || host[i - 1] == '-') return false;
      if (host[label] == 'x' && host.substr(label).starts_with("xn--")) return false;
      if (i == host.size()) break;
      label = i + 1;
      has_letter = false;
    } else if (host[i] >= 'a' && host[i] <= 'z') {
      has_letter = true;
    } else if (!is_digit(host[i]) && host[i] != '-' && host[i] != '_') {
      return false;
    }
  }
  return has_letter && !host.substr(label).starts_with("0x");
}

}  // namespace

Result<std::string> canonical_host(std::string_view host) {
  if (is_plain_name(host)) return std::string(host);
  if (host.empty()) return fail("host_invalid", "the host name is empty");
  if (host.size() > kMaxInput) return refuse(host, "it is longer than 253 octets");
  if (host.find('\0') != std::string_view::npos) return refuse(host, "it has a NUL");

  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed || host.find(':') != std::string_view::npos) {
    const auto inner = bracketed ? host.substr(1, host.size() - 2) : host;
    const auto address = inner.find(':') == std::string_view::npos ? std::nullopt : parse_ip(inner);
    if (!address) return refuse(host, "it is not an IPv6 address");
    return to_text(*address);
  }

  const bool ascii = std::ranges::all_of(host, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::string name = to_lower(host);
  if (!ascii) {
    // Dots that are not ASCII (U+3002 and others) and digits of full width become plain ones here, so the checks follow.
    auto converted = to_a_labels(name);
    if (!converted) return converted;
    name = std::move(*converted);
  }
  if (name.ends_with('.')) name.pop_back();
  return check_labels(host, std::move(name));
}

bool is_ip_literal(std::string_view canonical_host) {
  if (canonical_host.find(':') != std::string_view::npos) return true;
  // A canonical name cannot end in a number, so the last label is enough.
  const auto last = canonical_host.substr(canonical_host.rfind('.') + 1);
  return !last.empty() && std::ranges::all_of(last, is_digit);
}

}  // namespace weir::policy
