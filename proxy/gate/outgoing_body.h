// A request's body on its way upstream: searched for what must not get out, then placeholders replaced, then chunks signed anew.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/credentials/substitution.h"
#include "proxy/gate/leak_guard.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy {

class OutgoingBody {
 public:
  OutgoingBody() = default;
  // Each before the first feed(). Without any, nothing is done, and feed() need not be called.
  // `guard` outlives it; `place`: static, for the record.
  void search(LeakGuard& guard, std::string_view place = "body") {
    guard_ = &guard;
    place_ = place;
    scan_.emplace(guard.scan_of_body());
  }
  void substitute(BodyKind kind, std::span<const Replacement> replacements) { substitution_.emplace(kind, replacements); }
  void sign_chunks(sigv4::ChunkSigner signer) { signer_.emplace(std::move(signer)); }

  bool is_active() const { return scan_ || substitution_ || signer_; }
  bool changes_length() const { return substitution_.has_value(); }

  // Appends to `out` what may go on. "leak": guard.refusal() says what was found, and `out` must not go anywhere; and those of
  // the parts. `out` may hold secrets: its owner wipes it.
  Result<void> feed(std::string_view piece, bool last, std::string& out);

 private:
  LeakGuard* guard_ = nullptr;
  std::string_view place_;
  std::optional<leaks::BodyScan> scan_;
  std::optional<BodySubstitution> substitution_;
  std::optional<sigv4::ChunkSigner> signer_;
  std::string searched_;
  WipedText replaced_;
};

}  // namespace weir::proxy
