#include "vault/http/client.h"

#include <curl/curl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "base/text.h"
#include "vault/http/curl_memory.h"

namespace weir::vault::http {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kSliceMs = 50;
constexpr std::size_t kLongestField = 4096;

struct List {
  curl_slist* items = nullptr;
  List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { curl_slist_free_all(items); }
  void add(const char* item) { items = curl_slist_append(items, item); }
  void add_field(std::string_view name, std::string_view value) {
    Secret line = Secret::of_size(name.size() + value.size() + 3);  // with a NUL at its end
    std::memcpy(line.data(), name.data(), name.size());
    std::memcpy(line.data() + name.size(), ": ", 2);
    std::memcpy(line.data() + name.size() + 2, value.data(), value.size());
    add(line.data());
  }
};

struct Receiving {
  Secret body;
  std::size_t size = 0;
  bool too_long = false;
  const std::vector<std::string>& kept;
  std::map<std::string, std::string> fields;
};

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* to) {
  auto& into = *static_cast<Receiving*>(to);
  if (size > into.body.size() - into.size) {
    into.too_long = true;
    return 0;
  }
  std::memcpy(into.body.data() + into.size, bytes, size);
  into.size += size;
  wipe(bytes, size);
  return size;
}

std::size_t take_field(char* bytes, std::size_t, std::size_t size, void* to) {
  auto& into = *static_cast<Receiving*>(to);
  const std::string_view line(bytes, size);
  const auto colon = line.find(':');
  if (line.starts_with("HTTP/")) into.fields.clear();  // of a proxy's answer, or of a 100 (Continue)
  if (colon == std::string_view::npos || size > kLongestField) return size;
  const std::string name = to_lower(line.substr(0, colon));
  if (std::ranges::find(into.kept, name) != into.kept.end()) into.fields[name] = trim(line.substr(colon + 1));
  return size;
}

int stop_when_cancelled(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return cancelled != nullptr && static_cast<std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

// SECURITY: G2, what was received is wiped in OpenSSL's buffers too.
CURLcode set_up_tls(CURL*, void* context, void* ca_pem) {
  auto* const tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_set_options(tls, SSL_OP_CLEANSE_PLAINTEXT);
  const auto& pem = *static_cast<const std::string*>(ca_pem);
  if (pem.empty()) return CURLE_OK;
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), certificate);
    X509_free(certificate);
  }
  BIO_free(bio);
  ERR_clear_error();  // the end of the text
  return CURLE_OK;
}

// The certificate's name and SNI where they are not the address's host: the address with that name, and where it leads.
bool name_the_server(const std::string& url, const std::string& name, std::string& as_named, List& leads) {
  CURLU* const parts = curl_url();
  char *host = nullptr, *port = nullptr, *whole = nullptr;
  curl_url_set(parts, CURLUPART_URL, url.c_str(), 0);
  curl_url_get(parts, CURLUPART_HOST, &host, 0);
  curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
  if (host != nullptr && port != nullptr) {
    leads.add((name + ":" + port + ":" + host + ":" + port).c_str());
    curl_url_set(parts, CURLUPART_HOST, name.c_str(), 0);
    curl_url_get(parts, CURLUPART_URL, &whole, 0);
    if (whole != nullptr) as_named = whole;
  }
  const bool done = whole != nullptr;
  curl_free(host);
  curl_free(port);
  curl_free(whole);
  curl_url_cleanup(parts);
  return done;
}

}  // namespace

struct Client::Transfer {
  CURL* easy = curl_easy_init();
  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_easy_cleanup(easy); }
};

Client::Client(Trust trust, Limits limits, std::vector<std::string> kept_fields)
    : trust_(std::move(trust)),
      limits_(limits),
      kept_fields_(std::move(kept_fields)),
      cancelled_(std::make_unique<std::atomic<bool>>(false)) {
  kept_fields_.emplace_back("retry-after");
  start_curl();
  transfer_ = std::make_unique<Transfer>();
}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

