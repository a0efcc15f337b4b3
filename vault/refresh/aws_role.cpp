#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"
#include "vault/aws_keys.h"
#include "vault/refresh/aws_signature.h"
#include "vault/refresh/exchange.h"
#include "vault/refresh/sts_answer.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kDefaultRegion = "us-east-1";  // where the endpoint without a region is

struct Endpoint {
  std::string url, host, path;
};

Endpoint endpoint_of(const RefreshSettings& settings) {
  std::string url = settings.url;
  if (url.empty()) {
    const std::string_view domain = settings.account.starts_with("arn:aws-cn:") ? "amazonaws.com.cn" : "amazonaws.com";
    url = "https://sts." + (settings.region.empty() ? "" : settings.region + ".") + std::string(domain) + "/";
  }
  const auto host_at = url.find("://") + 3;
  const auto path_at = url.find('/', host_at);
  if (path_at == std::string::npos) return {url + "/", url.substr(host_at), "/"};
  return {url, url.substr(host_at, path_at - host_at), url.substr(path_at)};
}

std::array<std::string_view, 3> lines_of(std::string_view keys) {
  std::array<std::string_view, 3> lines;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto end = keys.find('\n');
    lines[i] = keys.substr(0, end);
    if (end == std::string_view::npos) break;
    keys.remove_prefix(end + 1);
  }
  return lines;
}

std::unexpected<Error> refusal(const http::Answer& answer, const Endpoint& endpoint, const RefreshSettings& settings,
                               std::initializer_list<std::string_view> secrets) {
  const std::string at = "AWS STS at " + printable(endpoint.url, 200);
  const auto error = read_sts_error(answer.body.reveal());
  if (!error) return fail("refresh_refused", at + " answered " + std::to_string(answer.status) + " and not as STS does");
  static constexpr std::array<std::string_view, 6> kPassing = {"Throttling",      "ThrottlingException",   "ServiceUnavailable",
                                                               "InternalFailure", "IDPCommunicationError", "RequestLimitExceeded"};
  const bool passes = std::ranges::find(kPassing, error->code) != kPassing.end();
  const bool of_time = error->code == "SignatureDoesNotMatch" || error->code == "RequestExpired" || error->code == "InvalidIdentityToken";
  return fail(passes ? "refresh_busy" : "refresh_denied",
              at + " does not give the role " + printable(settings.account, 200) + " (" + printable(error->code, 80) + ")" +
                  (of_time ? clock_hint(answer) : "") + service_words(error->message, secrets));
}

}  // namespace

Result<Exchanged> exchange_aws_role(http::Client& client, const RefreshSettings& settings, const Secret& base, const Secret&) {
  const Endpoint endpoint = endpoint_of(settings);
  const std::string_view action = settings.web_identity ? "AssumeRoleWithWebIdentity" : "AssumeRole";
  const std::string duration = std::to_string(settings.duration_seconds);
  std::vector<std::pair<std::string_view, std::string_view>> form{
      {"Action", action}, {"Version", "2011-06-15"}, {"RoleArn", settings.account},
      {"RoleSessionName", settings.session.empty() ? std::string_view("weir") : settings.session}};
  if (settings.duration_seconds != 0) form.emplace_back("DurationSeconds", duration);
  if (settings.web_identity)
    form.emplace_back("WebIdentityToken", base.reveal());
  else if (!settings.external_id.empty())
    form.emplace_back("ExternalId", settings.external_id);
  const Secret body = form_body(form);
  http::Request request{.url = endpoint.url, .fields = {{"Accept", "application/json"}, {"User-Agent", "weir"}, {"Content-Type", kForm}},
                        .body = &body};
  Secret keys;
  std::array<std::string_view, 3> parts;
  AwsSignature signature;
  if (!settings.web_identity) {
    auto read = aws_keys(base);
    if (!read) return fail("refresh_invalid", read.error().message);
    keys = std::move(*read);
    parts = lines_of(keys.reveal());
    const AwsPost post{endpoint.host, endpoint.path, kForm, body.reveal(),
                       settings.region.empty() ? std::string(kDefaultRegion) : settings.region, "sts"};
    signature = sign_aws_post(post, parts[0], parts[1], parts[2], wall_clock_us() / 1'000'000);
    request.fields.emplace_back("X-Amz-Date", signature.date);
    request.fields.emplace_back("Authorization", signature.authorization);
    if (!parts[2].empty()) request.fields.emplace_back("X-Amz-Security-Token", parts[2]);
  }
  auto answer = ask(client, std::move(request));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 300) return refusal(*answer, endpoint, settings, {base.reveal(), parts[1], parts[2]});
  auto given = read_sts_keys(answer->body.reveal(), action);
  if (!given) return fail("refresh_refused", "AWS STS at " + printable(endpoint.url, 200) + " gave no keys with an end");
  const std::int64_t lasts = given->ends_s - service_time_s(*answer);
  if (lasts <= 0) return fail("refresh_refused", "AWS STS at " + printable(endpoint.url, 200) + " gave keys that are over already");
  return Exchanged{std::move(given->keys), lasts * 1000};
}

}  // namespace weir::vault
