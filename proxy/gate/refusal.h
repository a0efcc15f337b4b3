// A request that does not go through, and the answer that tells the agent why and what its user can do.
#pragma once

#include <cstdint>

#include <string>
#include <string_view>

namespace weir::proxy {

struct Refusal {
  int status = 403;         // 403 policy; 400 malformed; 421 names disagree; 413 too large; 429 too many; 5xx weir's or the upstream's failure
  std::string code;         // stable: "no_rule", "host_mismatch", "upstream_certificate", …
  std::string message;      // a sentence
  std::string how_to_allow; // what to do about it; may be empty
  std::string rule;         // the rule that refused; empty: none
};

struct RefusedRequest {  // what is known of it; parts may be empty. Hostile text.
  std::string_view scheme, host, method, path;
  std::uint16_t port = 0;
};

std::string_view reason_phrase(int status);  // RFC 9110 §15

// A whole HTTP/1.1 response: JSON body, `x-weir-verdict`. `head_only` for HEAD; `close` adds Connection: close.
std::string render(const Refusal& refusal, const RefusedRequest& request, bool head_only, bool close);

}  // namespace weir::proxy
