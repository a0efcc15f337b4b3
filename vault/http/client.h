// HTTP requests that carry secrets, over libcurl. Blocks; one call at a time. No redirect is followed: a secret goes to the
// configured address only. TLS is verified always; a proxy is used as curl's environment variables say. What curl allocates is
// wiped when it is freed. SECURITY: G2.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace weir::vault::http {

struct Limits {
  int attempts = 4;
  std::int64_t attempt_ms = 8'000, all_ms = 20'000;
  std::int64_t first_pause_ms = 150;  // doubled each time, with up to as much again at random
};

// Whom to believe, and who we are. Files are in PEM form.
struct Trust {
  std::string ca_file, ca_path;                // instead of the system's
  std::string ca_pem;                          // certificates besides the system's
  std::string client_certificate, client_key;  // files
  std::string server_name;                     // of the certificate, where it is not the address's host
};

struct Request {
  const char* method = "GET";
  std::string url;
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // good until the call returns
  const Secret* body = nullptr;
  bool repeatable = true;  // may be sent again after a time-out, when it may have been carried out
  const Limits* limits = nullptr;
  bool cancellable = true;
  bool (*worth_another)(long status) = nullptr;  // besides what never arrived
  std::size_t longest_answer = 1U << 20;
};

struct Answer {
  long status = 0;  // 0: none came, and `problem` says why, in curl's words
  std::string problem;
  bool too_long = false;
  std::map<std::string, std::string> fields;  // of `kept_fields`, names in lower case
  Secret body;
};

class Client {
 public:
  // `kept_fields`: which fields of answers are wanted, in lower case.
  Client(Trust trust, Limits limits, std::vector<std::string> kept_fields = {});
  Client(Client&&) noexcept;
  ~Client();

  Answer call(const Request& request);  // the last answer that came

  void cancel() { cancelled_->store(true); }  // from any thread, for good

 private:
  struct Transfer;
  Answer attempt(const Request& request, std::int64_t milliseconds, bool& may_repeat);
  Trust trust_;
  Limits limits_;
  std::vector<std::string> kept_fields_;
  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace weir::vault::http
