// Signatures, against the worked examples of AWS's references, and what else becomes of a request.
#include <gmock/gmock.h>

#include "tests/proxy/sigv4/testing.h"

namespace weir::proxy::sigv4 {
namespace {

using namespace test;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";
constexpr std::string_view kScope = "20130524/us-east-1/s3/aws4_request";

// Plans and signs; the seed, or the code of the error.
std::string sign_it(DraftRequest& request, const Keys& keys = kExampleKeys, std::int64_t now = kExampleDay, std::string_view hash = "") {
  const auto made = plan(request, "", "");
  if (!made) return made.error().code;
  std::string seed;
  const auto signing = sign(request, *made, keys, now, hash, &seed);
  return signing ? seed : signing.error().code;
}

DraftRequest s3(std::string_view target, std::string_view signed_headers = "host", Fields more = {}) {
  auto request = draft("GET", kHost, target, {{"Authorization", ""}, {"x-amz-content-sha256", kEmptyHash}, {"x-amz-date", "19990101T000000Z"}});
  request.headers[0].value = request.keep(WipedText(authorization(kScope, signed_headers)));
  for (const auto& [name, text] : more) request.headers.push_back({name, text});
  return request;
}

TEST(SigV4Sign, ExamplesOfTheS3Reference) {
  auto get = s3("/test.txt", "host;range;x-amz-content-sha256;x-amz-date", {{"Range", "bytes=0-9"}});
  EXPECT_EQ(sign_it(get), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(values(get, "authorization"),
            "[AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41]");
  EXPECT_EQ(values(get, "x-amz-date"), "[20130524T000000Z]");

  auto lifecycle = s3("/?lifecycle");
  EXPECT_EQ(sign_it(lifecycle), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(lifecycle.query, "lifecycle");
  auto list = s3("/?prefix=J&max-keys=2");
  EXPECT_EQ(sign_it(list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_EQ(list.query, "prefix=J&max-keys=2");

  auto put = s3("/test$file.text", "date;host", {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}});
  put.method = "PUT";
  put.headers[1].value = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  EXPECT_EQ(sign_it(put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(put.path, "/test%24file.text");
}

TEST(SigV4Sign, ExampleOfAPresignedAddress) {
  auto request = draft("GET", kHost,
                       "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ANY%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=19990101T000000Z"
                       "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Security-Token=theirs&X-Amz-Signature=00",
                       {});
  EXPECT_EQ(sign_it(request), "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  EXPECT_EQ(request.query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
            "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  EXPECT_TRUE(request.headers.empty());
}

TEST(SigV4Sign, ExampleOfTheGeneralReference) {
  const auto value = authorization("20150830/us-east-1/iam/aws4_request", "content-type;host;x-amz-date");
  auto request = draft("GET", "iam.amazonaws.com", "/?Action=ListUsers&Version=2010-05-08",
                       {{"Authorization", value}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  EXPECT_EQ(sign_it(request, {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}, 1440938160, payload_hash("")),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  EXPECT_EQ(values(request, "x-amz-content-sha256"), "");
}

TEST(SigV4Sign, WhatTheClientHadThereIsTakenOut) {
  auto request = s3("/k?x-amz-security-token=q&a=1", "host;x-amz-security-token", {{"X-AMZ-Security-Token", "theirs"}, {"x-amz-security-token", "again"}});
  ASSERT_EQ(sign_it(request, {"ID", "secret", "ours=="}).size(), 64U);
  EXPECT_EQ(values(request, "x-amz-security-token"), "[ours==]");
  EXPECT_EQ(values(request, "x-amz-date"), "[20130524T000000Z]");
  EXPECT_THAT(values(request, "authorization"), HasSubstr("Credential=ID/20130524/"));
  EXPECT_THAT(values(request, "authorization"), HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
  EXPECT_EQ(request.query, "a=1");
}

TEST(SigV4Sign, WithoutATokenNoneIsSent) {
  auto request = s3("/k", "host;x-amz-security-token", {{"x-amz-security-token", "theirs"}});
  sign_it(request);
  EXPECT_EQ(values(request, "x-amz-security-token"), "");
  EXPECT_THAT(values(request, "authorization"), HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
}

TEST(SigV4Sign, ATokenOfAPresignedAddressIsAParameterUnderTheSignature) {
  const std::string target = "/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ANY/20130524/us-east-1/s3/aws4_request&X-Amz-Date=x&X-Amz-Expires=60"
                             "&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
  auto one = draft("GET", kHost, target, {{"x-amz-security-token", "theirs"}}), other = draft("GET", kHost, target, {});
  const auto first = sign_it(one, {"ID", "secret", "a/b+c="}), second = sign_it(other, {"ID", "secret", "another"});
  EXPECT_THAT(std::string(one.query), HasSubstr("&X-Amz-Security-Token=a%2Fb%2Bc%3D&X-Amz-Signature="));
  EXPECT_NE(first, second);
  EXPECT_EQ(values(one, "x-amz-security-token"), "");
}

TEST(SigV4Sign, IotWantsTheTokenBehindTheSignature) {
  const std::string target = "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ANY/20130524/us-east-1/iotdevicegateway/aws4_request&X-Amz-Date=x"
                             "&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
  auto with = draft("GET", "iot", target, {}), without = draft("GET", "iot", target, {});
  EXPECT_EQ(sign_it(with, {"ID", "secret", "token"}, kExampleDay, kEmptyHash), sign_it(without, {"ID", "secret", ""}, kExampleDay, kEmptyHash));
  EXPECT_THAT(std::string(with.query), EndsWith("&X-Amz-Security-Token=token"));
  EXPECT_THAT(std::string(with.query), Not(HasSubstr("Expires")));
}

TEST(SigV4Sign, SignsTheClientsHeadersThatAreLeftAndEachOfAmazons) {
  auto request = s3("/k", "accept;content-length;host;user-agent;x-gone", {{"User-Agent", "x"}, {"Accept", "y"}, {"Range", "z"}, {"X-Amz-Meta-A", "1"}, {"x-amzn-trace-id", "t"}});
  sign_it(request);
  EXPECT_THAT(values(request, "authorization"), HasSubstr("SignedHeaders=accept;host;user-agent;x-amz-content-sha256;x-amz-date;x-amz-meta-a,"));
}

TEST(SigV4Sign, KeepsTheOtherHeadersAndTheirOrder) {
  auto request = s3("/k", "host", {{"B", "1"}, {"A", "2"}, {"b", "3"}});
  sign_it(request);
  std::string names;
  for (const auto& field : request.headers) names.append(field.name).append(" ");
  EXPECT_EQ(names, "x-amz-content-sha256 B A b X-Amz-Date Authorization ");
}

TEST(SigV4Sign, BlanksInAValueDoNotCount) {
  auto one = s3("/k", "a;host", {{"A", "x  y \t z"}, {"a", "w"}}), other = s3("/k", "a;host", {{"A", "x y z,w"}}), third = s3("/k", "a;host", {{"A", "xy z,w"}});
  const auto first = sign_it(one), second = sign_it(other);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, sign_it(third));
  EXPECT_EQ(one.headers[1].value, "x  y \t z");
}

TEST(SigV4Sign, ATargetGoesOutInTheOneEncoding) {
  const struct {
    std::string_view service, target, want;
  } cases[] = {{"s3", "/a(b)%7ec+d/%e4//x%2f?", "/a%28b%29~c%2Bd/%E4//x%2F?"},
               {"s3", "/%zz%4%", "/%25zz%254%25"},
               {"s3", "/?a+b=c%20d&&e&=f&g=&h=i=j&", "/?a%20b=c%20d&e&=f&g=&h=i%3Dj"},
               {"s3", "", "/"},
               {"execute-api", "/a(b)%7Ec+d/%e4//x%2f/../y|z", "/a(b)%7Ec+d/%e4//x%2f/../y%7Cz"},
               {"execute-api", "/?x=%c3%a4/:;&b=\"", "/?x=%C3%A4%2F%3A%3B&b=%22"}};
  for (const auto& one : cases) {
    auto request = draft("GET", "h", one.target, {});
    const auto made = plan(request, "r", one.service);
    ASSERT_TRUE(sign(request, *made, kExampleKeys, kExampleDay, kEmptyHash, nullptr));
    std::string target(request.path);
    if (request.has_query) target.append("?").append(request.query);
    EXPECT_EQ(target, one.want);
  }
}

TEST(SigV4Sign, RepeatedParametersAreSortedByNameThenValue) {
  const std::string_view same[] = {"/?a=2&a=1&a-b=0&A=3", "/?A=3&a=1&a=2&a-b=0", "/?a-b=0&A=3&a=2&a=1"};
  std::string first;
  for (const auto target : same) {
    auto request = s3(target);
    const auto signature = sign_it(request);
    if (first.empty()) first = signature;
    EXPECT_EQ(signature, first) << target;
  }
}

TEST(SigV4Sign, S3IsToldTheHashThatWasMissing) {
  auto request = draft("PUT", kHost, "/k", {});
  const auto made = plan(request, "us-east-1", "s3");
  ASSERT_TRUE(sign(request, *made, kExampleKeys, kExampleDay, payload_hash("body"), nullptr));
  EXPECT_EQ(values(request, "x-amz-content-sha256"), "[" + payload_hash("body") + "]");
  EXPECT_THAT(values(request, "authorization"), HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
}

TEST(SigV4Sign, ABodyThatWasChangedIsHashedAnew) {
  auto request = s3("/k");
  auto made = plan(request, "", "");
  made->payload = Plan::Payload::hash_needed;
  ASSERT_TRUE(sign(request, *made, kExampleKeys, kExampleDay, payload_hash("new"), nullptr));
  EXPECT_EQ(values(request, "x-amz-content-sha256"), "[" + payload_hash("new") + "]");
}

TEST(SigV4Sign, AnUnsignedRequestIsSignedWithTheUsualHeaders) {
  auto request = draft("POST", "h", "/", {{"Content-Type", "a/b"}, {"Accept", "c"}, {"X-Amz-Target", "T"}});
  const auto made = plan(request, "r", "dynamodb");
  ASSERT_TRUE(sign(request, *made, kExampleKeys, kExampleDay, kEmptyHash, nullptr));
  EXPECT_THAT(values(request, "authorization"), HasSubstr("SignedHeaders=content-type;host;x-amz-date;x-amz-target,"));
}

TEST(SigV4Sign, WithoutAHashNothingIsSigned) {
  const auto value = authorization("20130524/r/dynamodb/aws4_request", "host");
  for (const std::string_view hash : {"", "abc", "UNSIGNED-PAYLOAD"}) {
    auto request = draft("POST", "h", "/", {{"Authorization", value}});
    EXPECT_EQ(sign_it(request, kExampleKeys, kExampleDay, hash), "payload_hash_missing");
    EXPECT_EQ(values(request, "authorization"), "[" + value + "]");
  }
  auto request = s3("/");
  const auto made = plan(request, "", "");
  request.headers.erase(request.headers.begin() + 1);  // somebody took the hash away in between
  EXPECT_EQ(code_of(sign(request, *made, kExampleKeys, kExampleDay, "", nullptr)), "payload_hash_missing");
}

TEST(SigV4Sign, APlanWithoutAScopeIsNotSigned) {
  auto request = draft("GET", "h", "/", {});
  EXPECT_EQ(code_of(sign(request, Plan{}, kExampleKeys, kExampleDay, kEmptyHash, nullptr)), "signature_scope_missing");
}

TEST(SigV4Sign, TheSecretKeyStandsNowhere) {
  auto request = s3("/k?a=b");
  sign_it(request);
  for (const auto& field : request.headers) EXPECT_THAT(std::string(field.value), Not(HasSubstr(std::string(kExampleKeys.secret))));
}

TEST(SigV4Sign, SigningTwiceIsSigningOnce) {
  auto request = s3("/a b?c=d e", "host;range", {{"Range", "bytes=0-9"}});
  const auto first = sign_it(request);
  EXPECT_EQ(sign_it(request), first);
}

}  // namespace
}  // namespace weir::proxy::sigv4
