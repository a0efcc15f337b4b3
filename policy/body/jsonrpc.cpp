#include "base/text.h"
#include "policy/body.h"
#include "policy/body/media_type.h"
#include "policy/body/strict_json.h"

namespace weir::policy {

namespace {

Reading unreadable(std::string problem) {
  return {.state = Reading::State::unreadable, .operations = {}, .problem = std::move(problem)};
}

const JsonShape kParams{.keys = {{.key = "name"}}};
const JsonShape kMessage{.keys = {{.key = "jsonrpc"},
                                  {.key = "method"},
                                  {.key = "params", .inside = &kParams},
                                  {.key = "id"},
                                  {.key = "result"},
                                  {.key = "error"}}};

// SECURITY: G7, a server that matches keys in any letter case would see another member here.
std::string lookalike(const JsonObject& object) {
  return "the key `" + printable(object.lookalike, 60) + "` is in other letter case";
}

// JSON-RPC 2.0 §4, §5. The operation, or why there is none.
Result<Operation> operation_of(const JsonObject& message) {
  constexpr auto kCode = "body_unreadable";
  if (!message.lookalike.empty()) return fail(kCode, lookalike(message));
  const auto* const method = message.find("method");
  const bool responds = message.find("result") != nullptr || message.find("error") != nullptr;
  if (method == nullptr) {
    if (!responds) return fail(kCode, "an object has neither `method` nor `result` nor `error`");
    return Operation{};
  }
  if (responds) return fail(kCode, "an object is both a call and a response");
  // An empty method would look like a response.
  if (method->kind != JsonKind::string || method->text.empty()) return fail(kCode, "`method` is not a name");
  Operation operation{.kind = method->text, .name = {}};
  if (operation.kind != "tools/call") return operation;
  const auto* const params = message.find("params");
  if (params == nullptr || params->kind != JsonKind::object) return fail(kCode, "tools/call has no `params` object");
  if (!params->object.lookalike.empty()) return fail(kCode, lookalike(params->object));
  const auto* const name = params->object.find("name");
  if (name == nullptr || name->kind != JsonKind::string) return fail(kCode, "tools/call has no `name`");
  operation.name = name->text;
  return operation;
}

}  // namespace

Reading read_jsonrpc(std::string_view content_type, std::string_view content_encoding, std::string_view body) {
  if (body.empty()) return {};
  const auto type = parse_media_type(content_type);
  if (!type || !is_json(*type)) return unreadable("the content type is not JSON");
  if (const auto problem = encoding_problem(*type, content_encoding); !problem.empty())
    return unreadable(std::string(problem));
  auto messages = read_strict_json(body, kMessage);
  if (!messages) return unreadable(std::move(messages.error().message));
  Reading reading{.state = Reading::State::read, .operations = {}, .problem = {}};
  for (const auto& message : messages->objects) {
    auto operation = operation_of(message);
    if (!operation) return unreadable(std::move(operation.error().message));
    reading.operations.push_back(std::move(*operation));
  }
  return reading;
}

}  // namespace weir::policy
