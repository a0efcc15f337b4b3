// The signature of one POST by AWS's Signature Version 4, for STS. Pure. (What a sandbox sends is signed by the proxy, which has
// nothing in common with the vault: proxy/sigv4.)
// Source: "Create a signed AWS API request", AWS Identity and Access Management user guide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::vault {

struct AwsPost {
  std::string host;  // as in the Host field
  std::string path;  // "/" at least, percent-encoded
  std::string_view content_type, body;
  std::string region, service;
};

struct AwsSignature {
  std::string date;           // x-amz-date
  std::string authorization;  // tells the key's id and nothing of its secret
};
// `token`: of temporary keys, sent as x-amz-security-token; else empty. `now`: seconds since 1970.
AwsSignature sign_aws_post(const AwsPost& post, std::string_view id, std::string_view secret, std::string_view token, std::int64_t now);

}  // namespace weir::vault
