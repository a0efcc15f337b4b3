// The other end of a running weir's control socket (docs/control.md), for the verbs that talk to one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::cli {

class ControlClient {
 public:
  // The folder of this user's sockets. An error says why it cannot be trusted.
  static Result<ControlClient> open();

  // Sessions whose weir runs, oldest first. What dead ones left is removed.
  std::vector<std::string> sessions() const;
  // The one that `name` means: a whole name or a unique beginning, with or without "ses_"; empty: the only one that runs.
  Result<std::string> session(std::string_view name) const;

  Result<nlohmann::ordered_json> get(const std::string& session, const std::string& path) const;
  Result<nlohmann::ordered_json> post(const std::string& session, const std::string& path, const nlohmann::ordered_json& body) const;

 private:
  explicit ControlClient(UniqueFd folder) : folder_(std::move(folder)) {}
  Result<nlohmann::ordered_json> call(const std::string& session, const std::string& path, const std::string* body) const;
  UniqueFd folder_;
};

}  // namespace weir::cli
