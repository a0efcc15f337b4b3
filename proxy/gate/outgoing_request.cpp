#include "proxy/gate/outgoing_request.h"

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "proxy/credentials/injection.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

using Inject = policy::Injection::Kind;

constexpr std::string_view kWebSocketFields = "sec-websocket-";

bool has_body(const RequestHead& head) { return head.body.kind != BodyLength::Kind::none; }

std::string_view value_of(const std::vector<Header>& headers, std::string_view name) {
  for (const auto& header : headers)
    if (equals_ignoring_case(header.name, name)) return header.value;
  return {};
}

BodyKind kind_of_body(const RequestHead& head) {
  return body_kind(value_of(head.headers, "content-type"), value_of(head.headers, "content-encoding"));
}

// A signature over the body's hash, which nobody has given.
bool wants_hash(const RequestHead& head, std::string_view query) {
  return value_of(head.headers, "x-amz-content-sha256").empty() && query.find("X-Amz-Signature=") == std::string_view::npos;
}

}  // namespace

bool needs_whole_body(const Connection& connection, const Admission& admission) {
  const auto& head = connection.head;
  if (!has_body(head) || connection.whole_body() || admission.websocket) return false;
  const auto& document = admission.policy->document();
  const bool fixed = head.body.kind == BodyLength::Kind::fixed;
  const bool fits = !fixed || head.body.size <= document.limits.inspected_body;
  if (document.leaks == policy::Leaks::ask && fits) return true;
  if (token_endpoint(connection, admission) != nullptr && fits) return true;  // whether it needs a value that may not be there yet
  return std::ranges::any_of(admission.credentials, [&](std::uint32_t index) {
    const auto& credential = document.credentials[index];
    if (credential.inject.kind == Inject::aws_sigv4) return wants_hash(head, admission.query);
    return credential.substitutes() && credential.substitute.in_body && fixed && fits && kind_of_body(head) != BodyKind::other;
  });
}

OutgoingRequest::OutgoingRequest(Gate& gate, Connection& client, const Admission& admission, LeakGuard& guard)
    : gate_(gate), client_(client), admission_(admission), guard_(guard), length_(client.head.body) {}

io::Task<Result<void>> OutgoingRequest::fetch(std::uint32_t credential) {
  auto secret = co_await gate_.keeper.secret(admission_.policy->generation, credential, Purpose::use);
  if (!secret) {
    const auto& name = admission_.policy->document().credentials[credential].name;
    co_return fail("credential_unavailable", "the credential `" + name + "` cannot be had: " + secret.error().message);
  }
  secrets_.push_back({credential, std::move(*secret)});
  co_return Result<void>{};
}

void OutgoingRequest::draft_head() {
  const RequestHead& head = client_.head;
  const Destination& to = client_.destination;
  const bool default_port = to.port == (to.tls ? 443 : 80);
  authority_ = to.host.find(':') != std::string::npos ? "[" + to.host + "]" : to.host;
  if (!default_port) authority_ += ":" + std::to_string(to.port);
  draft_.method = head.method;
  draft_.host = to.host;
  draft_.port = to.port;
  draft_.tls = to.tls;
  draft_.authority = authority_;
  draft_.path = admission_.path.wire;
  draft_.has_query = admission_.query.starts_with('?');
  draft_.query = draft_.has_query ? admission_.query.substr(1) : admission_.query;
  const HopByHop hop_by_hop(head.headers);
  draft_.headers.clear();
  draft_.headers.reserve(head.headers.size() + 4);
  for (const auto& header : head.headers) {
    if (hop_by_hop.drops(header.name)) continue;
    if (equals_ignoring_case(header.name, "host") || equals_ignoring_case(header.name, "expect")) continue;
    if (admission_.websocket && header.name.size() > kWebSocketFields.size() &&
        equals_ignoring_case(header.name.substr(0, kWebSocketFields.size()), kWebSocketFields))
      continue;
    draft_.headers.push_back(header);
  }
}

// SECURITY: G2, a refresh token brings new tokens. They are caught at the token endpoint alone, so it goes to no other place of that host.
bool OutgoingRequest::may_stand_here(const std::string& credential) const {
  const auto brings_tokens = [&](const policy::OAuthCapture& capture) {
    return std::ranges::any_of(capture.keep, [&](const auto& kept) { return kept.second == credential && kept.first.ends_with("refresh_token"); });
  };
  if (!std::ranges::any_of(admission_.policy->document().oauth, brings_tokens)) return true;
  const auto* endpoint = token_endpoint(client_, admission_);
  return endpoint != nullptr && brings_tokens(*endpoint);
}

std::vector<Replacement> OutgoingRequest::replacements() const {
  std::vector<Replacement> all;
  for (const auto index : admission_.credentials) {
    const auto& credential = admission_.policy->document().credentials[index];
    if (!credential.substitutes() || !may_stand_here(credential.name)) continue;
    Replacement replacement{index, admission_.policy->credentials.placeholder(index), {}, &credential.substitute};
    for (const auto& held : secrets_)
      if (held.credential == index) replacement.secret = held.value->reveal();
    all.push_back(replacement);
  }
  return all;
}

std::vector<Replacement> OutgoingRequest::replacements_for_body() const {
  auto all = replacements();
  std::erase_if(all, [](const Replacement& one) { return !one.where->in_body || one.secret.empty(); });
  return all;
}

