// What a request says of how it is signed.
#include <gmock/gmock.h>

#include "tests/proxy/sigv4/testing.h"

namespace weir::proxy::sigv4 {
namespace {

using namespace test;
using testing::HasSubstr;
using Payload = Plan::Payload;

constexpr std::string_view kScope = "20130524/us-east-1/s3/aws4_request";
constexpr std::string_view kPresigned =
    "/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ANY%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60"
    "&X-Amz-SignedHeaders=host%3BX-Amz-Meta-a&X-Amz-Signature=0";

Result<Plan> with(std::string_view value, std::string_view region = "", std::string_view service = "") {
  return plan(draft("GET", "h", "/", {{"authorization", value}, {"x-amz-content-sha256", kEmptyHash}}), region, service);
}
Result<Plan> target(std::string_view text) { return plan(draft("GET", "h", text, {}), "", ""); }
std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out(text);
  return out.replace(out.find(what), what.size(), with);
}

TEST(SigV4Plan, ReadsTheAuthorizationHeader) {
  const auto got = with(authorization(kScope, "Host;range;x-amz-date"));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_FALSE(got->presigned);
  EXPECT_EQ(got->region, "us-east-1");
  EXPECT_EQ(got->service, "s3");
  EXPECT_EQ(got->signed_headers, "host;range;x-amz-date");
  EXPECT_EQ(got->payload, Payload::hash_given);
}

TEST(SigV4Plan, ReadsTheAuthorizationHeaderInEachSpacing) {
  for (const std::string_view text : {"AWS4-HMAC-SHA256 Credential=a/1/r/s/aws4_request,SignedHeaders=host,Signature=0",
                                      "AWS4-HMAC-SHA256  Signature=0 ,\tSignedHeaders=host ,   Credential=a/b/c/1/r/s/aws4_request"}) {
    const auto got = with(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(got->region + got->service, "rs");
  }
}

TEST(SigV4Plan, ReadsAPresignedQuery) {
  const auto got = target(kPresigned);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(got->presigned);
  EXPECT_EQ(got->region, "us-east-1");
  EXPECT_EQ(got->service, "s3");
  EXPECT_EQ(got->signed_headers, "host;x-amz-meta-a");
  EXPECT_EQ(got->expires_seconds, 60);
  EXPECT_EQ(got->payload, Payload::unsigned_payload);
}

TEST(SigV4Plan, ReadsAQueryWhoseNamesAreEscaped) {
  EXPECT_TRUE(target(replaced(kPresigned, "X-Amz-Signature", "X%2DAmz%2dSignatur%65"))->presigned);
}

TEST(SigV4Plan, ThePolicyDecidesTheScope) {
  const auto got = with(authorization(kScope, "host"), "eu-central-1", "s3-outposts");
  EXPECT_EQ(got->region, "eu-central-1");
  EXPECT_EQ(got->service, "s3-outposts");
}

TEST(SigV4Plan, ARequestWithoutASignatureNeedsAScope) {
  const auto plain = draft("GET", "h", "/", {});
  EXPECT_EQ(code_of(plan(plain, "", "")), "signature_scope_missing");
  EXPECT_EQ(code_of(plan(plain, "r", "")), "signature_scope_missing");
  EXPECT_EQ(code_of(plan(plain, "", "s")), "signature_scope_missing");
  EXPECT_EQ(code_of(with(authorization("20130524//s3/aws4_request", "host"))), "signature_scope_missing");
  const auto got = plan(plain, "r", "s3");
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->presigned);
  EXPECT_EQ(got->signed_headers, "");
  EXPECT_EQ(got->payload, Payload::hash_needed);
}

TEST(SigV4Plan, Payloads) {
  const std::pair<std::string_view, Payload> kinds[] = {{kEmptyHash, Payload::hash_given},
                                                        {"UNSIGNED-PAYLOAD", Payload::unsigned_payload},
                                                        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload::chunks_signed},
                                                        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload::chunks_signed_trailer},
                                                        {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload::chunks_unsigned_trailer}};
  const auto value = authorization(kScope, "host");
  for (const auto& [text, kind] : kinds) {
    const auto got = plan(draft("PUT", "h", "/", {{"Authorization", value}, {"X-Amz-Content-SHA256", text}}), "", "");
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(got->payload, kind) << text;
    EXPECT_EQ(got->signs_chunks(), text.starts_with("STREAMING-AWS4")) << text;
  }
}

