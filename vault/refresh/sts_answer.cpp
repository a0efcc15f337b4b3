#include "vault/refresh/sts_answer.h"

#include <algorithm>
#include <charconv>

#include "base/secret_json.h"
#include "base/time.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

// What stands between <NAME> and </NAME>, where that is there once. STS's elements below its root have neither attributes nor
// prefixes, and what is asked for here holds no elements of its own name.
std::optional<std::string_view> element(std::string_view xml, std::string_view name) {
  const std::string begin = "<" + std::string(name) + ">", end = "</" + std::string(name) + ">";
  const auto from = xml.find(begin);
  if (from == std::string_view::npos || xml.find(begin, from + 1) != std::string_view::npos) return std::nullopt;
  const auto to = xml.find(end, from);
  if (to == std::string_view::npos) return std::nullopt;
  return xml.substr(from + begin.size(), to - from - begin.size());
}

// Keys and tokens are of these characters (base64 and what its forms for URLs have); anything else, such as a character reference or an
// element, is no key.
bool is_key_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+/=_-.~:,%@").find(c) != std::string_view::npos;
  });
}

std::optional<StsKeys> made(std::string_view id, std::string_view secret, std::string_view token, std::int64_t ends_s) {
  if (!is_key_text(id) || !is_key_text(secret) || !is_key_text(token) || ends_s <= 0) return std::nullopt;
  return StsKeys{joined({id, "\n", secret, "\n", token}), ends_s};
}

// Seconds since 1970 as a number (1.7E9 too), or a time.
std::int64_t time_of(const SecretJson& given) {
  const std::string text = given.plain();
  if (given.is(SecretJson::Kind::string)) return parse_timestamp(text).value_or(0);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool sound = error == std::errc() && end == text.data() + text.size() && seconds > 0 && seconds < 1e11;
  return sound ? static_cast<std::int64_t>(seconds) : 0;
}

}  // namespace

std::optional<StsKeys> read_sts_keys(std::string_view answer, std::string_view action) {
  const std::string response = std::string(action) + "Response", result = std::string(action) + "Result";
  if (const auto json = SecretJson::parse(answer)) {
    const auto keys = json->at({response, result, "Credentials"});
    if (!keys) return std::nullopt;
    const auto id = keys->member("AccessKeyId"), secret = keys->member("SecretAccessKey"), token = keys->member("SessionToken"),
               ends = keys->member("Expiration");
    using Kind = SecretJson::Kind;
    if (!id || !secret || !token || !ends || !id->is(Kind::string) || !secret->is(Kind::string) || !token->is(Kind::string))
      return std::nullopt;
    return made(id->text().reveal(), secret->text().reveal(), token->text().reveal(), time_of(*ends));
  }
  if (answer.find("<!") != std::string_view::npos) return std::nullopt;  // document types, comments, CDATA: not from STS
  const auto inner = element(answer, result);
  const auto keys = inner ? element(*inner, "Credentials") : std::nullopt;
  if (!keys) return std::nullopt;
  const auto id = element(*keys, "AccessKeyId"), secret = element(*keys, "SecretAccessKey"), token = element(*keys, "SessionToken"),
             ends = element(*keys, "Expiration");
  if (!id || !secret || !token || !ends) return std::nullopt;
  return made(*id, *secret, *token, parse_timestamp(*ends).value_or(0));
}

std::optional<StsError> read_sts_error(std::string_view answer) {
  if (const auto json = SecretJson::parse(answer)) {
    const auto code = json->at({"Error", "Code"}), message = json->at({"Error", "Message"});
    if (!code || !code->is(SecretJson::Kind::string)) return std::nullopt;
    return StsError{code->plain(), message ? message->plain() : ""};
  }
  const auto error = element(answer, "Error");
  const auto code = error ? element(*error, "Code") : std::nullopt, message = error ? element(*error, "Message") : std::nullopt;
  if (!code || code->empty()) return std::nullopt;
  return StsError{std::string(*code), std::string(message.value_or(""))};
}

}  // namespace weir::vault
