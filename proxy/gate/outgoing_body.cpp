#include "proxy/gate/outgoing_body.h"

namespace weir::proxy {

Result<void> OutgoingBody::feed(std::string_view piece, bool last, std::string& out) {
  if (scan_) {
    searched_.clear();
    const auto findings = scan_->feed(piece, last, searched_);
    guard_->judge(findings, place_);
    if (last && !scan_->looked_at_all()) guard_->note_unsearched();
    if (guard_->refusal()) return fail("leak", guard_->refusal()->message);
    piece = searched_;
  }
  if (substitution_) {
    replaced_.clear();
    if (auto fed = substitution_->feed(piece, last, replaced_); !fed) return fed;
    piece = replaced_.view();
  }
  if (signer_) return signer_->feed(piece, last, out);
  out.append(piece);
  return {};
}

}  // namespace weir::proxy