TEST(SigV4Plan, PayloadsThatAreNotDone) {
  const auto value = authorization(kScope, "host");
  for (const std::string_view text : {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-EVENTS", "abc", "unsigned-payload"})
    EXPECT_EQ(code_of(plan(draft("PUT", "h", "/", {{"Authorization", value}, {"x-amz-content-sha256", text}}), "", "")), "signature_unreadable") << text;
  EXPECT_EQ(code_of(plan(draft("PUT", "h", "/", {{"Authorization", value}, {"x-amz-content-sha256", kEmptyHash}, {"X-amz-content-sha256", kEmptyHash}}), "", "")),
            "signature_unreadable");
}

TEST(SigV4Plan, ABodyThatIsNotHashedIsReadButForS3) {
  const auto other = authorization("20130524/us-east-1/dynamodb/aws4_request", "host"), s3 = authorization(kScope, "host");
  EXPECT_EQ(plan(draft("POST", "h", "/", {{"Authorization", other}}), "", "")->payload, Payload::hash_needed);
  EXPECT_EQ(code_of(plan(draft("PUT", "h", "/", {{"Authorization", s3}}), "", "")), "payload_hash_missing");
  EXPECT_EQ(target(replaced(kPresigned, "%2Fs3%2F", "%2Fsts%2F"))->payload, Payload::hash_needed);
}

TEST(SigV4Plan, APresignedQueryMaySayThePayload) {
  EXPECT_EQ(target(std::string(kPresigned) + "&X-Amz-Content-Sha256=" + std::string(kEmptyHash))->payload, Payload::hash_given);
  EXPECT_EQ(target(std::string(kPresigned) + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD")->payload, Payload::unsigned_payload);
}

TEST(SigV4Plan, Version4AIsRefusedWithAWayOut) {
  for (const auto& got : {with("AWS4-ECDSA-P256-SHA256 Credential=a/20130524/s3/aws4_request, SignedHeaders=host, Signature=30"),
                          target(replaced(kPresigned, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"))}) {
    EXPECT_EQ(code_of(got), "signature_unreadable");
    EXPECT_THAT(got.error().message, HasSubstr("AWS_AUTH_SCHEME_PREFERENCE=sigv4"));
  }
}

TEST(SigV4Plan, Version2IsRefusedWithAWayOut) {
  for (const auto& got : {with("AWS AKID:frJIUN8DYpKDtOLCwo//yllqDzg="), target("/k?AWSAccessKeyId=A&Expires=1&Signature=x%3D")}) {
    EXPECT_EQ(code_of(got), "signature_unreadable");
    EXPECT_THAT(got.error().message, HasSubstr("s3v4"));
  }
}

TEST(SigV4Plan, WhatIsNoSignatureIsRefused) {
  const std::string good = authorization(kScope, "host");
  ASSERT_TRUE(with(good));
  const std::string bad[] = {"", "Bearer x", "Basic eDp5", "aws4-hmac-sha256 Credential=a/1/r/s/aws4_request, SignedHeaders=host, Signature=0", "AWS4-HMAC-SHA256",
                             "AWS4-HMAC-SHA512 Credential=a/1/r/s/aws4_request, SignedHeaders=host, Signature=0", replaced(good, "Credential=", "credential="),
                             replaced(good, "aws4_request", "aws5_request"), replaced(good, "us-east-1/", ""), replaced(good, "us-east-1", "us east"),
                             replaced(good, "us-east-1", "\xc3\xa4"), replaced(good, "SignedHeaders=host, ", ""), replaced(good, "=host", "=ho st"), replaced(good, "=host", "="),
                             good + ", Signature=1", good + ", More=1", good + ",", replaced(good, "Signature=" + std::string(64, '0'), "Signature=")};
  for (const auto& value : bad) EXPECT_EQ(code_of(with(value, "r", "s")), "signature_unreadable") << value;
}

TEST(SigV4Plan, WhatIsNoPresignedQueryIsRefused) {
  const std::string bad[] = {replaced(kPresigned, "X-Amz-Expires=60", "X-Amz-Expires=0"), replaced(kPresigned, "X-Amz-Expires=60", "X-Amz-Expires=604801"),
                             replaced(kPresigned, "X-Amz-Expires=60", "X-Amz-Expires=6x"), replaced(kPresigned, "&X-Amz-Expires=60", ""),
                             replaced(kPresigned, "&X-Amz-Signature=0", ""), replaced(kPresigned, "X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
                             replaced(kPresigned, "%2Faws4_request", ""), replaced(kPresigned, "host%3B", "host%20"), std::string(kPresigned) + "&X-Amz-Credential=x",
                             std::string(kPresigned) + "&x-amz-signature=1"};
  for (const auto& text : bad) EXPECT_EQ(code_of(target(text)), "signature_unreadable") << text;
}

TEST(SigV4Plan, TwoSignaturesAreRefused) {
  const auto value = authorization(kScope, "host");
  EXPECT_EQ(code_of(plan(draft("GET", "h", kPresigned, {{"Authorization", value}}), "", "")), "signature_unreadable");
  EXPECT_EQ(code_of(plan(draft("GET", "h", "/", {{"Authorization", value}, {"authorization", value}, {"x-amz-content-sha256", kEmptyHash}}), "", "")), "signature_unreadable");
}

TEST(SigV4Keys, Split) {
  for (const std::string_view value : {"ID\ns/e+c=", "ID\ns/e+c=\n", "ID\ns/e+c=\n\n"}) {
    const auto keys = split_keys(value);
    ASSERT_TRUE(keys) << value;
    EXPECT_EQ(keys->id, "ID");
    EXPECT_EQ(keys->secret, "s/e+c=");
    EXPECT_EQ(keys->token, "");
  }
  EXPECT_EQ(split_keys("ID\ns\ntoken==\n")->token, "token==");
  for (const std::string_view value : {"", "\n", "ID", "ID\n", "\ns", "I D\ns", "I/D\ns", "I,D\ns", "ID\ns s", "ID\r\ns", "ID\ns\nt\nu", "ID\ns\nt\xc3\xa4"})
    EXPECT_EQ(code_of(split_keys(value)), "credential_unusable") << value;
}

}  // namespace
}  // namespace weir::proxy::sigv4
