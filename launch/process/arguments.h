// bubblewrap's options and the files that they name by descriptor. Resource: owns those descriptors.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::launch {

// An anonymous file holding `bytes`, at offset 0, close-on-exec.
Result<UniqueFd> file_of(std::string_view bytes);

class Arguments {
 public:
  void add(std::initializer_list<std::string_view> words);
  Result<void> add_file(std::string_view option, std::string_view content, std::string_view target);  // OPTION FD TARGET
  void add_descriptor(std::string_view option, UniqueFd fd);                                          // OPTION FD

  // All words for `--args FD`: each ended by NUL, so they are not to be seen in /proc/PID/cmdline.
  const std::string& words() const { return words_; }
  const std::vector<UniqueFd>& descriptors() const { return descriptors_; }

 private:
  std::string words_;
  std::vector<UniqueFd> descriptors_;
};

}  // namespace weir::launch
