// Files of cases. What loads can be asked of a policy, and errors can be printed.
#include <cstdint>
#include <cstdlib>

#include "policy/cases.h"
#include "policy/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::policy;
  static const Policy policy = [] {
    auto loaded = load_text(
        "version: 1\nrules:\n- {hosts: [a.test], paths: [/x/**], query: {a: b}, headers: {c: d}}\n- {hosts: ['*'], graphql: {fields: [a]}}\n"
        "- {hosts: [b.test], mcp: {tools: [t]}}\n",
        "/fuzz/policy.yaml");
    auto compiled = Policy::compile(std::move(loaded.document));
    if (!loaded.ok() || !compiled) std::abort();
    return std::move(*compiled);
  }();
  const auto cases = load_cases({reinterpret_cast<const char*>(data), size}, "/fuzz/cases.yaml");
  if (!cases) {
    if (cases.error().message.find_first_of("\x1b\r\t") != std::string::npos) std::abort();
    return 0;
  }
  for (const auto& one : *cases)
    if (const auto outcome = run_case(policy, one, 0); outcome && outcome->action == Action::deny && outcome->code.empty()) std::abort();
  return 0;
}
