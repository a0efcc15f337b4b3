// What a session teaches: from its record to a policy file. For `weir policy learn` and `weir run --learn`.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "policy/learning.h"

namespace weir::cli {

// What was let through by the default or refused, each kind of request once with its count.
Result<std::vector<policy::Observation>> observations_of(const std::string& session_directory);

// The policy under which a session ran last: "policy.loaded".
struct RecordedPolicy {
  std::string file;  // kNoPolicy: none was there; "profile NAME": a profile's
  std::string hash;  // of its text
};
Result<RecordedPolicy> recorded_policy(const std::string& session_directory);
inline constexpr std::string_view kNoPolicy = "(none)";

// The file: a head of comments that says where it comes from and what it does not allow, then the policy.
std::string learned_text(const policy::Learned& learned, const std::string& session);
std::string learned_summary(const policy::Learned& learned);  // "2 rules for 3 hosts from 14 requests"

// A place for a file that is not there yet. Its folder is opened at once and held: what happens in between (a sandbox that can
// write there runs) does not lead it elsewhere, and nothing that is there is ever written to. SECURITY: G4.
class NewFile {
 public:
  // `numbered`: where the name is taken by the time of writing, name.2.yaml, name.3.yaml and so on are tried. Otherwise
  // that is an error ("file_exists"), at once where it can be seen at once.
  static Result<NewFile> in(const std::string& path, bool numbered);

  Result<std::string> write(const std::string& text) const;  // its path

 private:
  UniqueFd folder_;
  std::string folder_name_;  // with a slash behind it, or empty
  std::string name_;
  bool numbered_ = false;
};

}  // namespace weir::cli
