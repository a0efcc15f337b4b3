#include <algorithm>

#include "base/text.h"
#include "proxy/sigv4/client_signature.h"
#include "proxy/sigv4/payload.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4 {
namespace {

using Payload = Plan::Payload;

struct Word {
  std::string_view text;
  Payload payload;
};
constexpr Word kWords[] = {{"UNSIGNED-PAYLOAD", Payload::unsigned_payload},
                           {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload::chunks_signed},
                           {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload::chunks_signed_trailer},
                           {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload::chunks_unsigned_trailer}};

std::string scope_part(std::string_view of_policy, const std::string& of_client) { return of_policy.empty() ? of_client : std::string(of_policy); }

}  // namespace

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

Result<std::string_view> stated_payload(const DraftRequest& draft, const std::vector<Parameter>& parameters, bool presigned) {
  std::string_view found;
  int count = 0;
  for (const auto& field : draft.headers)
    if (equals_ignoring_case(field.name, kContentHash)) found = trim(field.value), ++count;
  // What stands there needs no escapes, so the encoded form is the value.
  if (presigned && count == 0)
    for (const auto& parameter : parameters)
      if (equals_ignoring_case(parameter.name.view(), kContentHash)) found = parameter.value.view(), ++count;
  if (count > 1) return fail("signature_unreadable", "the request has x-amz-content-sha256 more than once");
  return found;
}

Result<Payload> payload_kind(std::string_view stated) {
  if (stated.empty()) return Payload::hash_needed;
  if (is_hash(stated)) return Payload::hash_given;
  for (const auto& word : kWords)
    if (word.text == stated) return word.payload;
  if (stated.starts_with("STREAMING-AWS4-ECDSA-"))
    return fail("signature_unreadable", "the payload is signed with AWS Signature Version 4A, which weir does not do: let the tool use a regional endpoint "
                                        "instead of a multi-region one, or set AWS_AUTH_SCHEME_PREFERENCE=sigv4");
  if (stated == "STREAMING-AWS4-HMAC-SHA256-EVENTS")
    return fail("signature_unreadable", "the payload is a stream of signed events, which weir does not sign anew: such a call cannot go through weir");
  return fail("signature_unreadable", "x-amz-content-sha256 is neither a SHA-256 in hex nor a kind of payload that weir knows");
}

std::string_view payload_text(Payload payload) {
  for (const auto& word : kWords)
    if (word.payload == payload) return word.text;
  return {};
}

Result<Plan> plan(const DraftRequest& draft, std::string_view region, std::string_view service) {
  const auto parameters = parse_query(draft.query);
  const auto client = read_client_signature(draft, parameters);
  if (!client) return std::unexpected(client.error());
  Plan plan;
  plan.presigned = client->where == ClientSignature::Where::query;
  plan.region = scope_part(region, client->region);
  plan.service = scope_part(service, client->service);
  plan.signed_headers = client->signed_headers;
  plan.expires_seconds = client->expires_seconds;
  if (!is_scope_part(plan.region) || !is_scope_part(plan.service))
    return fail("signature_scope_missing", std::string("the AWS ") + (is_scope_part(plan.region) ? "service" : "region") +
                                               " to sign for is not known: the request is not signed for one, and the policy's aws_sigv4 does not say it");
  const auto stated = stated_payload(draft, parameters, plan.presigned);
  if (!stated) return std::unexpected(stated.error());
  const auto payload = payload_kind(*stated);
  if (!payload) return std::unexpected(payload.error());
  plan.payload = *payload;
  if (!stated->empty() || !is_s3(plan.service)) return plan;
  if (plan.presigned) plan.payload = Payload::unsigned_payload;
  if (client->where == ClientSignature::Where::header)
    return fail("payload_hash_missing", "the request is signed for S3 without x-amz-content-sha256, which S3 refuses: let the tool send that header");
  return plan;
}

}  // namespace weir::proxy::sigv4
