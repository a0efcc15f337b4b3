// Finds a credential's bytes in what an upstream sends back and overwrites them, so that a server which reflects what
// it was sent (an echo, an error page, a debug dump) does not hand the secret to the sandbox. SECURITY: G2.
// Works on the bytes as they are, in all the forms that are looked for (leaks/needles.h); a body that the upstream compressed is
// not looked into.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/leaks/needles.h"

namespace weir::proxy {

class SecretMask {
 public:
  // Every secret of these; placeholders are let through.
  void look_for(std::shared_ptr<const leaks::Needles> needles) { needles_ = std::move(needles); }
  bool active() const { return needles_ != nullptr && !needles_->empty(); }

  // Overwrites every whole occurrence in `bytes` with '*'. Gives how many there were.
  std::size_t mask(std::span<char> bytes) const;
  std::string masked(std::string_view text) const {
    std::string out(text);
    mask(out);
    return out;
  }

  // How many bytes at the end of `bytes` might be the start of a secret that the next piece completes: they must be
  // held back until then.
  std::size_t incomplete(std::string_view bytes) const { return active() ? needles_->incomplete(bytes) : 0; }

 private:
  std::shared_ptr<const leaks::Needles> needles_;
};

}  // namespace weir::proxy
