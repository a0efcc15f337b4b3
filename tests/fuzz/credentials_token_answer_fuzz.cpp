// Answers of a token endpoint. The first byte says what they claim to be. What goes on to the sandbox parses as before,
// differs only in the members' values, and holds none of the tokens when it is read again.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_json.h"
#include "proxy/credentials/token_answer.h"

using namespace weir::proxy;

namespace {

const std::vector<TokenPlace> kPlaces{
    {"access_token", 1, "tok-A/+="}, {"a.access_token", 2, "tok-B"}, {"refresh_token", 3, "tok-C"}};

// The whole answer as another reader has it, with the members' values made equal.
nlohmann::json without_tokens(std::string_view text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) std::abort();
  const auto blank = [](nlohmann::json& object, const char* name) {
    if (object.is_object() && object.contains(name) && object[name].is_string() && object[name] != "") object[name] = "*";
  };
  blank(json, "access_token");
  blank(json, "refresh_token");
  if (json.is_object() && json.contains("a")) blank(json["a"], "access_token");
  return json;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  static constexpr const char* kTypes[] = {"application/json", "application/x-www-form-urlencoded", "text/plain", ""};
  const char* const type = kTypes[data[0] % 4];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto caught = catch_tokens(type, body, kPlaces);
  if (!caught) {
    if (caught.error().code != "token_answer_unreadable") std::abort();
    return 0;
  }
  if (caught->tokens.empty() && caught->body.view() != body) std::abort();
  const auto again = catch_tokens(type, caught->body.view(), kPlaces);
  if (!again || !again->tokens.empty() || again->body.view() != caught->body.view() ||
      again->expires_seconds != caught->expires_seconds)
    std::abort();
  const auto json = weir::SecretJson::parse(body);
  if (json && json->is(weir::SecretJson::Kind::object) && without_tokens(body) != without_tokens(caught->body.view()))
    std::abort();
  return 0;
}
