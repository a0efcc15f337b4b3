#include "vault/hashicorp/secrets.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/secret_json.h"
#include "base/text.h"
#include "vault/clock.h"

namespace weir::vault {
namespace {

std::int64_t now_ms() { return boot_clock_ms(); }

std::string key_of(const Reference& reference) {
  std::string key = reference.path;
  for (const auto& [name, value] : reference.parameters) key += "\n" + name + "=" + value;
  return key;
}

// The field's value out of an answer, or all of them as JSON; errors name the fields that there are.
Result<Usable> field_in(const Secret& answer, const Reference& reference, bool v2, Purpose purpose) {
  const std::string where = "Vault at " + printable(reference.path, 200);
  const auto json = SecretJson::parse(answer.reveal());
  auto data = json ? json->member("data") : std::nullopt;
  if (data && v2) data = data->member("data");
  if (!data || !data->is(SecretJson::Kind::object)) return fail("vault_not_found", where + " gives nothing that has fields");
  const auto value = reference.field == "*" ? data : data->member(reference.field);
  if (!value || value->is(SecretJson::Kind::null)) {
    std::string there;
    for (const auto& name : data->names()) there += (there.empty() ? "" : ", ") + printable(name, 60);
    return fail("vault_field_missing", "there is no field `" + printable(reference.field, 60) + "` at " +
                                           printable(reference.path, 200) + " in Vault; it has " +
                                           (there.empty() ? "none" : printable(there, 400)));
  }
  return usable_for(purpose, value->text(), "the field `" + printable(reference.field, 60) + "` at " + printable(reference.path, 200));
}

}  // namespace

// One field of a secret, as the session holds it.
class VaultSecrets::Field : public Refresher {
 public:
  Field(std::shared_ptr<VaultSecrets> of, Wish wish, std::uint64_t version) : of_(std::move(of)), wish_(std::move(wish)), version_(version) {}
  ~Field() override { (void)Field::release(); }
  Result<Refreshed> refresh() override { return of_->refresh(wish_, version_); }
  void cancel() override { of_->cancel(); }
  Result<void> release() override {
    if (std::exchange(released_, true) || version_ == 0) return {};
    return of_->give_back(wish_.key);
  }

 private:
  std::shared_ptr<VaultSecrets> of_;
  Wish wish_;
  std::uint64_t version_;  // of the lease's body; 0: there is no lease
  bool released_ = false;
};

VaultSecrets::~VaultSecrets() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, lease] : leases_) (void)revoke(*lease);
  if (token_ == nullptr || !token_->own) return;
  CallLimits once{.attempts = 1, .attempt_ms = 2000, .all_ms = 2000, .first_pause_ms = 1};
  (void)client_.call({.method = "POST", .path = "auth/token/revoke-self", .token = &token_->value, .limits = &once});
}

// Leases hang on the token that made them, so its time is theirs too.
Result<void> VaultSecrets::ensure_token() {
  const std::int64_t now = now_ms();
  if (token_ != nullptr && token_->lasts_ms > 0) {
    const std::int64_t left = token_->obtained_ms + token_->lasts_ms - now;
    if (left <= 0) {
      token_.reset();
    } else if (token_->renewable && left < token_->lasts_ms * 2 / 5) {
      if (const auto renewed = renew_token(client_, *token_)) {
        // A token at the end of its longest life is renewed for less and less: a new login is due.
        const bool enough = *renewed >= token_->lasts_ms / 2 || !token_->own;
        token_->lasts_ms = *renewed;
        token_->obtained_ms = now;
        if (!enough) token_->renewable = false;
      } else if (!is_passing(renewed.error())) {
        token_.reset();
      }
    } else if (token_->own && !client_.settings().wrapped && left < token_->lasts_ms * 2 / 5) {
      token_.reset();  // not revoked: requests on their way carry what hangs on it
    }
  }
  if (token_ != nullptr) return {};
  auto token = log_in(client_);
  if (!token) return std::unexpected(token.error());
  token_ = std::make_unique<Token>(std::move(*token));
  token_->obtained_ms = now;
  for (auto& [key, lease] : leases_) lease->ends = 0;  // they end with the token that made them
  return {};
}

Result<Secret> VaultSecrets::call(VaultClient::Call call) {
  if (auto ready = ensure_token(); !ready) return std::unexpected(ready.error());
  call.token = &token_->value;
  return client_.call(call);
}

// What is mounted there (`vault kv` asks the same). Where the token may not ask, the answer's form tells.
VaultSecrets::Mount VaultSecrets::mount_of(const std::string& path) {
  for (const auto& [mount, known] : mounts_)
    if (path.starts_with(mount)) return known;
  Mount found;
  const auto answer = call({.path = "sys/internal/ui/mounts/" + percent_encoded(path)});
  const auto json = answer ? SecretJson::parse(answer->reveal()) : std::nullopt;
  const auto mount = json ? json->at({"data", "path"}) : std::nullopt;
  const auto type = json ? json->at({"data", "type"}) : std::nullopt;
  if (!mount || !type) return found;
  found.path = mount->plain();
  found.type = type->plain();
  found.known = path.starts_with(found.path) && !found.path.empty();
  if (const auto version = json->at({"data", "options", "version"})) found.v2 = version->plain() == "2";
  if (found.known) mounts_[found.path] = found;
  return found;
}

