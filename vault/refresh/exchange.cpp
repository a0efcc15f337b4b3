#include "vault/refresh/exchange.h"

#include <curl/curl.h>

#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "vault/purpose.h"

namespace weir::vault {
namespace {

constexpr std::int64_t kTellingSkew = 30;  // seconds

bool is_busy(long status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

std::string shown(const std::string& url) { return printable(url.substr(0, url.find('?')), 200); }

}  // namespace

http::Client token_client(const RefreshSettings& settings) {
  http::Trust trust;
  trust.ca_pem = settings.ca_pem;
  return {std::move(trust), {.attempts = 3}, {"date", "x-ratelimit-remaining", "content-type"}};
}

Result<Exchanged> exchange(http::Client& client, const RefreshSettings& settings, const Secret& base, const Secret& client_secret) {
  using Kind = RefreshSettings::Kind;
  switch (settings.kind) {
    case Kind::oauth2:
      return exchange_oauth2(client, settings, base, client_secret);
    case Kind::github_app:
      return exchange_github_app(client, settings, base, client_secret);
    case Kind::google:
      return exchange_google(client, settings, base, client_secret);
    case Kind::aws_role:
      return exchange_aws_role(client, settings, base, client_secret);
    case Kind::none:
      break;
  }
  return fail("refresh_invalid", "there is nothing to exchange it for");
}

Result<http::Answer> ask(http::Client& client, http::Request request) {
  request.method = "POST";
  request.worth_another = is_busy;
  request.longest_answer = 64U << 10;
  http::Answer answer = client.call(request);
  if (answer.too_long) return fail("refresh_refused", "the answer of " + shown(request.url) + " is longer than 64 KiB");
  if (answer.status == 0)
    return fail("refresh_unreachable", shown(request.url) + " cannot be reached: " + printable(answer.problem, 300));
  if (is_busy(answer.status))
    return fail("refresh_busy", shown(request.url) + " takes no requests for now (status " + std::to_string(answer.status) + ")");
  if (answer.status >= 300 && answer.status < 400)
    return fail("refresh_refused", shown(request.url) + " sends the request elsewhere (status " + std::to_string(answer.status) +
                                       "), and secrets go nowhere else; give the address that it has now");
  return answer;
}

std::int64_t service_time_s(const http::Answer& answer) {
  const auto date = answer.fields.find("date");
  const std::int64_t theirs = date == answer.fields.end() ? -1 : curl_getdate(date->second.c_str(), nullptr);
  return theirs > 0 ? theirs : wall_clock_us() / 1'000'000;
}

std::string clock_hint(const http::Answer& answer) {
  const std::int64_t ahead = wall_clock_us() / 1'000'000 - service_time_s(answer);
  if (std::abs(ahead) < kTellingSkew) return "";
  return " (this machine's clock is " + std::to_string(std::abs(ahead)) + " s " + (ahead > 0 ? "ahead of" : "behind") +
         " the service's)";
}

std::string service_words(std::string_view text, std::initializer_list<std::string_view> secrets) {
  text = trim(text.substr(0, text.find_first_of("\r\n")));
  if (text.empty()) return "";
  for (const auto secret : secrets)
    if (!secret.empty() && text.find(secret) != std::string_view::npos) return "";
  return ": " + printable(text, 200);
}

Result<Secret> usable_token(Secret token, const std::string& url) {
  if (auto usable = check_value(token, "the token of " + shown(url)); !usable)
    return fail("refresh_refused", usable.error().message);
  return token;
}

}  // namespace weir::vault
