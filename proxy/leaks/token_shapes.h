// What tokens look like: where each kind is noticed and what must follow there. Shared with the generator of the pattern database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::proxy::leaks {

enum class TokenCheck : std::uint8_t {
  random,         // looks random, by its characters' variety
  mixed,          // also upper case, lower case and digits (two of them in less than 32 characters): for anchors that words have
  crc32,          // 30 characters and the CRC-32 of them in base62, 6 characters
  aws_secret,     // after a name for it, or after an access key's id: 40 characters
  jwt,            // RFC 7519 in compact form, RFC 7515 §3.1
  private_key,    // RFC 7468 and what OpenSSH and PGP write so, also within JSON (a service account's key)
  openai,         // a mark in the middle
  telegram,       // digits before the colon
  terraform,      // the mark is in the middle too
  near_discord, near_twilio, near_mailgun,  // forms that say little by themselves, near a name that says much
};

// `form`: what follows the anchor. %a letters and digits, %w also '_' and '-', %h lower-case hex, %H hex, %u upper case and digits, %d
// digits, %b base64, each with {least} or {least,most}; other characters stand for themselves. The last run is not followed by
// a character of its own set.
struct TokenShape {
  std::string_view kind;
  std::string_view anchor;
  std::string_view form;
  TokenCheck check = TokenCheck::random;
  bool any_case = false;  // the anchor has no case
  bool inside = false;    // may stand within a word
};

std::span<const TokenShape> token_shapes();

}  // namespace weir::proxy::leaks
