// The variables that no placeholder may be in are those that weir itself sets in a sandbox.
#include <gtest/gtest.h>

#include <algorithm>

#include "launch/process/environment.h"
#include "policy/document/check_credential.h"

namespace weir::policy {
namespace {

TEST(OwnVariables, AreThoseThatASandboxGetsWhateverTheHostHas) {
  launch::SandboxSpec spec;
  spec.sandbox_id = "s";
  const auto set = launch::environment_for(spec, {}, {});
  for (const auto& [name, value] : set) EXPECT_TRUE(std::ranges::find(own_variables(), name) != own_variables().end()) << name;
  for (const auto name : own_variables()) EXPECT_TRUE(set.contains(std::string(name))) << name;
}

}  // namespace
}  // namespace weir::policy
