// What must not be in a request: bound secrets and placeholders on their way to hosts that are not theirs, and what looks like
// somebody's token (docs/credentials.md, "What must not get out"). SECURITY: G2.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/gate/admission.h"
#include "proxy/gate/refusal.h"
#include "proxy/leaks/body_scan.h"

namespace weir::proxy {

class Connection;
struct Gate;

// Of one request (or tunnel). All arguments outlive it. The policy's CredentialsInUse must be up to date.
class LeakGuard {
 public:
  LeakGuard(Gate& gate, const Connection& connection, const Admission& admission);

  bool looks_for_anything() const { return tokens_ || !needles_->empty(); }

  // The name that is connected to, which DNS outside gets to see. Only this for a tunnel.
  void examine_name();
  // Request line, headers; the path and the query also as they are when decoded.
  void examine_head();
  void examine_body(std::string_view body);  // one that is all there
  leaks::BodyScan scan_of_body() const;       // of one that is not
  // `leaks: deny`, and the body is encoded in a way that cannot be looked into: it does not pass.
  void examine_encoding();
  // Some of the body was not looked into: it was encoded, and broken, too large, or in no way that is known.
  void note_unsearched() { unsearched_ = true; }
  bool unsearched() const { return unsearched_; }
  // What such a scan, or the text of a WebSocket, has brought up. `place`: "body", "websocket", "trailer".
  void judge(const std::vector<leaks::Finding>& findings, std::string_view place);

  // Of all that was found so far. What is only to be logged, and each kind once, has been reported by then.
  const std::optional<Refusal>& refusal() const { return refusal_; }
  // `leaks: ask`: the kinds of tokens that somebody has to let through; empty: none.
  const std::string& to_be_asked() const { return to_be_asked_; }
  // It cannot be asked any more: what was to be asked is denied.
  void refuse_what_asks() { asking_is_over_ = true; }

  void examine(std::string_view bytes, std::string_view place);  // any other part of it

 private:
  void found_needle(std::uint32_t needle, leaks::Form form, std::string_view place);
  void found_token(std::string_view kind, std::string_view place);
  bool first_time(std::string what);

  Gate& gate_;
  const Connection& connection_;
  const Admission& admission_;
  std::shared_ptr<const leaks::Needles> needles_;
  bool tokens_;
  std::vector<std::uint32_t> bound_;  // credentials that belong to this place
  std::vector<std::string> told_;
  std::optional<Refusal> refusal_;
  std::string to_be_asked_;
  bool asking_is_over_ = false;
  bool unsearched_ = false;
};

}  // namespace weir::proxy
