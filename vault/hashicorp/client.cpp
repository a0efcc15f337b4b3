#include "vault/hashicorp/client.h"

#include <curl/curl.h>
#include <malloc.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/secret_json.h"
#include "base/text.h"

namespace weir::vault {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostAnswer = 1U << 20;
constexpr std::int64_t kSliceMs = 50;

// SECURITY: G2, curl's buffers held tokens and answers.
void free_wiped(void* memory) {
  if (memory != nullptr) wipe(memory, malloc_usable_size(memory));
  std::free(memory);
}
void* resize_wiped(void* memory, std::size_t size) {
  if (memory == nullptr) return std::malloc(size);
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, std::min(size, malloc_usable_size(memory)));
  free_wiped(memory);
  return larger;
}

void start_curl() {
  static std::once_flag once;
  std::call_once(
      once, [] { curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, free_wiped, resize_wiped, strdup, std::calloc); });
}

struct Headers {
  curl_slist* list = nullptr;
  Headers() = default;
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  ~Headers() { curl_slist_free_all(list); }
  void add(std::string_view name, std::string_view value) {
    const Secret line = join(name, value);
    list = curl_slist_append(list, line.reveal().data());
  }
  static Secret join(std::string_view name, std::string_view value) {  // with a NUL at its end
    Secret line = Secret::of_size(name.size() + value.size() + 3);
    std::memcpy(line.data(), name.data(), name.size());
    std::memcpy(line.data() + name.size(), ": ", 2);
    std::memcpy(line.data() + name.size() + 2, value.data(), value.size());
    return line;
  }
};

}  // namespace

struct VaultClient::Answer {
  long status = 0;
  CURLcode code = CURLE_OK;
  std::string problem;  // of curl's
  std::string index, retry_after;
  Secret body;
  std::size_t size = 0;
  bool too_long = false;
};

struct VaultClient::Transfer {
  CURL* easy = curl_easy_init();
  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_easy_cleanup(easy); }
};

VaultClient::VaultClient(ServerSettings settings, CallLimits limits)
    : settings_(std::move(settings)), limits_(limits), cancelled_(std::make_unique<std::atomic<bool>>(false)) {
  start_curl();
  transfer_ = std::make_unique<Transfer>();
}
VaultClient::VaultClient(VaultClient&&) noexcept = default;
VaultClient::~VaultClient() = default;

VaultClient::Answer VaultClient::attempt(const Call& call, std::int64_t milliseconds) {
  CURL* const easy = transfer_->easy;
  curl_easy_reset(easy);  // keeps the connection
  Answer answer;
  answer.body = Secret::of_size(kMostAnswer);
  Headers headers;
  headers.add("X-Vault-Request", "true");
  if (call.token != nullptr) headers.add("X-Vault-Token", call.token->reveal());
  if (!settings_.name_space.empty()) headers.add("X-Vault-Namespace", settings_.name_space);
  if (!index_.empty()) headers.add("X-Vault-Index", index_);
  if (call.body != nullptr) headers.add("Content-Type", "application/json");
  headers.list = curl_slist_append(headers.list, "Expect:");
  char problem[CURL_ERROR_SIZE] = {};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, (settings_.address + "/v1/" + call.path).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPHEADER, headers.list);
  set(CURLOPT_CUSTOMREQUEST, call.method);
  if (call.body != nullptr) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->size()));
    set(CURLOPT_POSTFIELDS, call.body->reveal().data());
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(milliseconds, 5000)));
  set(CURLOPT_ERRORBUFFER, problem);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (settings_.address.starts_with("http:")) set(CURLOPT_PROXY, "");
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (!settings_.ca_path.empty()) set(CURLOPT_CAPATH, settings_.ca_path.c_str());
  if (!settings_.client_certificate.empty()) set(CURLOPT_SSLCERT, settings_.client_certificate.c_str());
  if (!settings_.client_key.empty()) set(CURLOPT_SSLKEY, settings_.client_key.c_str());
  set(CURLOPT_SSL_CTX_FUNCTION, static_cast<CURLcode (*)(CURL*, void*, void*)>([](CURL*, void* context, void*) {
        SSL_CTX_set_options(static_cast<SSL_CTX*>(context), SSL_OP_CLEANSE_PLAINTEXT);
        return CURLE_OK;
      }));
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_WRITEFUNCTION, static_cast<std::size_t (*)(char*, std::size_t, std::size_t, void*)>(
                                 [](char* bytes, std::size_t, std::size_t size, void* to) {
                                   auto& into = *static_cast<Answer*>(to);
                                   if (size > into.body.size() - into.size) {
                                     into.too_long = true;
                                     return std::size_t{0};
                                   }
                                   std::memcpy(into.body.data() + into.size, bytes, size);
                                   into.size += size;
                                   wipe(bytes, size);
                                   return size;
                                 }));
  set(CURLOPT_HEADERDATA, &answer);
  set(CURLOPT_HEADERFUNCTION, static_cast<std::size_t (*)(char*, std::size_t, std::size_t, void*)>(
                                  [](char* bytes, std::size_t, std::size_t size, void* to) {
                                    auto& into = *static_cast<Answer*>(to);
                                    const std::string_view line(bytes, size);
                                    if (const auto colon = line.find(':'); colon != std::string_view::npos && size < 4096) {
                                      if (equals_ignoring_case(line.substr(0, colon), "x-vault-index"))
                                        into.index = trim(line.substr(colon + 1));
                                      if (equals_ignoring_case(line.substr(0, colon), "retry-after"))
                                        into.retry_after = trim(line.substr(colon + 1));
                                    }
                                    return size;
                                  }));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFODATA,
      call.limits == nullptr ? cancelled_.get() : nullptr);  // those with limits of their own are brief
  set(CURLOPT_XFERINFOFUNCTION, static_cast<int (*)(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t)>(
                                    [](void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
                                      return cancelled != nullptr && static_cast<std::atomic<bool>*>(cancelled)->load() ? 1
                                                                                                                        : 0;
                                    }));
  curl_slist* names = nullptr;  // the certificate's name and SNI where they are not the address's host
  if (!settings_.server_name.empty()) {
    CURLU* url = curl_url();
    char *host = nullptr, *port = nullptr;
    curl_url_set(url, CURLUPART_URL, settings_.address.c_str(), 0);
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (host != nullptr && port != nullptr) {
      const std::string as_named = "https://" + settings_.server_name + ":" + port;
      names = curl_slist_append(nullptr, (settings_.server_name + ":" + port + ":" + host + ":" + port).c_str());
      set(CURLOPT_CONNECT_TO, names);
      set(CURLOPT_URL, (as_named + "/v1/" + call.path).c_str());
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
  }
  answer.code = curl_easy_perform(easy);
  curl_slist_free_all(names);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_reset(easy);  // nothing of it points to the token or the body any more
  answer.body.shrink(answer.size);
  answer.problem = problem[0] != '\0' ? problem : curl_easy_strerror(answer.code);
  return answer;
}

