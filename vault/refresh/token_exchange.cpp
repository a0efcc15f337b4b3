#include "vault/refresh/token_exchange.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"

namespace weir::vault {

// One who uses the token.
class TokenExchange::Use : public Refresher {
 public:
  Use(std::shared_ptr<TokenExchange> of, std::uint64_t version) : of_(std::move(of)), version_(version) {}
  ~Use() override { (void)Use::release(); }
  Result<Refreshed> refresh() override { return of_->refresh(version_); }
  void cancel() override { of_->cancel(); }
  Result<void> release() override { return std::exchange(released_, true) ? Result<void>{} : of_->release(); }

 private:
  std::shared_ptr<TokenExchange> of_;
  std::uint64_t version_;  // of the token that it has
  bool released_ = false;
};

TokenExchange::TokenExchange(Parts parts) : parts_(std::move(parts)), client_(token_client(parts_.settings)) {}

std::int64_t TokenExchange::left_ms() const { return std::max<std::int64_t>(token_->ends - parts_.clock(), 1); }
bool TokenExchange::is_young() const { return token_ && token_->ends - parts_.clock() >= token_->lasts_ms / 2; }

Result<TokenExchange::Inputs> TokenExchange::inputs(bool reload) {
  auto base = parts_.base->fresh(reload);
  if (!base) return std::unexpected(base.error());
  Inputs given{*base, &none_, sha256_label((*base)->reveal())};
  if (parts_.client_secret == nullptr) return given;
  auto secret = parts_.client_secret->fresh(reload);
  if (!secret) return fail(secret.error().code, "client_secret: " + secret.error().message);
  given.client_secret = *secret;
  given.hash += sha256_label((*secret)->reveal());
  return given;
}

Result<Exchanged> TokenExchange::once_more(const Inputs& given, Result<Exchanged> denied) {
  // Another session may have used the refresh token meanwhile, and stored the one that replaces it.
  if (denied.error().code != "refresh_denied" || parts_.settings.grant != "refresh_token") return denied;
  const auto now = inputs(true);
  if (!now || now->hash == given.hash) return denied;
  return exchange(client_, parts_.settings, *now->base, *now->client_secret);
}

void TokenExchange::keep_refresh_token(Secret next, const Inputs& given) {
  std::string why;
  if (parts_.keep) {
    const auto kept = parts_.keep(next);
    if (kept) {
      replaced_.reset();
      return;
    }
    why = " and cannot be written back: " + kept.error().message;
  } else {
    why = ", which weir cannot write back; only a `store:` entry can be";
  }
  replaced_ = std::move(next);
  replaced_for_ = given.hash;
  if (!std::exchange(noted_, true))
    note_ = "the refresh token of " + printable(parts_.source, 160) + " was replaced by its service" + why +
            ". The new one serves until this session ends; after that, log in anew";
}

Result<void> TokenExchange::renew(const Inputs& given) {
  const bool elsewhere = replaced_ && replaced_for_ == given.hash;
  auto exchanged = exchange(client_, parts_.settings, elsewhere ? *replaced_ : *given.base, *given.client_secret);
  if (!exchanged && !elsewhere) exchanged = once_more(given, std::move(exchanged));
  if (!exchanged) return std::unexpected(exchanged.error());
  if (!exchanged->next_base.empty()) {
    keep_refresh_token(std::move(exchanged->next_base), given);
    // What was written back is another value than the token was made of, but nobody's change.
    if (!replaced_)
      if (const auto now = inputs(true)) return take(std::move(*exchanged), now->hash);
  }
  return take(std::move(*exchanged), given.hash);
}

Result<void> TokenExchange::take(Exchanged exchanged, std::string made_of) {
  auto usable = usable_for(parts_.purpose, std::move(exchanged.value), "what " + printable(parts_.source, 160) + " was exchanged for");
  if (!usable) return std::unexpected(usable.error());
  Token token{std::move(usable->value), 0, exchanged.lasts_ms > 0 ? exchanged.lasts_ms : kUnsaidMs, std::move(made_of)};
  token.ends = parts_.clock() + token.lasts_ms;
  token_ = std::move(token);
  ++version_;
  return {};
}

Result<Obtained> TokenExchange::obtain() {
  const std::lock_guard lock(mutex_);
  const auto given = inputs(true);
  if (!given) return std::unexpected(given.error());
  if (!is_young() || token_->made_of != given->hash)
    if (auto renewed = renew(*given); !renewed) return std::unexpected(renewed.error());
  ++users_;
  return Obtained{token_->value.clone(), left_ms(), std::make_shared<Use>(shared_from_this(), version_), std::exchange(note_, "")};
}

Result<Refreshed> TokenExchange::refresh(std::uint64_t& version) {
  const std::lock_guard lock(mutex_);
  if (version == version_ || !is_young()) {  // else another user's refresh has brought a new one
    const auto given = inputs(false);
    // That the source cannot be read says nothing about the token, which goes on to its end.
    if (!given) return fail("refresh_source", given.error().message);
    if (auto renewed = renew(*given); !renewed) return std::unexpected(renewed.error());
  }
  version = version_;
  return Refreshed{token_->value.clone(), left_ms(), std::exchange(note_, "")};
}

Result<void> TokenExchange::release() {
  const std::lock_guard lock(mutex_);
  if (--users_ > 0) return {};
  token_.reset();
  auto secret = parts_.client_secret == nullptr ? Result<void>{} : parts_.client_secret->release();
  auto base = parts_.base->release();
  return base ? secret : base;
}

void TokenExchange::cancel() {
  client_.cancel();
  parts_.base->cancel();
  if (parts_.client_secret != nullptr) parts_.client_secret->cancel();
}

}  // namespace weir::vault
