#include "vault/command/source.h"

#include <utility>

#include "vault/command/run.h"
#include "vault/vault.h"

namespace weir::vault {
namespace {

Result<Secret> run_and_check(const std::vector<std::string>& command, const std::atomic<bool>* cancelled = nullptr) {
  auto value = run_command(command, {.cancelled = cancelled});
  if (!value) return value;
  if (auto usable = check_value(*value, "what " + command.front() + " printed"); !usable)
    return std::unexpected(usable.error());
  return value;
}

class RunAgain : public Refresher {
 public:
  RunAgain(std::vector<std::string> command, std::int64_t ttl_ms) : command_(std::move(command)), ttl_ms_(ttl_ms) {}
  Result<Refreshed> refresh() override {
    auto value = run_and_check(command_, &cancelled_);
    if (!value) return std::unexpected(value.error());
    return Refreshed{std::move(*value), ttl_ms_};
  }

  void cancel() override { cancelled_ = true; }

 private:
  std::vector<std::string> command_;
  std::atomic<bool> cancelled_ = false;
  std::int64_t ttl_ms_;
};

}  // namespace

Result<Obtained> obtain_from_command(std::string_view text, std::int64_t ttl_ms) {
  auto command = parse_command(text);
  if (!command) return std::unexpected(command.error());
  auto value = run_and_check(*command);
  if (!value) return std::unexpected(value.error());
  Obtained obtained{std::move(*value), ttl_ms, nullptr};
  if (ttl_ms != 0) obtained.refresher = std::make_shared<RunAgain>(std::move(*command), ttl_ms);
  return obtained;
}

}  // namespace weir::vault
