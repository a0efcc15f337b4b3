// `weir policy learn`: the smallest readable policy that allows what a session did.
#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/learned_policy.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/sessions.h"
#include "cli/verbs.h"
#include "launch/profile.h"
#include "policy/formatting.h"

namespace weir::cli {

namespace {

struct Options {
  std::string session, policy, output;
  bool json = false;
};

Result<std::string> text_of_profile(const std::string& name) {
  const auto all = launch::profiles();
  if (!all) return std::unexpected(all.error());
  for (const auto& profile : *all)
    if (profile.name == name) return profile.policy;
  return fail("unknown_profile", "there is no profile `" + printable(name, 80) + "` any more");
}

// The policy under which the session ran, if it is still the same.
std::optional<policy::Document> policy_of(const std::string& session_directory, int& status) {
  const auto recorded = recorded_policy(session_directory);
  if (!recorded) {
    status = complain(recorded.error().message);
    return std::nullopt;
  }
  if (recorded->file == kNoPolicy) return policy::Document{};
  constexpr std::string_view kProfile = "profile ";
  const bool from_profile = recorded->file.starts_with(kProfile);
  const auto text = from_profile ? text_of_profile(recorded->file.substr(kProfile.size())) : read_file(recorded->file);
  const std::string instead = "; name the policy on which the rules are to be built with --policy FILE";
  if (!text) {
    status = complain("the session's policy cannot be read: " + text.error().message + instead);
    return std::nullopt;
  }
  if (sha256_label(*text) != recorded->hash) {
    status = complain(printable(recorded->file) + " has changed since the session" + instead);
    return std::nullopt;
  }
  return document_from(*text, recorded->file, status);
}

Json json_of(const policy::Learned& learned, const std::string& session, const std::string& text) {
  Json left_out = Json::array();
  for (const auto& [seen, why] : learned.left_out)
    left_out.push_back({{"method", seen.method}, {"scheme", seen.scheme}, {"host", seen.host}, {"port", seen.port},
                        {"path", seen.path}, {"websocket", seen.websocket}, {"count", seen.count}, {"why", why}});
  return {{"session", session},     {"rules", learned.rules},       {"hosts", learned.hosts}, {"requests", learned.requests},
          {"connections", learned.connections}, {"left_out", left_out}, {"policy", text}};
}

int learn(const Options& options) {
  const auto directory = find_session(options.session);
  if (!directory) return complain(directory.error().message);
  const auto session = directory->substr(directory->rfind('/') + 1);
  int status = 0;
  const auto base = options.policy.empty() ? policy_of(*directory, status) : load_document(options.policy, status);
  if (!base) return status;
  const auto observations = observations_of(*directory);
  if (!observations) return complain(observations.error().message);
  const auto learned = policy::learn(*base, *observations);
  const auto text = learned_text(learned, printable(session, 80));
  if (options.output.empty()) {
    if (options.json)
      print(json_of(learned, session, text));
    else
      print(text);
    return 0;
  }
  const auto file = NewFile::in(options.output, false);
  if (!file) return complain(file.error().message);
  const auto written = file->write(text);
  if (!written) return complain(written.error().message);
  if (options.json)
    print(json_of(learned, session, text));
  else
    print(printable(*written) + ": " + learned_summary(learned) + "\n");
  return 0;
}

}  // namespace

void add_policy_learn(CLI::App& policy, int& status) {
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb = policy.add_subcommand("learn", "The smallest readable policy that allows what a session did");
  verb->add_option("SESSION", options->session, "the session (default: the newest)");
  verb->add_option("--policy", options->policy, "the policy to build on, instead of the one under which the session ran")
      ->type_name("FILE");
  verb->add_option("--output", options->output, "write it to this file, which must not be there yet")->type_name("FILE");
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = learn(*options); });
}

}  // namespace weir::cli
