// One admitted request as it goes upstream: the head with its credentials in it, and what becomes of the body.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/gate/admission.h"
#include "proxy/gate/connection.h"
#include "proxy/gate/leak_guard.h"
#include "proxy/gate/outgoing_body.h"

namespace weir::proxy {

// The `oauth` entry whose token endpoint this request goes to; null: none.
const policy::OAuthCapture* token_endpoint(const Connection& connection, const Admission& admission);

// Whether the body has to be there as a whole before the head can be written or the request be decided: a signature over it, a
// length that changes, somebody who is to be asked about what is in it.
bool needs_whole_body(const Connection& connection, const Admission& admission);

class OutgoingRequest {
 public:
  // All arguments outlive it.
  OutgoingRequest(Gate& gate, Connection& client, const Admission& admission, LeakGuard& guard);
  OutgoingRequest(const OutgoingRequest&) = delete;
  OutgoingRequest& operator=(const OutgoingRequest&) = delete;

  // Fetches what the request needs of its credentials, and puts it in. Errors: "credential_unavailable", "credential_unusable", "leak"
  // (guard.refusal() says what), "body_too_large_to_sign", and those of signing.
  io::Task<Result<void>> prepare();

  // Request line and headers, without those that frame the body and without the end of the head. `out` then holds secrets.
  void append_head(std::string& out, bool through_proxy) const;
  bool carries_secrets() const { return !secrets_.empty(); }
  // The answer must come uncompressed: a secret is looked for in it, or tokens are caught in it.
  bool wants_plain_answer() const { return !secrets_.empty() || catches_; }
  void will_catch_tokens() { catches_ = true; }  // before prepare()

  // The body as a whole, where it is all there (also an empty one); else nothing: feed what comes through body().
  std::optional<std::string_view> whole_body() const;
  OutgoingBody& body() { return body_; }
  BodyLength length() const { return length_; }  // towards the upstream
  const Secret* client_certificate() const;
  bool takes_the_place_of_trailer(std::string_view name) const;

  // What a WebSocket's text needs: those with `in: body`. Views live as long as this.
  std::vector<Replacement> replacements_for_body() const;

 private:
  struct Held {
    std::uint32_t credential;
    std::shared_ptr<const Secret> value;  // its own until it ends, whatever the keeper takes back
  };
  io::Task<Result<void>> fetch(std::uint32_t credential);
  const policy::Credential& credential_of(const Held& held) const { return admission_.policy->document().credentials[held.credential]; }
  void draft_head();
  bool may_stand_here(const std::string& credential) const;
  std::vector<Replacement> replacements() const;  // of all that are bound here; without the value where it was not fetched
  bool occurs_in_body(std::uint32_t credential) const;
  Result<void> prepare_body();
  Result<void> sign();

  Gate& gate_;
  Connection& client_;
  const Admission& admission_;
  LeakGuard& guard_;
  std::vector<Held> secrets_;
  DraftRequest draft_;
  std::string authority_;
  std::optional<WipedText> changed_;  // the whole body, where it is not as the client sent it
  OutgoingBody body_;
  BodyLength length_;
  bool catches_ = false;
};

}  // namespace weir::proxy
