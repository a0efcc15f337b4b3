// A table of requests with what a policy should say to each: a deployment's own test of its policy.
//
//   version: 1
//   cases:
//     - name: no pushing
//       method: POST                                    # GET, when it is left out
//       url: https://github.com/a/b/git-receive-pack
//       expect: deny                                    # allow | log | ask | deny
//       code: rule_denies                               # these three, where they matter too
//       rule: never push
//       credential: none
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/described_request.h"
#include "policy/policy.h"

namespace weir::policy {

struct Case {
  std::string name;  // as written, else the method and the URL
  Description request;
  Action expect = Action::deny;
  std::optional<std::string> rule{};        // "default": no rule, but the default decides
  std::optional<std::string> code{};        // of a denial
  std::optional<std::string> credential{};  // that goes with it; "none": no credential does
  Place place{};
  bool operator==(const Case&) const = default;
};

// As strict as the loader of policies, and in the same words. The error ("cases_invalid") holds all that is wrong, each with its
// place.
Result<std::vector<Case>> load_cases(std::string_view text, const std::string& file);

struct Outcome {
  Action action = Action::deny;
  std::string code;                      // of a denial, else empty
  std::string rule;                      // "default": no rule decided
  Place rule_place;                      // of that rule
  std::string operation;                 // of the body, where one decided: "mutation deleteRepository"
  std::vector<std::string> credentials;  // that go with it
  std::vector<std::string> differences;  // "expected deny, got allow"; empty: all as expected
  bool as_expected() const { return differences.empty(); }
};

// `now` counts for cases without `at`. An error means that the case's request cannot be made.
Result<Outcome> run_case(const Policy& policy, const Case& tested, std::int64_t now);

std::string to_text(const Operation& operation);

}  // namespace weir::policy
