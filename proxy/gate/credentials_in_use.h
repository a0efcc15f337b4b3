// A policy's credentials in the proxy: their placeholders, and what is looked for so that neither they nor the values get out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policy/document.h"
#include "proxy/io/task.h"
#include "proxy/keeper_link.h"
#include "proxy/leaks/needles.h"

namespace weir::proxy {

class CredentialsInUse {
 public:
  // `placeholders`: one for each credential; empty: it has none. All arguments outlive it.
  CredentialsInUse(std::uint32_t generation, const policy::Document& document, std::vector<std::string> placeholders, KeeperLink& keeper);
  CredentialsInUse(const CredentialsInUse&) = delete;
  CredentialsInUse& operator=(const CredentialsInUse&) = delete;

  // Brings needles() up to date: values are fetched when the first request is looked into, and again when one changes. A value that
  // cannot be had is not looked for; whoever needs it is refused anyway. The policy in use outlives the call.
  // "leaks_unsearchable": nothing can be looked for, so nothing may pass.
  io::Task<Result<void>> prepare();
  bool is_up_to_date() const { return built_version_ == keeper_.secrets_version() || document_.credentials.empty(); }

  // Never null. What was given out before a change stays good for its holder.
  const std::shared_ptr<const leaks::Needles>& needles() const { return needles_; }
  struct Meaning {
    std::uint32_t credential = 0;
    bool is_placeholder = false;
  };
  static Meaning meaning_of(std::uint32_t needle) { return {needle / 2, needle % 2 == 1}; }

  const std::string& placeholder(std::uint32_t credential) const { return placeholders_[credential]; }

 private:
  Result<void> build();
  std::uint32_t generation_;
  const policy::Document& document_;
  std::vector<std::string> placeholders_;
  KeeperLink& keeper_;
  struct Values {
    std::shared_ptr<const Secret> now, before;  // one that was replaced is often good for some time more
  };
  std::vector<Values> values_;
  std::uint64_t built_version_ = 0;
  std::shared_ptr<const leaks::Needles> needles_;
};

}  // namespace weir::proxy