namespace {

bool is_worth_another(long status) {
  return status == 412 || status == 429 || status == 472 || status == 473 || status == 500 || status == 501 ||
         status == 502 || status == 503 || status == 504;
}

// Vault's own words, {"errors": […]}; they name what is wrong and never a value.
std::string vaults_words(const Secret& body) {
  const auto json = SecretJson::parse(body.reveal());
  std::string words;
  if (json)
    if (const auto errors = json->member("errors"))
      for (const auto& error : errors->items()) words += (words.empty() ? ": " : "; ") + printable(trim(error.plain()), 300);
  return words;
}

std::unexpected<Error> refusal(long status, const std::string& address, const std::string& path, const Secret& body) {
  const std::string words = vaults_words(body);
  const std::string at = "Vault at " + printable(address, 200);
  switch (status) {
    case 400:
      return fail("vault_invalid", at + " cannot do " + path + words);
    case 401:
    case 403:
      return fail("vault_denied", at + ": permission denied on " + path +
                                      (words.find("permission denied") == std::string::npos ? words : ""));
    case 404:
      return fail("vault_not_found", at + " has nothing at " + path + words);
    case 412:
    case 473:
    case 472:
      return fail("vault_standby", at + " is a standby that does not answer for the active node (status " +
                                       std::to_string(status) + ")" + words);
    case 429:
      return fail("vault_busy", at + " takes no more requests for now" + words);
    case 501:
      return fail("vault_uninitialized", at + " is not initialised");
    case 503:
      return fail("vault_sealed", words.find("sealed") != std::string::npos ? at + " is sealed"
                                                                            : at + " is sealed or in maintenance" + words);
    default:
      break;
  }
  if (status >= 300 && status < 400)
    return fail("vault_refused", at + " sends " + path + " elsewhere (status " + std::to_string(status) +
                                     "), and the token goes nowhere else; give the address of the active node");
  return fail(status >= 500 ? "vault_busy" : "vault_refused",
              at + " answered " + std::to_string(status) + " to " + path + words);
}

}  // namespace

Result<Secret> VaultClient::call(const Call& call) {
  const CallLimits& limits = call.limits != nullptr ? *call.limits : limits_;
  const auto end = Clock::now() + std::chrono::milliseconds(limits.all_ms);
  const auto left_ms = [&] { return std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count(); };
  static thread_local std::minstd_rand random{std::random_device{}()};
  const std::string path = printable(call.path.substr(0, call.path.find('?')), 300);
  for (int tried = 1;; ++tried) {
    Answer answer = attempt(call, std::clamp<std::int64_t>(left_ms(), 1, limits.attempt_ms));
    const bool heard = answer.code == CURLE_OK;
    if (heard && answer.status >= 200 && answer.status < 300) {
      if (!answer.index.empty() && answer.index.size() < 2000) index_ = answer.index;
      return std::move(answer.body);
    }
    if (answer.too_long) return fail("vault_refused", "Vault's answer to " + path + " is longer than 1 MiB");
    const bool never_sent = answer.code == CURLE_COULDNT_CONNECT || answer.code == CURLE_COULDNT_RESOLVE_HOST;
    const bool again = heard ? is_worth_another(answer.status)
                             : never_sent || (call.repeatable &&
                                              (answer.code == CURLE_OPERATION_TIMEDOUT || answer.code == CURLE_GOT_NOTHING ||
                                               answer.code == CURLE_RECV_ERROR || answer.code == CURLE_SEND_ERROR));
    std::int64_t pause = limits.first_pause_ms << (tried - 1);
    pause += std::uniform_int_distribution<std::int64_t>(0, pause)(random);
    if (heard && !answer.retry_after.empty())
      pause = std::max<std::int64_t>(pause, 1000 * std::clamp(std::atoi(answer.retry_after.c_str()), 0, 60));
    if (!again || tried >= limits.attempts || left_ms() <= pause || *cancelled_) {
      if (heard) return refusal(answer.status, settings_.address, path, answer.body);
      return fail("vault_unreachable",
                  "Vault at " + printable(settings_.address, 200) + " cannot be reached: " + printable(answer.problem, 300));
    }
    const auto until = Clock::now() + std::chrono::milliseconds(pause);
    while (Clock::now() < until && !*cancelled_) std::this_thread::sleep_for(std::chrono::milliseconds(kSliceMs));
  }
}

}  // namespace weir::vault