Answer Client::attempt(const Request& request, std::int64_t milliseconds, bool& may_repeat) {
  CURL* const easy = transfer_->easy;
  curl_easy_reset(easy);  // keeps the connection
  Receiving receiving{.body = Secret::of_size(request.longest_answer), .size = 0, .too_long = false, .kept = kept_fields_, .fields = {}};
  List fields, leads;
  for (const auto& [name, value] : request.fields) fields.add_field(name, value);
  fields.add("Expect:");
  char problem[CURL_ERROR_SIZE] = {};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPHEADER, fields.items);
  set(CURLOPT_CUSTOMREQUEST, request.method);
  if (request.body != nullptr) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    set(CURLOPT_POSTFIELDS, request.body->reveal().data());
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(milliseconds, 5000)));
  set(CURLOPT_ERRORBUFFER, problem);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (request.url.starts_with("http:")) set(CURLOPT_PROXY, "");
  if (!trust_.ca_file.empty()) set(CURLOPT_CAINFO, trust_.ca_file.c_str());
  if (!trust_.ca_path.empty()) set(CURLOPT_CAPATH, trust_.ca_path.c_str());
  if (!trust_.client_certificate.empty()) set(CURLOPT_SSLCERT, trust_.client_certificate.c_str());
  if (!trust_.client_key.empty()) set(CURLOPT_SSLKEY, trust_.client_key.c_str());
  set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(&trust_.ca_pem));
  set(CURLOPT_SSL_CTX_FUNCTION, &set_up_tls);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&receiving));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&receiving));
  set(CURLOPT_HEADERFUNCTION, &take_field);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(request.cancellable ? cancelled_.get() : nullptr));
  set(CURLOPT_XFERINFOFUNCTION, &stop_when_cancelled);
  std::string as_named;
  if (!trust_.server_name.empty() && name_the_server(request.url, trust_.server_name, as_named, leads)) {
    set(CURLOPT_CONNECT_TO, leads.items);
    set(CURLOPT_URL, as_named.c_str());
  }
  const CURLcode code = curl_easy_perform(easy);
  Answer answer;
  if (code == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_reset(easy);  // nothing of it points to the fields or the body any more
  receiving.body.shrink(receiving.size);
  answer.body = std::move(receiving.body);
  answer.fields = std::move(receiving.fields);
  answer.too_long = receiving.too_long;
  answer.problem = problem[0] != '\0' ? problem : curl_easy_strerror(code);
  const bool never_sent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
  const bool cut_off =
      code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
  may_repeat = code == CURLE_OK ? request.worth_another != nullptr && request.worth_another(answer.status)
                                : never_sent || (request.repeatable && cut_off);
  return answer;
}

Answer Client::call(const Request& request) {
  const Limits& limits = request.limits != nullptr ? *request.limits : limits_;
  const auto end = Clock::now() + std::chrono::milliseconds(limits.all_ms);
  const auto left_ms = [&] { return std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count(); };
  static thread_local std::minstd_rand random{std::random_device{}()};
  for (int tried = 1;; ++tried) {
    bool may_repeat = false;
    Answer answer = attempt(request, std::clamp<std::int64_t>(left_ms(), 1, limits.attempt_ms), may_repeat);
    std::int64_t pause = limits.first_pause_ms << (tried - 1);
    pause += std::uniform_int_distribution<std::int64_t>(0, pause)(random);
    if (const auto asked = answer.fields.find("retry-after"); asked != answer.fields.end())
      pause = std::max<std::int64_t>(pause, 1000 * std::clamp(std::atoi(asked->second.c_str()), 0, 60));
    if (!may_repeat || answer.too_long || tried >= limits.attempts || left_ms() <= pause || *cancelled_) return answer;
    const auto until = Clock::now() + std::chrono::milliseconds(pause);
    while (Clock::now() < until && !*cancelled_) std::this_thread::sleep_for(std::chrono::milliseconds(kSliceMs));
  }
}

}  // namespace weir::vault::http
