// The file behind pending approvals and grants: JSON lines, 0600, one file for each keeper, so that no two write the same
// one. A keeper that is gone leaves its file, and the next one for the same project and policy takes over what it holds.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::keeper {

class ApprovalJournal {
 public:
  // `key` names what the records belong to (project and policy), `session` the keeper. Nothing is made before the first write.
  ApprovalJournal(std::string directory, std::string key, std::string session);

  // The records that this session's file holds. What is not a whole JSON object, as a torn last line, is left out.
  std::vector<nlohmann::ordered_json> own() const;

  struct Other {
    std::vector<nlohmann::ordered_json> records;
    bool alive = false;  // its keeper runs: what it holds may be copied, not taken
    std::string path;
    UniqueFd lock;       // of one that is not alive: held, so that two keepers do not take over the same
  };
  std::vector<Other> others() const;
  // After the records of one that is not alive have been written here.
  static void discard(const Other& other);

  // Replaces all that this session's file holds. The file is locked for as long as this object lives.
  Result<void> rewrite(const std::vector<nlohmann::ordered_json>& records);
  // `durable`: on the disk before this returns. An error leaves the file as it was.
  Result<void> append(const nlohmann::ordered_json& record, bool durable);
  bool is_open() const { return static_cast<bool>(file_); }

 private:
  std::string directory_;
  std::string prefix_;  // of the names of all files with this key
  std::string path_;
  UniqueFd file_;
  std::size_t size_ = 0;
  bool torn_ = false;  // a failed write could not be taken back
};

}  // namespace weir::keeper
