#include "cli/control_client.h"

#include <curl/curl.h>

#include <memory>

#include "base/paths.h"
#include "base/text.h"
#include "keeper/control_socket.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;
constexpr long kConnectMs = 2'000;
constexpr long kAnswerMs = 30'000;  // a reload looks at the whole policy
constexpr std::size_t kMaxAnswer = 16U << 20;

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& text = *static_cast<std::string*>(to);
  if (text.size() + size * count > kMaxAnswer) return 0;
  text.append(bytes, size * count);
  return size * count;
}

struct CurlEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

Result<ControlClient> ControlClient::open() {
  auto folder = keeper::open_socket_folder(runtime_directory());
  if (!folder) return std::unexpected(folder.error());
  return ControlClient(std::move(*folder));
}

std::vector<std::string> ControlClient::sessions() const { return keeper::reachable_sessions(folder_); }

Result<std::string> ControlClient::session(std::string_view name) const {
  const auto all = sessions();
  if (all.empty()) return fail("no_session", "no weir runs here as this user");
  const std::string whole = name.starts_with("ses_") || name.empty() ? std::string(name) : "ses_" + std::string(name);
  std::vector<std::string> matching;
  for (const auto& known : all)
    if (known.starts_with(whole)) matching.push_back(known);
  if (matching.size() == 1) return matching.front();
  std::string listed;
  for (const auto& known : matching.empty() ? all : matching) listed += "\n  " + known;
  if (matching.empty()) return fail("session_unknown", "no running session is called `" + printable(name, 80) + "`; there are" + listed);
  return fail("session_ambiguous", "several sessions run; say which one:" + listed);
}

Result<ordered_json> ControlClient::get(const std::string& session, const std::string& path) const { return call(session, path, nullptr); }

Result<ordered_json> ControlClient::post(const std::string& session, const std::string& path, const ordered_json& body) const {
  const std::string text = body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return call(session, path, &text);
}

Result<ordered_json> ControlClient::call(const std::string& session, const std::string& path, const std::string* body) const {
  const std::unique_ptr<CURL, CurlEnd> handle(curl_easy_init());
  if (!handle) return fail("control_failed", "libcurl cannot be used");
  CURL* const curl = handle.get();
  const std::string socket = keeper::control_socket_path(folder_, session);
  const std::string url = "http://weir" + path;
  std::string answer;
  char problem[CURL_ERROR_SIZE] = {};
  std::unique_ptr<curl_slist, CurlEnd> headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kAnswerMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
  if (body != nullptr) {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->c_str());
  }
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
    return fail("control_failed", "session " + session + " does not answer: " + (problem[0] != '\0' ? problem : curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  auto json = ordered_json::parse(answer, nullptr, false);
  if (json.is_object() && status == 200) return json;
  if (json.is_object() && json.contains("error") && json["error"].is_object())
    return fail(json["error"].value("code", "control_failed"), json["error"].value("message", "the session gave no reason"));
  return fail("control_failed", "session " + session + " gave an answer that cannot be read (status " + std::to_string(status) + ")");
}

}  // namespace weir::cli
