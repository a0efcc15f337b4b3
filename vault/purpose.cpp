#include "vault/purpose.h"

#include <algorithm>
#include <string>

#include "base/secret_json.h"
#include "base/time.h"
#include "vault/aws_keys.h"
#include "vault/client_certificate.h"

namespace weir::vault {

// A header's value may hold none of these (RFC 9110 §5.5); refused at the source, not repaired on the way.
// SECURITY: G7.
Result<void> check_value(const Secret& value, std::string_view what) {
  if (value.empty()) return fail("vault_value_empty", std::string(what) + " is empty");
  const std::string_view text = value.reveal();
  const auto control = std::ranges::find_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f; });
  if (control == text.end()) return {};
  const char* kind = *control == '\n'   ? "a line feed"
                     : *control == '\r' ? "a carriage return"
                     : *control == '\0' ? "a NUL"
                                        : "a control character";
  return fail("vault_value_unusable", std::string(what) + " has " + kind + " at octet " +
                                          std::to_string(control - text.begin() + 1) + " of " + std::to_string(text.size()) +
                                          " and so cannot stand in a header; give the value on one line");
}

namespace {

// "Expiration" beside the keys, as `credential_process` and STS print it.
std::optional<std::int64_t> end_of_keys(const Secret& value) {
  const auto json = SecretJson::parse(value.reveal());
  const auto expiration = json ? json->member("Expiration") : std::nullopt;
  return expiration && expiration->is(SecretJson::Kind::string) ? parse_timestamp(expiration->plain()) : std::nullopt;
}

}  // namespace

Result<Usable> usable_for(Purpose purpose, Secret value, std::string_view what) {
  if (value.empty()) return fail("vault_value_empty", std::string(what) + " is empty");
  switch (purpose) {
    case Purpose::text:
      if (auto usable = check_value(value, what); !usable) return std::unexpected(usable.error());
      return Usable{std::move(value), {}};
    case Purpose::client_certificate: {
      Secret pem = client_certificate_as_pem(std::move(value));
      auto ends = check_client_certificate(pem, what);
      if (!ends) return std::unexpected(ends.error());
      return Usable{std::move(pem), *ends};
    }
    case Purpose::aws_keys: {
      auto keys = aws_keys(value);
      if (!keys) return fail("credential_invalid", std::string(what) + ": " + keys.error().message);
      return Usable{std::move(*keys), end_of_keys(value)};
    }
    case Purpose::exchanged:
      break;
  }
  return Usable{std::move(value), {}};
}

std::int64_t lasts_ms(std::int64_t given_ms, const std::optional<std::int64_t>& ends_s) {
  if (!ends_s) return given_ms;
  const std::int64_t left = std::max<std::int64_t>(*ends_s * 1000 - wall_clock_us() / 1000, 1);
  return given_ms == 0 ? left : std::min(given_ms, left);
}

}  // namespace weir::vault
