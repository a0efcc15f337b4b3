#include "proxy/gate/refusal.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Refused";
  }
}

std::string render(const Refusal& refusal, const RefusedRequest& request, bool head_only, bool close) {
  nlohmann::ordered_json detail;
  detail["code"] = refusal.code;
  detail["message"] = printable(refusal.message, 1024);
  if (!request.host.empty()) detail["host"] = printable(request.host, 300);
  if (!request.method.empty()) detail["method"] = printable(request.method, 40);
  if (!request.path.empty()) detail["path"] = printable(request.path, 500);
  if (refusal.rule.empty()) {
    detail["rule"] = nullptr;
  } else {
    detail["rule"] = printable(refusal.rule, 300);
  }
  if (!refusal.how_to_allow.empty()) detail["how_to_allow"] = printable(refusal.how_to_allow, 1024);
  const std::string body = nlohmann::ordered_json{{"weir", detail}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";

  std::string out;
  append_status_line(out, refusal.status, reason_phrase(refusal.status));
  append_header(out, "content-type", "application/json");
  append_header(out, "cache-control", "no-store");
  append_header(out, "x-weir-verdict", (refusal.status >= 500 ? "error " : "deny ") + refusal.code);
  append_body_length(out, {BodyLength::Kind::fixed, body.size()});
  if (close) append_header(out, "connection", "close");
  append_end_of_head(out);
  if (!head_only) out += body;
  return out;
}

}  // namespace weir::proxy
