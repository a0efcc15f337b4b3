#include "proxy/gate/leak_guard.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "proxy/gate/connection.h"
#include "proxy/leaks/token_patterns.h"

namespace weir::proxy {
namespace {

std::string_view name_of(leaks::Form form) {
  switch (form) {
    case leaks::Form::raw: return "raw";
    case leaks::Form::base64: return "base64";
    case leaks::Form::base64url: return "base64url";
    case leaks::Form::hex: return "hex";
    case leaks::Form::percent: return "percent";
    case leaks::Form::json: return "json";
    case leaks::Form::base32: return "base32";
  }
  return "raw";
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Which header of the head's bytes an offset lies in; the request line is "target".
std::string place_in_head(std::string_view head, std::size_t at) {
  const auto line = head.rfind('\n', at);
  if (line == std::string_view::npos) return "target";
  const auto colon = head.find(':', line);
  if (colon >= at) return "header's name";  // which is then not to be repeated
  return "header " + std::string(head.substr(line + 1, colon - line - 1));
}

}  // namespace

LeakGuard::LeakGuard(Gate& gate, const Connection& connection, const Admission& admission)
    : gate_(gate), connection_(connection), admission_(admission), needles_(admission.policy->credentials.needles()),
      tokens_(admission.policy->document().leaks != policy::Leaks::off) {
  if (!admission.tunnel.empty() || needles_->empty()) return;
  admission.policy->policy.credentials_for(connection.tls ? "https" : "http", admission.host, connection.port, bound_);
}

void LeakGuard::examine_name() {
  std::uint32_t needle = 0;
  if (!needles_->empty() && needles_->find_in_name(admission_.host, needle)) {
    const auto bound = std::exchange(bound_, {});  // no credential belongs into a name
    found_needle(needle, leaks::Form::raw, "name");
    bound_ = bound;
  }
}

void LeakGuard::examine(std::string_view bytes, std::string_view place) {
  const bool in_head = place == "head";
  std::vector<leaks::Hit> hits;
  if (!needles_->empty()) {
    needles_->find(bytes, [&](const leaks::Hit& hit) {
      hits.push_back(hit);
      return true;  // SECURITY: G2, all of them: many that may stand here must not hide one that may not
    });
  }
  for (const auto& hit : hits) found_needle(hit.id, hit.form, in_head ? place_in_head(bytes, hit.begin) : std::string(place));
  if (!tokens_) return;
  leaks::find_tokens(bytes, [&](const leaks::TokenHit& token) {
    // A placeholder has the shape of a token, and a bound secret is one: they are judged as what they are.
    const bool known = std::ranges::any_of(hits, [&](const leaks::Hit& hit) { return hit.begin < token.end && token.begin < hit.end; });
    if (!known) found_token(token.kind, in_head ? place_in_head(bytes, token.begin) : std::string(place));
    return true;
  });
}

void LeakGuard::examine_head() {
  if (!looks_for_anything()) return;
  examine(connection_.head_bytes, "head");
  if (needles_->empty()) return;
  if (admission_.path.decoded != admission_.path.wire) examine(admission_.path.decoded, "target");
  if (admission_.query.find('%') != std::string_view::npos) examine(percent_decoded(admission_.query), "target");
}

void LeakGuard::examine_body(std::string_view body) {
  if (!looks_for_anything() || body.empty()) return;
  auto scan = scan_of_body();
  std::string passed;
  judge(scan.feed(body, true, passed), "body");
  if (!scan.looked_at_all()) note_unsearched();
}

void LeakGuard::examine_encoding() {
  const auto& length = connection_.head.body;
  if (length.kind == BodyLength::Kind::none || (length.kind == BodyLength::Kind::fixed && length.size == 0) ||
      admission_.policy->document().leaks != policy::Leaks::deny || refusal_) return;
  if (scan_of_body().looked_at_all()) return;
  Refusal refusal{415, "body_unsearchable", "the request's body is encoded in a way that weir cannot look into", "send it as it is or in gzip, deflate or br, or set `leaks: log` in the policy", {}};
  refusal_ = std::move(refusal);
}

leaks::BodyScan LeakGuard::scan_of_body() const {
  leaks::ScanOptions options;
  options.needles = needles_.get();
  options.tokens = tokens_;
  std::string encodings;  // SECURITY: G2, several fields are one list (RFC 9110 §5.3)
  for (const auto& header : connection_.head.headers)
    if (equals_ignoring_case(header.name, "content-encoding")) encodings.append(encodings.empty() ? "" : ", ").append(header.value);
  return leaks::BodyScan(options, encodings);
}

void LeakGuard::judge(const std::vector<leaks::Finding>& findings, std::string_view place) {
  for (const auto& finding : findings) {
    if (finding.token) {
      found_token(finding.kind, place);
    } else {
      found_needle(finding.needle, finding.form, place);
    }
  }
}

bool LeakGuard::first_time(std::string what) {
  if (std::ranges::find(told_, what) != told_.end()) return false;
  told_.push_back(std::move(what));
  return true;
}

void LeakGuard::found_needle(std::uint32_t needle, leaks::Form form, std::string_view place) {
  const auto meaning = CredentialsInUse::meaning_of(needle);
  if (std::ranges::find(bound_, meaning.credential) != bound_.end()) return;
  const auto& credential = admission_.policy->document().credentials[meaning.credential];
  const bool only_logged = meaning.is_placeholder && credential.substitute.elsewhere_logged;
  if (!first_time(credential.name + (meaning.is_placeholder ? "/placeholder" : "/secret"))) return;
  events::Fields fields;
  fields.text("request", admission_.id).text("credential", credential.name).text("host", gate_.recordable(admission_.host)).text("place", place);
  fields.text("what", meaning.is_placeholder ? "placeholder" : "secret").text("form", name_of(form)).text("verdict", only_logged ? "log" : "deny");
  gate_.keeper.report(only_logged ? "leak.found" : "credential.blocked", fields);
  if (only_logged || refusal_) return;
  Refusal refusal;
  refusal.code = meaning.is_placeholder ? "placeholder_elsewhere" : "credential_leak";
  refusal.message = std::string(meaning.is_placeholder ? "the placeholder" : "the secret") + " of credential `" + credential.name + "` stands in the request's " +
                    std::string(place) + ", and " + (place == "name" ? "belongs into no name" : "does not belong to " + admission_.host);
  if (meaning.is_placeholder) refusal.how_to_allow = "take it out of the request; `elsewhere: log` on the credential's `substitute` would let it pass, for it is no secret";
  refusal_ = std::move(refusal);
}

void LeakGuard::found_token(std::string_view kind, std::string_view place) {
  const auto how = admission_.policy->document().leaks;
  const bool denied = how == policy::Leaks::deny || (how == policy::Leaks::ask && asking_is_over_);
  if (first_time("token/" + std::string(kind))) {
    events::Fields fields;
    fields.text("request", admission_.id).text("host", admission_.host).text("place", place).text("what", "token").text("kind", kind);
    fields.text("verdict", denied ? "deny" : how == policy::Leaks::ask ? "ask" : "log");
    gate_.keeper.report("leak.found", fields);
    if (how == policy::Leaks::ask && !denied) to_be_asked_ += (to_be_asked_.empty() ? "" : ",") + std::string(kind);
  }
  if (!denied || refusal_) return;
  Refusal refusal;
  refusal.code = "token_leak";
  refusal.message = "the request's " + std::string(place) + " holds what looks like a token (" + std::string(kind) + ")";
  refusal.how_to_allow = how == policy::Leaks::ask ? "send it in a request that is small enough to be asked about, or set `leaks: log` in the policy"
                                                   : "take it out, or set `leaks: log` in the policy";
  refusal_ = std::move(refusal);
}

}  // namespace weir::proxy
