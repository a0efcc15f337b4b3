// What becomes of a token endpoint's answer, gathered while it is read. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret_json.h"
#include "proxy/credentials/token_answer.h"

namespace weir::proxy {

class TokenEdits {
 public:
  // `begin` to `end` of the body stand for the token, which is kept, and become `written`.
  void add(std::size_t begin, std::size_t end, const TokenPlace& place, Secret token, std::string written);
  CaughtAnswer apply(std::string_view body, std::int64_t expires_seconds) &&;

 private:
  struct Edit {
    std::size_t begin, end;
    std::string written;  // with a placeholder: no secret
  };
  std::vector<Edit> edits_;
  std::vector<CaughtToken> tokens_;
};

std::unexpected<Error> unreadable(const std::string& why);

// `root` is an object, its text in `body`.
Result<CaughtAnswer> catch_in_json(const SecretJson& root, std::string_view body, std::span<const TokenPlace> places);
Result<CaughtAnswer> catch_in_form(std::string_view body, std::span<const TokenPlace> places);
// Whether the text may be a form and has a parameter of such a name.
bool is_token_form(std::string_view body, std::span<const TokenPlace> places);

// The number that digits say; 0 where it is none, or more than a century.
std::int64_t whole_seconds(std::string_view digits);

}  // namespace weir::proxy
