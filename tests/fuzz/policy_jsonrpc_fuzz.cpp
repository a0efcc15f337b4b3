// JSON-RPC bodies: what is read must be what nlohmann's document model says of the same bytes, and must stay the same when
// it is written anew.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "policy/body.h"

using weir::policy::Operation;
using weir::policy::Reading;

namespace {

Reading read(std::string_view text) { return weir::policy::read_jsonrpc("application/json", "", text); }

Operation operation_by_definition(const nlohmann::json& message) {
  if (!message.contains("method")) return {};
  Operation operation{message.at("method").get<std::string>(), ""};
  if (operation.kind == "tools/call") operation.name = message.at("params").at("name").get<std::string>();
  return operation;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reading = read(text);
  if (reading.state != Reading::State::read) {
    if (!reading.operations.empty()) std::abort();
    if (reading.state == Reading::State::unreadable && reading.problem.empty()) std::abort();
    return 0;
  }
  const auto json = nlohmann::json::parse(text);
  std::vector<Operation> expected;
  if (json.is_object())
    expected.push_back(operation_by_definition(json));
  else
    for (const auto& message : json) expected.push_back(operation_by_definition(message));
  if (reading.operations != expected) std::abort();
  if (read(json.dump(1, ' ', true)) != reading) std::abort();
  return 0;
}
