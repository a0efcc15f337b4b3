#include "vault/command/source.h"

#include <utility>

#include "vault/command/run.h"

namespace weir::vault {
namespace {

struct Printed {
  Secret value;
  std::int64_t lasts_ms = 0;
};

Result<Printed> run_and_check(const std::vector<std::string>& command, std::int64_t ttl_ms, Purpose purpose,
                              const std::atomic<bool>* cancelled = nullptr) {
  auto value = run_command(command, {.cancelled = cancelled});
  if (!value) return std::unexpected(value.error());
  auto usable = usable_for(purpose, std::move(*value), "what " + command.front() + " printed");
  if (!usable) return std::unexpected(usable.error());
  return Printed{std::move(usable->value), lasts_ms(ttl_ms, usable->ends_s)};
}

class RunAgain : public Refresher {
 public:
  RunAgain(std::vector<std::string> command, std::int64_t ttl_ms, Purpose purpose)
      : command_(std::move(command)), ttl_ms_(ttl_ms), purpose_(purpose) {}
  Result<Refreshed> refresh() override {
    auto printed = run_and_check(command_, ttl_ms_, purpose_, &cancelled_);
    if (!printed) return std::unexpected(printed.error());
    return Refreshed{std::move(printed->value), printed->lasts_ms};
  }

  void cancel() override { cancelled_ = true; }

 private:
  std::vector<std::string> command_;
  std::atomic<bool> cancelled_ = false;
  std::int64_t ttl_ms_;
  Purpose purpose_;
};

}  // namespace

Result<Obtained> obtain_from_command(std::string_view text, std::int64_t ttl_ms, Purpose purpose) {
  auto command = parse_command(text);
  if (!command) return std::unexpected(command.error());
  auto printed = run_and_check(*command, ttl_ms, purpose);
  if (!printed) return std::unexpected(printed.error());
  Obtained obtained{std::move(printed->value), printed->lasts_ms};
  if (printed->lasts_ms != 0) obtained.refresher = std::make_shared<RunAgain>(std::move(*command), ttl_ms, purpose);
  return obtained;
}

}  // namespace weir::vault
