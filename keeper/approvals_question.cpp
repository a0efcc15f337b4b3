#include "keeper/approvals_question.h"

#include <nlohmann/json.hpp>

#include "events/event.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;

// What the event form cannot carry whole would make two requests look the same, to a person and to a grant: text that was
// cut, and bytes that are not UTF-8 and were replaced.
bool is_whole(const std::string& text) {
  return text.size() <= events::Fields::kMaxValue && text.find("…[cut ") == std::string::npos && text.find("\uFFFD") == std::string::npos;
}

}  // namespace

bool read_question_fields(std::string_view encoded, QuestionFields& out) {
  std::string text;
  if (!events::append_json(encoded, text)) return false;
  const auto fields = ordered_json::parse(text, nullptr, false);
  if (!fields.is_object()) return false;
  for (const auto& [key, value] : fields.items()) {
    if (key == "port") {
      if (!value.is_number_integer() || value < 0 || value > 65535) return false;
      out.subject.port = value.get<std::uint16_t>();
      continue;
    }
    std::string* const place = key == "request"          ? &out.request
                               : key == "scheme"         ? &out.subject.scheme
                               : key == "method"         ? &out.subject.method
                               : key == "host"           ? &out.subject.host
                               : key == "path"           ? &out.subject.path
                               : key == "protocol"       ? &out.subject.protocol
                               : key == "operation"      ? &out.subject.operation
                               : key == "operation_name" ? &out.subject.operation_name
                                                         : nullptr;
    if (place == nullptr) continue;  // of no weight for the answer: how long the query is, which process asks
    if (!value.is_string()) return false;
    *place = value.get<std::string>();
    if (!is_whole(*place)) out.refusal = "its " + key + " is too long, or not plain text, to be asked about";
  }
  const bool known_scheme = out.subject.scheme == "https" || out.subject.scheme == "http" || out.subject.scheme == "tls" || out.subject.scheme == "tcp";
  return known_scheme && !out.subject.host.empty() && !out.request.empty() && out.request.size() <= 64;
}

}  // namespace weir::keeper
