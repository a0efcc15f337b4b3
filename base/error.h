// Expected failures as values. What can happen in good order (denied, not found, bad input, peer closed) is an
// Error; what should never happen throws and is caught at the top of the connection or the program.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace weir {

struct Error {
  std::string code;     // stable, for programs: "policy_invalid", "vault_entry_missing"
  std::string message;  // one sentence or more for people: what, where, how to mend it
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string code, std::string message) {
  return std::unexpected<Error>(Error{std::move(code), std::move(message)});
}

// The message followed by what errno says. `errno_value` is taken at once, before anything else may change errno.
std::unexpected<Error> fail_errno(std::string code, std::string message, int errno_value);

}  // namespace weir
