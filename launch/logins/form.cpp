#include "launch/logins/form.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "launch/logins/secret_text.h"

namespace weir::launch {
namespace {

constexpr std::string_view kPlaceholder = "{placeholder:";
constexpr std::string_view kBase64 = "base64:";
constexpr std::string_view kMadeUp = "{made-up:";

// `text`: a whole mark.
Mark mark_of(std::string_view text) {
  text.remove_suffix(1);
  if (text.starts_with(kPlaceholder)) return inside_mark(text.substr(kPlaceholder.size()));
  text.remove_prefix(kMadeUp.size());
  const auto colon = std::min(text.find(':'), text.size());
  return {Mark::Kind::made_up, text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))};
}

}  // namespace

Mark inside_mark(std::string_view text) {
  if (!text.starts_with(kBase64)) return {Mark::Kind::placeholder, text, {}};
  text.remove_prefix(kBase64.size());
  const auto colon = std::min(text.find(':'), text.size());
  return {Mark::Kind::encoded, text.substr(std::min(colon + 1, text.size())), text.substr(0, colon)};
}

std::string encoded_placeholder(const Mark& mark, std::string_view placeholder) {
  const auto prefix = decoded_base64(mark.detail);
  return base64_encode((prefix ? std::string(prefix->reveal()) : std::string()).append(placeholder));
}

std::string to_text(const Mark& mark) {
  const std::string name(mark.name);
  const std::string detail(mark.detail);
  switch (mark.kind) {
    case Mark::Kind::encoded:
      return std::string(kPlaceholder) + std::string(kBase64) + detail + ":" + name + "}";
    case Mark::Kind::made_up:
      return std::string(kMadeUp) + name + ":" + detail + "}";
    default:
      return std::string(kPlaceholder) + name + "}";
  }
}

std::string replace_marks(std::string_view form, const std::function<std::string(const Mark&)>& replacement) {
  std::string out;
  while (!form.empty()) {
    const auto from = std::min({form.find(kPlaceholder), form.find(kMadeUp), form.size()});
    out.append(form.substr(0, from));
    form.remove_prefix(from);
    const auto end = form.find('}');
    if (end == std::string_view::npos) break;
    out += replacement(mark_of(form.substr(0, end + 1)));
    form.remove_prefix(end + 1);
  }
  return out.append(form);
}

std::string to_json(const LoginForm& form) {
  nlohmann::ordered_json out{{"weir_login", 1}, {"files", nlohmann::ordered_json::array()}, {"credentials", nlohmann::ordered_json::array()}};
  for (const auto& file : form.files) out["files"].push_back({{"path", file.path}, {"text", file.text}});
  for (const auto& one : form.credentials)
    out["credentials"].push_back({{"definition", one.definition}, {"name", one.name}, {"entry", one.entry}, {"shape", one.shape}, {"captures", one.captures}});
  return out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

Result<LoginForm> form_from_json(std::string_view text) {
  const auto invalid = [] { return fail("login_form_invalid", "the login in weir's vault is not one that this weir knows; import it again"); };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("weir_login", nlohmann::json()) != 1) return invalid();
  try {
    LoginForm form;
    for (const auto& file : json.at("files"))
      form.files.push_back({file.at("path").get<std::string>(), file.at("text").get<std::string>()});
    for (const auto& one : json.at("credentials"))
      form.credentials.push_back({one.at("definition").get<std::string>(), one.at("name").get<std::string>(), one.at("entry").get<std::string>(),
                                  one.at("shape").get<std::string>(), one.at("captures").get<std::vector<std::string>>()});
    for (const auto& file : form.files)
      if (!file.path.starts_with("~/") || file.path.find("/../") != std::string::npos) return invalid();
    return form;
  } catch (const nlohmann::json::exception&) {
    return invalid();
  }
}

}  // namespace weir::launch
