// A request as people describe it (on a command line, in a file of cases), and what decide() says of it. It takes the same
// steps as the proxy: first without the body, then, where the verdict hangs on it, with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "policy/policy.h"
#include "policy/target.h"

namespace weir::policy {

struct Description {
  std::string method;  // empty: GET, or none where `url` is about a connection (tcp, tls)
  std::string url;     // https, http, wss, ws, tcp, tls
  std::vector<std::pair<std::string, std::string>> headers{};  // in order, repeated ones too
  std::optional<std::string> body{};
  std::optional<std::uint64_t> body_size{};  // of a body that is not given: for `body_max`. It cannot be read then.
  bool websocket = false;                    // or by the URL's scheme, or by an Upgrade header
  std::vector<std::string> process{};        // executables that hold the connection
  std::optional<std::int64_t> at{};          // seconds since 1970, UTC
  bool operator==(const Description&) const = default;
};

class DescribedRequest {
 public:
  // `now` counts where the description has no time of its own. Errors ("request_invalid", "url_invalid") say what no client could
  // send, or what would be described and then not looked at.
  static Result<DescribedRequest> make(Description description, const Limits& limits, std::int64_t now);
  DescribedRequest(DescribedRequest&&) noexcept;
  DescribedRequest& operator=(DescribedRequest&&) noexcept;
  ~DescribedRequest();

  const Target& target() const;
  const std::string& method() const;  // empty for a connection
  bool is_connection() const;         // tcp or tls: no request within is looked at
  const Body& body() const;

  Request request() const;  // with the body, as far as it may be read. Views into this.
  Decision decide(const Policy& policy) const;  // its `operation` lives as long as this

 private:
  struct State;  // on the heap, so that views into it survive a move
  explicit DescribedRequest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::policy