Result<Secret> VaultSecrets::read(const Reference& reference, bool& v2) {
  const std::int64_t began = now_ms();
  if (auto ready = ensure_token(); !ready) return std::unexpected(ready.error());
  const bool fresh = token_->obtained_ms >= began;  // a login just now
  const Mount mount = mount_of(reference.path);
  std::string path = reference.path;
  const bool is_kv = mount.known && (mount.type == "kv" || mount.type == "generic");
  const bool only_version =
      std::ranges::all_of(reference.parameters, [](const auto& one) { return one.first == "version"; });
  if (is_kv && mount.v2 && path.substr(mount.path.size()).substr(0, 5) != "data/") path.insert(mount.path.size(), "data/");
  if (is_kv && !(mount.v2 && only_version) && !reference.parameters.empty())
    return fail("vault_source_invalid", "vault:" + printable(reference.path, 200) +
                                            (mount.v2 ? " takes `version` and nothing else behind the ?"
                                                      : " is in a KV store of version 1, which has no versions"));
  Result<Secret> answer;
  if (is_kv || (!mount.known && only_version)) {
    std::string query;
    for (const auto& [name, value] : reference.parameters)
      query += (query.empty() ? "?" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
    answer = call({.path = percent_encoded(path) + query});
  } else if (reference.parameters.empty()) {
    answer = call({.path = percent_encoded(path), .repeatable = false});  // a dynamic secret: each read makes one
  } else {
    std::string body = "{";
    for (const auto& [name, value] : reference.parameters)
      body += (body.size() > 1 ? "," : "") + std::string(quoted_json(name).reveal()) + ":" +
              std::string(quoted_json(value).reveal());
    const Secret json(body + "}");
    answer = call({.method = "POST", .path = percent_encoded(path), .body = &json, .repeatable = false});
  }
  if (!answer) {
    // Perhaps the token was revoked: once more with another.
    const bool can_log_in = token_ != nullptr && token_->own && !client_.settings().wrapped && !fresh;
    if (answer.error().code != "vault_denied" || !can_log_in) return answer;
    token_.reset();
    return read(reference, v2);
  }
  v2 = is_kv && mount.v2;
  if (!mount.known) {
    const auto parsed = SecretJson::parse(answer->reveal());
    v2 = parsed && parsed->at({"data", "data"}) && parsed->at({"data", "metadata", "version"});
  }
  return answer;
}

std::int64_t VaultSecrets::lasts(const Lease& lease, std::int64_t ttl_ms) const {
  std::int64_t left = lease.ends - now_ms();
  if (token_ != nullptr && token_->lasts_ms > 0) left = std::min(left, token_->obtained_ms + token_->lasts_ms - now_ms());
  if (ttl_ms > 0) left = std::min(left, ttl_ms);
  return std::max<std::int64_t>(left, 1);
}

// One call after another. Those that waited while Vault was found away get the same answer, instead of asking for as long again.
template <class T>
Result<T> VaultSecrets::in_turn(const std::function<Result<T>()>& call) {
  const std::int64_t came = now_ms();
  const std::lock_guard lock(mutex_);
  if (away_at_ > came) return std::unexpected(away_);
  Result<T> result = call();
  if (!result && is_passing(result.error())) {
    away_at_ = now_ms();
    away_ = result.error();
  }
  return result;
}

Result<Obtained> VaultSecrets::obtain(const Reference& reference, std::int64_t ttl_ms, Purpose purpose) {
  const Wish wish{reference, key_of(reference), ttl_ms, purpose};
  return in_turn<Obtained>([&] { return obtain(wish); });
}

Result<Obtained> VaultSecrets::obtain(const Wish& wish) {
  auto taken = take(wish);
  if (!taken) return std::unexpected(taken.error());
  if (taken->version != 0) ++leases_.at(wish.key)->users;
  return Obtained{std::move(taken->value), taken->lasts_ms, std::make_shared<Field>(shared_from_this(), wish, taken->version)};
}

Result<VaultSecrets::Taken> VaultSecrets::take(const Wish& wish) {
  const auto held = leases_.find(wish.key);
  if (held != leases_.end() && held->second->ends > now_ms()) {
    auto value = field_in(held->second->body, wish.reference, false, wish.purpose);
    if (!value) return std::unexpected(value.error());
    return Taken{std::move(value->value), lasts_ms(lasts(*held->second, wish.ttl_ms), value->ends_s), held->second->version};
  }
  bool v2 = false;
  const std::int64_t asked = now_ms();
  auto answer = read(wish.reference, v2);
  if (!answer) return std::unexpected(answer.error());
  const auto json = SecretJson::parse(answer->reveal());
  const auto id = json ? json->member("lease_id") : std::nullopt;
  const auto duration = json ? json->member("lease_duration") : std::nullopt;
  if (!id || id->plain().empty() || !duration || duration->number() <= 0) {
    auto value = field_in(*answer, wish.reference, v2, wish.purpose);
    if (!value) return std::unexpected(value.error());
    return Taken{std::move(value->value), lasts_ms(wish.ttl_ms > 0 ? wish.ttl_ms : kUnleasedMs, value->ends_s), 0};
  }
  auto lease = std::make_unique<Lease>();
  lease->body = std::move(*answer);
  lease->id = id->plain();
  const auto renewable = SecretJson::parse(lease->body.reveal())->member("renewable");
  lease->renewable = renewable && renewable->boolean();
  lease->lasts_ms = SecretJson::parse(lease->body.reveal())->member("lease_duration")->number() * 1000;
  lease->ends = asked + lease->lasts_ms;
  lease->version = ++versions_;
  auto value = field_in(lease->body, wish.reference, v2, wish.purpose);
  if (!value) {
    (void)revoke(*lease);  // it would lie about until its end
    return std::unexpected(value.error());
  }
  if (held != leases_.end()) lease->users = held->second->users;
  const Lease& kept = *(leases_[wish.key] = std::move(lease));
  return Taken{std::move(value->value), lasts_ms(lasts(kept, wish.ttl_ms), value->ends_s), kept.version};
}

Result<void> VaultSecrets::renew(Lease& lease) {
  const Secret id = quoted_json(lease.id);
  std::string text =
      R"({"lease_id":)" + std::string(id.reveal()) + R"(,"increment":)" + std::to_string(lease.lasts_ms / 1000) + "}";
  const Secret body(text);
  const std::int64_t asked = now_ms();
  const auto answer = call({.method = "PUT", .path = "sys/leases/renew", .body = &body});
  if (!answer) return std::unexpected(answer.error());
  const auto json = SecretJson::parse(answer->reveal());
  const auto seconds = json ? json->member("lease_duration") : std::nullopt;
  if (!seconds || seconds->number() <= 0) return fail("vault_invalid", "Vault renewed a lease without saying for how long");
  lease.ends = asked + seconds->number() * 1000;
  return {};
}

Result<Refreshed> VaultSecrets::refresh(const Wish& wish, std::uint64_t& version) {
  return in_turn<Refreshed>([&] { return refresh_now(wish, version); });
}

Result<Refreshed> VaultSecrets::refresh_now(const Wish& wish, std::uint64_t& version) {
  const auto found = leases_.find(wish.key);
  if (found != leases_.end() && version != 0) {
    if (auto ready = ensure_token(); !ready) return std::unexpected(ready.error());
    Lease& lease = *found->second;
    const std::int64_t half = now_ms() + lease.lasts_ms / 2;
    if (lease.ends < half && lease.renewable && lease.ends > now_ms()) {
      const auto renewed = renew(lease);
      if (!renewed && is_passing(renewed.error())) return std::unexpected(renewed.error());
      // Refused, or granted for less than half of what it was: its longest life nears its end, and a new secret is due.
    }
    if (lease.ends >= half) {
      auto value = field_in(lease.body, wish.reference, false, wish.purpose);
      if (!value) return std::unexpected(value.error());
      const std::int64_t lasts_for = lasts_ms(lasts(lease, wish.ttl_ms), value->ends_s);
      if (lease.version == version) return Refreshed{std::nullopt, lasts_for};
      version = lease.version;  // another field's refresh has brought a new one
      return Refreshed{std::move(value->value), lasts_for};
    }
    lease.ends = 0;  // not to be taken again. It ends by itself: requests on their way still carry it
  }
  auto taken = take(wish);
  if (!taken) return std::unexpected(taken.error());
  if (taken->version != 0) {
    if (version == 0) ++leases_.at(wish.key)->users;
    version = taken->version;
  }
  return Refreshed{std::move(taken->value), taken->lasts_ms};
}

Result<void> VaultSecrets::revoke(Lease& lease) {
  if (token_ == nullptr) return {};
  const Secret id = quoted_json(lease.id);
  const Secret body(R"({"lease_id":)" + std::string(id.reveal()) + "}");
  CallLimits brief{.attempts = 2, .attempt_ms = 1500, .all_ms = 2500, .first_pause_ms = 100};
  auto done =
      client_.call({.method = "PUT", .path = "sys/leases/revoke", .token = &token_->value, .body = &body, .limits = &brief});
  if (!done) return fail(done.error().code, "a lease could not be revoked, it ends by itself: " + done.error().message);
  return {};
}

Result<void> VaultSecrets::give_back(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = leases_.find(key);
  if (found == leases_.end() || --found->second->users > 0) return {};
  const auto lease = std::move(found->second);
  leases_.erase(found);
  return revoke(*lease);
}

}  // namespace weir::vault
