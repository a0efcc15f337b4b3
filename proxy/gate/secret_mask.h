// Finds a credential's bytes in what an upstream sends back and overwrites them, so that a server which reflects what
// it was sent (an echo, an error page, a debug dump) does not hand the secret to the sandbox. SECURITY: G2.
// Works on the bytes as they are; a body that the upstream compressed is not looked into.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class SecretMask {
 public:
  // A secret shorter than this is not searched for: it would be found everywhere. The views must outlive the mask.
  static constexpr std::size_t kShortest = 6;
  void add(std::string_view secret);
  bool active() const { return !secrets_.empty(); }

  // Overwrites every whole occurrence in `bytes` with '*'. Gives how many there were.
  std::size_t mask(std::span<char> bytes) const;

  // How many bytes at the end of `bytes` might be the start of a secret that the next piece completes: they must be
  // held back until then.
  std::size_t incomplete(std::string_view bytes) const;

 private:
  std::vector<std::string_view> secrets_;
};

}  // namespace weir::proxy