io::Task<Result<void>> OutgoingRequest::prepare() {
  draft_head();
  if (!admission_.credentials.empty()) {
    const auto possible = replacements();
    const auto needed = placeholders_in(draft_, possible);
    const bool text_follows = admission_.websocket || (has_body(client_.head) && kind_of_body(client_.head) != BodyKind::other);
    for (const auto index : admission_.credentials) {
      const auto& credential = admission_.policy->document().credentials[index];
      if (credential.substitutes() && !may_stand_here(credential.name)) continue;
      const bool wanted = !credential.substitutes() || std::ranges::find(needed, index) != needed.end() ||
                          (credential.substitute.in_body && text_follows && occurs_in_body(index));
      if (!wanted) continue;
      auto fetched = co_await fetch(index);
      if (!fetched) co_return fetched;
    }
    // A compressed answer could reflect a secret unseen (SECURITY: G2): one that carries a credential asks for a plain one.
    if (wants_plain_answer()) {
      std::erase_if(draft_.headers, [](const HeaderField& header) { return equals_ignoring_case(header.name, "accept-encoding"); });
      draft_.headers.push_back({"Accept-Encoding", "identity"});
    }
    auto with_values = replacements();
    std::erase_if(with_values, [](const Replacement& one) { return one.secret.empty(); });
    auto replaced = replace_in_head(draft_, with_values);
    if (!replaced) co_return std::unexpected(replaced.error());
    for (const auto& held : secrets_) {
      const auto& injection = credential_of(held).inject;
      if (injection.kind == Inject::none || injection.kind == Inject::client_certificate || injection.kind == Inject::aws_sigv4) continue;
      auto injected = inject(injection, held.value->reveal(), draft_);
      if (!injected) co_return injected;
    }
  }
  auto body = prepare_body();
  if (!body) co_return body;
  co_return sign();
}

// Where the body is not there yet it may: the value is then fetched before anything of the body is seen.
bool OutgoingRequest::occurs_in_body(std::uint32_t credential) const {
  const auto whole = client_.whole_body();
  if (!whole || admission_.websocket) return true;
  const auto& kept = admission_.policy->document().credentials[credential];
  const Replacement probe{credential, admission_.policy->credentials.placeholder(credential), "x", &kept.substitute};
  BodySubstitution search(kind_of_body(client_.head), {&probe, 1});
  WipedText ignored;
  return !search.feed(*whole, true, ignored) || search.replaced() > 0;
}

Result<void> OutgoingRequest::prepare_body() {
  if (!has_body(client_.head)) return {};
  const auto with_values = replacements_for_body();
  if (!with_values.empty()) body_.substitute(kind_of_body(client_.head), with_values);
  const auto whole = client_.whole_body();
  if (!whole) {
    if (guard_.looks_for_anything()) {
      guard_.refuse_what_asks();
      body_.search(guard_);
    }
    if (body_.changes_length()) length_ = {BodyLength::Kind::chunked, 0};
    return {};
  }
  if (!body_.changes_length()) return {};
  std::string changed;
  const auto fed = body_.feed(*whole, true, changed);
  if (fed) changed_.emplace(changed);
  wipe(changed.data(), changed.size());
  if (!fed) return fed;
  length_ = {BodyLength::Kind::fixed, changed_->size()};
  return {};
}

std::optional<std::string_view> OutgoingRequest::whole_body() const {
  if (changed_) return changed_->view();
  return client_.whole_body();
}

Result<void> OutgoingRequest::sign() {
  for (const auto& held : secrets_) {
    const auto& injection = credential_of(held).inject;
    if (injection.kind != Inject::aws_sigv4) continue;
    const auto keys = sigv4::split_keys(held.value->reveal());
    if (!keys) return std::unexpected(keys.error());
    auto plan = sigv4::plan(draft_, injection.region, injection.service);
    if (!plan) return std::unexpected(plan.error());
    const auto whole = whole_body();
    std::string hash;
    using Payload = sigv4::Plan::Payload;
    if (body_.changes_length()) plan->payload = Payload::hash_needed;  // the client's hash is of another body
    if (plan->payload == Payload::hash_needed) {
      if (!whole) return fail("body_too_large_to_sign", "the request's signature covers its body, which is larger than limits.inspected_body");
      hash = sigv4::payload_hash(*whole);
    }
    const std::int64_t now = std::time(nullptr);
    std::string seed;
    if (auto done = sigv4::sign(draft_, *plan, *keys, now, hash, &seed); !done) return done;
    if (!plan->signs_chunks()) continue;
    sigv4::ChunkSigner signer(*plan, *keys, now, std::move(seed));
    if (!whole) {
      body_.sign_chunks(std::move(signer));
      continue;
    }
    std::string signed_chunks;
    if (auto fed = signer.feed(*whole, true, signed_chunks); !fed) return fed;
    changed_.emplace(signed_chunks);
  }
  return {};
}

void OutgoingRequest::append_head(std::string& out, bool through_proxy) const {
  WipedText target;
  if (through_proxy) target.append("http://").append(authority_);
  target.append(draft_.path);
  if (draft_.has_query) target.append("?").append(draft_.query);
  append_request_line(out, draft_.method, target.view());
  append_header(out, "Host", draft_.authority);
  for (const auto& header : draft_.headers) append_header(out, header.name, header.value);
}

const Secret* OutgoingRequest::client_certificate() const {
  for (const auto& held : secrets_)
    if (credential_of(held).inject.kind == Inject::client_certificate) return held.value.get();
  return nullptr;
}

bool OutgoingRequest::takes_the_place_of_trailer(std::string_view name) const {
  return std::ranges::any_of(secrets_, [&](const Held& held) { return takes_the_place_of(credential_of(held).inject, name, true); });
}

}  // namespace weir::proxy
