#include <algorithm>

#include "base/text.h"
#include "proxy/sigv4/canonical.h"
#include "proxy/sigv4/client_signature.h"
#include "proxy/sigv4/payload.h"
#include "proxy/sigv4/signing_key.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4 {
namespace {

using Parameters = std::vector<Parameter>;

void set_header(DraftRequest& draft, std::string_view name, std::string_view value) {
  std::erase_if(draft.headers, [&](const auto& field) { return equals_ignoring_case(field.name, name); });
  draft.headers.push_back({name, draft.keep(WipedText(value))});
}

void add_parameter(Parameters& parameters, std::string_view name, std::string_view value) {
  Parameter& parameter = parameters.emplace_back();
  parameter.name.append(name);
  append_encoded(parameter.value, value);
}

void take_signature_out(DraftRequest& draft, Parameters& parameters) {
  std::erase_if(draft.headers, [](const auto& field) { return is_signature_header(field.name); });
  std::erase_if(parameters, [](const auto& parameter) { return is_signature_parameter(parameter.name.view()); });
}

// AWS IoT wants the token in the query and not under the signature ("MQTT over the WebSocket protocol" in its developer guide).
bool token_is_unsigned(const Plan& plan) { return plan.service == "iotdevicegateway"; }

// The last line of the canonical request.
Result<std::string> payload_line(DraftRequest& draft, const Parameters& parameters, const Plan& plan, std::string_view given) {
  const auto stated = stated_payload(draft, parameters, plan.presigned);
  if (!stated) return std::unexpected(stated.error());
  if (plan.payload != Plan::Payload::hash_given && plan.payload != Plan::Payload::hash_needed) return std::string(payload_text(plan.payload));
  const auto hash = plan.payload == Plan::Payload::hash_given ? *stated : given;
  if (!is_hash(hash)) return fail("payload_hash_missing", "the hash of the body, which the AWS signature covers, is not known");
  std::string line(hash);
  const bool says_it = std::any_of(draft.headers.begin(), draft.headers.end(), [](const auto& field) { return equals_ignoring_case(field.name, kContentHash); });
  if (plan.payload == Plan::Payload::hash_needed && (says_it || (is_s3(plan.service) && !plan.presigned))) set_header(draft, kContentHash, line);
  return line;
}

std::string string_to_sign(const DraftRequest& draft, const Parameters& parameters, const Plan& plan, const std::vector<std::string>& names,
                           std::string_view timestamp, std::string_view payload) {
  WipedText request(draft.method);
  request.push_back('\n');
  append_canonical_path(request, draft.path, is_s3(plan.service));
  request.push_back('\n');
  append_canonical_query(request, parameters);
  request.push_back('\n');
  append_canonical_headers(request, draft, names);
  request.append("\n").append(joined(names)).append("\n").append(payload);
  std::string text("AWS4-HMAC-SHA256\n");
  text.append(timestamp).append("\n").append(scope_of(timestamp, plan.region, plan.service)).append("\n").append(sha256_hex(request.view()));
  return text;
}

void put_into_header(DraftRequest& draft, std::string_view credential, const std::vector<std::string>& names, std::string_view signature) {
  std::string value("AWS4-HMAC-SHA256 Credential=");
  value.append(credential).append(", SignedHeaders=").append(joined(names)).append(", Signature=").append(signature);
  set_header(draft, "Authorization", value);
}

}  // namespace

std::string payload_hash(std::string_view body) { return sha256_hex(body); }

Result<void> sign(DraftRequest& draft, const Plan& plan, const Keys& keys, std::int64_t now, std::string_view payload_hash, std::string* seed) {
  if (!is_scope_part(plan.region) || !is_scope_part(plan.service))
    return fail("signature_scope_missing", "the AWS region or service to sign for is not known");
  const std::string timestamp = timestamp_of(now);
  const std::string credential = std::string(keys.id) + "/" + scope_of(timestamp, plan.region, plan.service);
  Parameters parameters = parse_query(draft.query);
  const auto payload = payload_line(draft, parameters, plan, payload_hash);
  if (!payload) return std::unexpected(payload.error());
  take_signature_out(draft, parameters);
  draft.path = draft.keep(wire_path(draft.path, is_s3(plan.service)));
  if (!plan.presigned) {
    set_header(draft, "X-Amz-Date", timestamp);
    if (!keys.token.empty()) set_header(draft, "X-Amz-Security-Token", keys.token);
  }
  const auto names = names_to_sign(draft, plan.signed_headers);
  if (plan.presigned) {
    add_parameter(parameters, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    add_parameter(parameters, "X-Amz-Credential", credential);
    add_parameter(parameters, "X-Amz-Date", timestamp);
    if (plan.expires_seconds > 0) add_parameter(parameters, "X-Amz-Expires", std::to_string(plan.expires_seconds));
    add_parameter(parameters, "X-Amz-SignedHeaders", joined(names));
    if (!keys.token.empty() && !token_is_unsigned(plan)) add_parameter(parameters, "X-Amz-Security-Token", keys.token);
  }
  const SigningKey key(keys.secret, timestamp, plan.region, plan.service);
  const std::string signature = key.sign(string_to_sign(draft, parameters, plan, names, timestamp, *payload));
  if (plan.presigned) {
    add_parameter(parameters, "X-Amz-Signature", signature);
    if (!keys.token.empty() && token_is_unsigned(plan)) add_parameter(parameters, "X-Amz-Security-Token", keys.token);
  } else {
    put_into_header(draft, credential, names, signature);
  }
  WipedText query;
  append_query(query, parameters);
  draft.query = draft.keep(std::move(query));
  draft.has_query = draft.has_query || !draft.query.empty();
  if (seed != nullptr) *seed = signature;
  return {};
}

}  // namespace weir::proxy::sigv4
