#include "vault/vault.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/paths.h"
#include "base/text.h"
#include "vault/clock.h"
#include "vault/command/source.h"
#include "vault/embedded_store.h"
#include "vault/hashicorp/reference.h"
#include "vault/hashicorp/secrets.h"
#include "vault/passphrase.h"
#include "vault/refresh/token_exchange.h"
#include "vault/sources.h"

namespace weir::vault {

struct Vault::State {
  // One for each value and what it is exchanged for. They live as long as this: a refresh token that was replaced has no other place.
  struct Exchanger {
    Wanted wanted;
    std::shared_ptr<TokenExchange> exchange;
  };

  Result<Secret> fetch(std::string_view from, Purpose purpose);
  Result<Obtained> obtain(const Wanted& wanted);  // without its exchange
  Result<void> keep(std::string_view entry, const Secret& value) {
    const std::lock_guard lock(mutex);
    return to_store(entry, value, paths, unlocked);
  }
  static Result<Obtained> exchanged(const std::shared_ptr<State>& state, const Wanted& wanted);

  VaultPaths paths;
  std::mutex mutex;
  std::optional<EmbeddedStore> unlocked;  // kept where opening costs a passphrase
  // One login for each; values that it gave share it.
  std::vector<std::pair<ServerSettings, std::shared_ptr<VaultSecrets>>> servers;
  std::vector<Exchanger> exchangers;
};

VaultPaths default_paths() {
  return {.store_file = data_directory() + "/vault.json", .key_file = config_directory() + "/vault.key"};
}

Vault::Vault(VaultPaths paths) : state_(std::make_shared<State>()) { state_->paths = std::move(paths); }
Vault::Vault(Vault&&) noexcept = default;
Vault& Vault::operator=(Vault&&) noexcept = default;
Vault::~Vault() = default;

Result<Secret> Vault::State::fetch(std::string_view from, Purpose purpose) {
  const auto colon = from.find(':');
  const std::string_view scheme = colon == std::string_view::npos ? "" : from.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : from.substr(colon + 1);
  Result<Secret> value;
  if (scheme == "env") {
    value = from_environment(std::string(rest));
  } else if (scheme == "file") {
    value = from_file(std::string(rest));
  } else if (scheme == "store") {
    const std::lock_guard lock(mutex);
    value = from_store(rest, paths, unlocked);
  } else {
    return fail("vault_source_unknown",
                "`" + printable(from, 100) + "` is no source that weir knows; use env:NAME, file:PATH or store:ENTRY");
  }
  if (!value) return value;
  auto usable = usable_for(purpose, std::move(*value), "the value of " + printable(from, 160));
  if (!usable) return std::unexpected(usable.error());
  return std::move(usable->value);
}

Result<Obtained> Vault::State::obtain(const Wanted& wanted) {
  const std::string_view from = wanted.from;
  const std::int64_t ttl_ms = std::int64_t{wanted.ttl_seconds} * 1000;
  constexpr std::string_view kVault = "vault:";
  if (from.starts_with(kVault)) {
    const auto reference = parse_reference(from.substr(kVault.size()));
    if (!reference) return std::unexpected(reference.error());
    auto settings = complete_settings(wanted.server);
    if (!settings) return std::unexpected(settings.error());
    std::shared_ptr<VaultSecrets> secrets;
    {
      const std::lock_guard lock(mutex);
      auto known = std::ranges::find(servers, *settings, &decltype(servers)::value_type::first);
      if (known == servers.end()) known = servers.emplace(known, *settings, std::make_shared<VaultSecrets>(*settings));
      secrets = known->second;
    }
    return secrets->obtain(*reference, ttl_ms, wanted.purpose);
  }
  constexpr std::string_view kExec = "exec:";
  if (from.starts_with(kExec)) return obtain_from_command(from.substr(kExec.size()), ttl_ms, wanted.purpose);
  auto value = fetch(from, wanted.purpose);
  if (!value) return std::unexpected(value.error());
  return Obtained{std::move(*value)};
}

namespace {

bool same(const Wanted& a, const Wanted& b) {
  return a.from == b.from && a.ttl_seconds == b.ttl_seconds && a.purpose == b.purpose && a.server == b.server && a.refresh == b.refresh;
}

}  // namespace

Result<Obtained> Vault::State::exchanged(const std::shared_ptr<State>& state, const Wanted& wanted) {
  if (auto good = check_refresh(wanted.refresh); !good) return std::unexpected(good.error());
  const auto value_of = [&](const std::string& from) {
    Wanted base{.from = from, .ttl_seconds = wanted.ttl_seconds, .server = wanted.server, .purpose = Purpose::exchanged};
    const bool again = !from.starts_with("exec:");
    return std::make_unique<BaseValue>(
        [weak = std::weak_ptr(state), base = std::move(base)]() -> Result<Obtained> {
          const auto alive = weak.lock();
          return alive == nullptr ? fail("vault_closed", "the session has ended") : alive->obtain(base);
        },
        again, boot_clock_ms);
  };
  std::shared_ptr<TokenExchange> exchange;
  {
    const std::lock_guard lock(state->mutex);
    const auto known = std::ranges::find_if(state->exchangers, [&](const Exchanger& one) { return same(one.wanted, wanted); });
    if (known != state->exchangers.end()) {
      exchange = known->exchange;
    } else {
      TokenExchange::Parts parts{.settings = wanted.refresh, .purpose = wanted.purpose, .source = wanted.from,
                                 .base = value_of(wanted.from), .client_secret = nullptr, .keep = {}, .clock = boot_clock_ms};
      if (!wanted.refresh.client_secret.empty()) parts.client_secret = value_of(wanted.refresh.client_secret);
      constexpr std::string_view kStore = "store:";
      if (wanted.from.starts_with(kStore) && wanted.from.find('@') == std::string::npos)
        parts.keep = [weak = std::weak_ptr(state), entry = wanted.from.substr(kStore.size())](const Secret& value) -> Result<void> {
          const auto alive = weak.lock();
          if (alive == nullptr) return fail("vault_closed", "the session has ended");
          return alive->keep(entry, value);
        };
      exchange = std::make_shared<TokenExchange>(std::move(parts));
      state->exchangers.push_back({wanted, exchange});
    }
  }
  return exchange->obtain();
}

Result<Secret> Vault::fetch(std::string_view from, Purpose purpose) const { return state_->fetch(from, purpose); }

Result<Obtained> Vault::obtain(const Wanted& wanted) {
  return wanted.refresh.kind == RefreshSettings::Kind::none ? state_->obtain(wanted) : State::exchanged(state_, wanted);
}

Result<void> Vault::keep(std::string_view from, const Secret& value) {
  constexpr std::string_view kStore = "store:";
  if (!from.starts_with(kStore) || from.find('@') != std::string_view::npos)
    return fail("vault_source_invalid", "`" + printable(from, 160) + "` cannot be written to; only store:ENTRY can");
  return state_->keep(from.substr(kStore.size()), value);
}

Result<void> Vault::unlock() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->unlocked) return {};
  }
  auto store = EmbeddedStore::open(state_->paths, passphrase_from_file_or_terminal);
  if (!store && store.error().code == "vault_missing") return {};
  if (!store) return std::unexpected(store.error());
  if (store->opening_asks_somebody()) {
    const std::lock_guard lock(state_->mutex);
    state_->unlocked = std::move(*store);
  }
  return {};
}

}  // namespace weir::vault
