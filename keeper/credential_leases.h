// The values of a session's credentials while it runs: refreshed in worker threads before their time is over, so that the
// keeper's loop never waits for a vault; taken back from the proxy when they change or end. On the loop's thread.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/document.h"
#include "vault/lease_keeper.h"

namespace weir::keeper {

class CredentialLeases {
 public:
  struct Ports {
    std::function<void(std::uint32_t generation, std::uint32_t credential)>
        withdraw;  // the proxy is to forget it and ask anew
    std::function<void(std::string_view type, const nlohmann::ordered_json& data)> record;
  };
  // The loop runs as long as there is work: finish() comes before its end.
  CredentialLeases(uv_loop_t* loop, Ports ports);
  CredentialLeases(const CredentialLeases&) = delete;
  CredentialLeases& operator=(const CredentialLeases&) = delete;
  ~CredentialLeases();

  void take(std::uint32_t generation, const std::vector<policy::Credential>& credentials,
            std::vector<vault::Obtained> values);
  bool has(std::uint32_t generation, std::uint32_t credential) const { return ids_.contains({generation, credential}); }
  Result<const Secret*> value(std::uint32_t generation, std::uint32_t credential) {
    return keeper_.value(ids_.at({generation, credential}));
  }
  // A value that came to be while the session runs (a login inside): it serves from now on, and the proxy is to forget the old one.
  // Nothing where the generation has no such credential.
  void put(std::uint32_t generation, std::uint32_t credential, Secret value);
  void release(std::uint32_t generation);  // no request is under that policy any more: what was lent for it goes back

  // The session's end: what is on its way is called off, and all that was lent goes back. Blocks, some seconds at most.
  void finish();

 private:
  using Place = std::pair<std::uint32_t, std::uint32_t>;
  struct Work;
  void start(std::unique_ptr<Work> work);
  void tick();
  void arm();
  void finished(Work& work);
  void note_failure(const std::string& name, const Error& error, bool lost);

  uv_loop_t* loop_;
  Ports ports_;
  vault::LeaseKeeper keeper_;
  std::map<Place, vault::LeaseKeeper::Id> ids_;
  std::map<vault::LeaseKeeper::Id, std::pair<Place, std::string>> places_;  // and the source, for the record
  std::vector<Work*> on_their_way_;
  uv_timer_t timer_{};
};

}  // namespace weir::keeper
