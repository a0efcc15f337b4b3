#include "proxy/sigv4/client_signature.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::proxy::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kLongestExpiry = 604800;  // a week, as AWS has it

std::unexpected<Error> unreadable(std::string sentence) { return fail("signature_unreadable", std::move(sentence)); }

std::unexpected<Error> other_algorithm(std::string_view name) {
  if (name.starts_with("AWS4-ECDSA-"))
    return unreadable("the request is signed with AWS Signature Version 4A (for several regions at once), which weir does not do: let the tool use a "
                      "regional endpoint instead of a multi-region one, or set AWS_AUTH_SCHEME_PREFERENCE=sigv4");
  if (name.starts_with("AWS4-"))
    return unreadable("the request is signed with an algorithm of AWS that weir does not know: let the tool sign with AWS4-HMAC-SHA256");
  return unreadable("the request carries an Authorization of another kind where an AWS signature is to go: let the tool sign with AWS Signature Version 4, "
                    "with keys of any content, or send no Authorization");
}

std::unexpected<Error> version_two() {
  return unreadable("the request is signed with AWS Signature Version 2, which AWS gives up and weir does not do: let the tool sign with version 4 "
                    "(signature_version = s3v4 in its settings)");
}

// ID/DATE/REGION/SERVICE/aws4_request; the id may hold anything.
Result<void> read_scope(std::string_view credential, ClientSignature& signature) {
  const auto parts = split(credential, '/');
  const auto count = parts.size();
  if (count < 5 || parts[count - 1] != "aws4_request") return unreadable("the AWS signature's Credential is not ID/DATE/REGION/SERVICE/aws4_request");
  // One that is empty is as good as not said; one that is odd would be odd in our own scope.
  for (const auto part : {parts[count - 3], parts[count - 2]})
    if (!part.empty() && !is_scope_part(part)) return unreadable("the AWS signature's Credential has a region or service that is none");
  signature.region = parts[count - 3];
  signature.service = parts[count - 2];
  return {};
}

Result<void> read_signed_headers(std::string_view list, ClientSignature& signature) {
  const auto good = [](char c) { return is_token(c) || c == ';'; };
  if (list.empty() || !std::all_of(list.begin(), list.end(), good)) return unreadable("the AWS signature's SignedHeaders is no list of names with ';' between");
  signature.signed_headers = to_lower(list);
  return {};
}

// "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…"
Result<void> read_authorization(std::string_view value, ClientSignature& signature) {
  const auto blank = value.find_first_of(" \t");
  const auto algorithm = value.substr(0, blank);
  if (algorithm == "AWS") return version_two();
  if (algorithm != kAlgorithm) return other_algorithm(algorithm);
  std::string_view credential, headers, text;
  if (blank != std::string_view::npos) {
    for (const auto entry : split(value.substr(blank), ',')) {
      const auto part = trim(entry);
      const auto equals = part.find('=');
      const auto name = part.substr(0, equals);
      std::string_view* const to = name == "Credential" ? &credential : name == "SignedHeaders" ? &headers : name == "Signature" ? &text : nullptr;
      if (equals == std::string_view::npos || to == nullptr || !to->empty())
        return unreadable("the AWS signature in the Authorization header is not Credential=…, SignedHeaders=…, Signature=…");
      *to = part.substr(equals + 1);
    }
  }
  if (credential.empty() || text.empty()) return unreadable("the AWS signature in the Authorization header lacks its Credential or Signature");
  if (auto scope = read_scope(credential, signature); !scope) return scope;
  signature.where = ClientSignature::Where::header;
  return read_signed_headers(headers, signature);
}

// The value of the one parameter of that name; "" where there is none.
Result<std::string> only(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = nullptr;
  for (const auto& parameter : parameters) {
    if (!equals_ignoring_case(parameter.name.view(), name)) continue;
    if (found != nullptr) return unreadable("the query has " + std::string(name) + " more than once");
    found = &parameter;
  }
  return found == nullptr ? std::string() : decoded(found->value.view());
}

Result<void> read_presigned(const std::vector<Parameter>& parameters, ClientSignature& signature) {
  std::string values[5];
  for (int i = 0; const auto name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Expires", "X-Amz-Signature"}) {
    auto value = only(parameters, name);
    if (!value) return std::unexpected(value.error());
    values[i++] = std::move(*value);
  }
  const auto& [algorithm, credential, headers, expires, text] = values;
  if (algorithm != kAlgorithm) return other_algorithm(algorithm.empty() ? "AWS4-" : algorithm);
  if (credential.empty() || text.empty()) return unreadable("the AWS signature in the query lacks its X-Amz-Credential or X-Amz-Signature");
  if (auto scope = read_scope(credential, signature); !scope) return scope;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), signature.expires_seconds);
  // IoT's WebSocket addresses have none.
  const bool none = expires.empty() && signature.service == "iotdevicegateway";
  if (!none && (error != std::errc() || end != expires.data() + expires.size() || signature.expires_seconds < 1 || signature.expires_seconds > kLongestExpiry))
    return unreadable("X-Amz-Expires is not a number of seconds from 1 to 604800");
  signature.where = ClientSignature::Where::query;
  return read_signed_headers(headers, signature);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](auto one) { return equals_ignoring_case(name, one); });
}

bool has(const std::vector<Parameter>& parameters, std::initializer_list<std::string_view> names) {
  return std::any_of(parameters.begin(), parameters.end(), [&](const auto& parameter) { return is_one_of(parameter.name.view(), names); });
}

}  // namespace

bool is_signature_header(std::string_view name) { return is_one_of(name, {"authorization", "x-amz-date", "x-amz-security-token"}); }

bool is_signature_parameter(std::string_view name) {
  return is_one_of(name, {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
                          "X-Amz-Security-Token"});
}

bool is_scope_part(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) { return is_unreserved(c) && c != '~'; });
}

Result<ClientSignature> read_client_signature(const DraftRequest& draft, const std::vector<Parameter>& parameters) {
  ClientSignature signature;
  const std::string_view* authorization = nullptr;
  for (const auto& field : draft.headers) {
    if (!equals_ignoring_case(field.name, "authorization")) continue;
    if (authorization != nullptr) return unreadable("the request has more than one Authorization header");
    authorization = &field.value;
  }
  const bool presigned = has(parameters, {"X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential"});
  if (authorization != nullptr && presigned) return unreadable("the request is signed in its header and in its query: AWS takes one of them alone");
  Result<void> read;
  if (authorization != nullptr)
    read = read_authorization(trim(*authorization), signature);
  else if (presigned)
    read = read_presigned(parameters, signature);
  else if (has(parameters, {"AWSAccessKeyId"}) && has(parameters, {"Signature"}))
    return version_two();
  if (!read) return std::unexpected(read.error());
  return signature;
}

}  // namespace weir::proxy::sigv4
