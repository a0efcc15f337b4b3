// A small HTTPS API on loopback that wants a token: what `weir demo` guards. Not for anything else.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::cli {

// A process of its own that answers until its owner goes. GET /v1/things gives 200 with the right bearer token, 401 without.
class DemoApi {
 public:
  static Result<DemoApi> start(const std::string& host, const std::string& token);
  DemoApi(DemoApi&& other) noexcept;
  DemoApi& operator=(DemoApi&&) = delete;
  ~DemoApi();
  unsigned port() const { return port_; }
  const std::string& ca_certificate_pem() const { return ca_certificate_pem_; }

 private:
  DemoApi() = default;
  int pid_ = 0;
  unsigned port_ = 0;
  std::string ca_certificate_pem_;
};

}  // namespace weir::cli
