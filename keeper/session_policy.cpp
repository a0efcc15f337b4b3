// The part of a session that changes its policy while it runs.
#include <poll.h>

#include <cerrno>

#include "keeper/connection_owners.h"
#include "keeper/session.h"

namespace weir::keeper {
namespace {

constexpr int kAnswerMs = 20'000;  // for the proxy to compile a policy

}  // namespace

Result<std::string> Session::reload_policy(const std::string& by, bool only_if_changed) {
  const auto refuse = [&](const Error& error) -> Result<std::string> {
    acknowledge();
    recorder_.add("policy.rejected", {{"file", in_force().loaded.document.file}, {"by", by}, {"code", error.code}, {"errors", error.message}});
    (void)recorder_.commit();
    say("the policy was not changed, the old one stays: " + error.message);
    return std::unexpected(error);
  };
  if (proxy_gone_) return fail("proxy_gone", "the session's proxy has stopped");
  if (!options_.policy_source.load) return refuse({"not_reloadable", "this session's policy cannot be loaded anew"});
  auto loaded = options_.policy_source.load(options_.vault);
  if (!loaded) return refuse(loaded.error());
  if (only_if_changed && loaded->text_hash == in_force().loaded.text_hash) return loaded->text_hash;
  // SECURITY: G4, everything that can be wrong is found before the proxy hears of it. Nobody can be asked for a passphrase now:
  // the command has the terminal.
  auto prepared = prepare_policy(std::move(*loaded), options_.vault, false);
  if (!prepared) return refuse(prepared.error());
  auto handed = hand_over(std::move(*prepared), by);
  if (!handed) return refuse(handed.error());
  return handed;
}

Result<std::string> Session::hand_over(PreparedPolicy next, const std::string& by) {
  const std::uint32_t generation = ++last_generation_;
  policy_answer_.reset();
  policy_changed_by_ = by;
  auto placeholders = placeholders_.of(next.loaded.document, [&](std::size_t i) { return next.secrets[i].value.reveal(); });
  if (auto sent = proxy_.replace_policy(generation, {policy::encode(next.loaded.document), next.upstream_ca_pem, std::move(placeholders)}); !sent)
    return std::unexpected(sent.error());
  // Known before the proxy's answer is read: requests under it may ask for secrets and approvals in the same burst.
  auto& entry = policies_.emplace(generation, std::move(next)).first->second;
  leases_.take(generation, entry.loaded.document.credentials, std::move(entry.secrets));
  approvals_.use_policy(generation, entry.loaded.document, entry.loaded.text_hash);
  // Nothing else is looked at until the proxy has answered, so that whoever asked for the reload may rely on the answer.
  for (int waited = 0; !policy_answer_ && !channel_closed_ && waited < kAnswerMs;) {
    pollfd channel{proxy_.channel(), POLLIN, 0};
    const int ready = poll(&channel, 1, 100);
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0) waited += 100;
    if (ready > 0) on_proxy_message();
  }
  if (!policy_answer_ || !*policy_answer_) {
    const Error why = policy_answer_ ? policy_answer_->error() : Error{"proxy_silent", "the proxy did not take the new policy"};
    if (!policy_answer_) proxy_.kill();  // SECURITY: G4, it is not known which policy it decides by
    approvals_.release_policy(generation);
    leases_.release(generation);
    policies_.erase(generation);
    return std::unexpected(why);
  }
  return entry.loaded.text_hash;
}

// At once, within the burst that brought it: what the proxy reports behind its answer was decided by the new policy, and stands
// behind `policy.loaded` in the record.
void Session::note_policy_in_force(std::uint32_t generation) {
  generation_ = generation;
  acknowledge();
  const auto& now = in_force().loaded;
  recorder_.add("policy.loaded", {{"hash", now.text_hash}, {"file", now.document.file}, {"use", now.document.use}, {"by", policy_changed_by_}});
  if (auto written = recorder_.commit(); !written) say("the change of the policy could not be recorded: " + written.error().message);
}

bool Session::take_policy_answer(std::string_view message, bool usable) {
  std::uint32_t generation = 0;
  if (!proxy::take(message, generation) || generation != last_generation_ || policy_answer_) return false;
  if (usable) {
    policy_answer_ = Result<void>{};
    note_policy_in_force(generation);
  } else {
    policy_answer_ = Result<void>(fail("policy_unusable", "the proxy cannot use it: " + std::string(message.substr(0, 1000))));
  }
  return true;
}

void Session::tell_owners(std::uint64_t question, const proxy::Endpoints& connection) {
  const pid_t process = sandbox_ == nullptr ? 0 : sandbox_->command_pid();
  proxy_.tell_owners(question, process > 0 ? connection_owners(process, connection) : std::vector<std::string>{});
}

}  // namespace weir::keeper
