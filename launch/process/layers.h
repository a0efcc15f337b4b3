// What is mounted where in the sandbox, from the outermost folder inwards, as bubblewrap's options.
#pragma once

#include <string>
#include <vector>

#include "launch/process/arguments.h"
#include "launch/sandbox.h"

namespace weir::launch {

struct Layer {
  enum class Kind {
    tmpfs,        // empty and writable, permissions `mode`
    read_only,    // `source` of the host
    read_write,   // `source` of the host
    folder,       // an empty folder in what lies beneath
    symlink,      // to `source`
    generated,    // a read-only file with `source` as its content
    fresh_file,   // a writable file with `source` as its content
    hidden_file,  // nothing to be read: a device file on a mount that allows none
    hidden_folder,
    proc,
    dev,
  } kind;
  std::string target;
  std::string source = {};
  const char* mode = "0755";
};

// A folder (or file) of the host and where the sandbox sees it. Both without symbolic links.
struct Shown {
  std::string source;
  std::string target;
  bool of_system = false;  // too large to be searched, and only root can have put something there
};

std::size_t depth_of(const std::string& path);  // "/" is 0, "/a" 1, "/a/b" 2

// Puts outer folders before what is inside them and keeps the given order otherwise, then writes the options.
Result<void> write_layers(const std::vector<Layer>& layers, Arguments& arguments);

// True when `path` is `folder` or below it. Both absolute, without trailing slash.
bool is_within(const std::string& path, const std::string& folder);

// `path` with symbolic links resolved as far as it exists; what does not exist is appended as it is.
std::string resolved(const std::string& path);

// The host's system folders, read-only; symbolic links such as /bin are made again.
void add_system(std::vector<Layer>& layers);

// /proc, with what user id 0 could write in it made read-only when that is who the sandbox is to the kernel.
void add_proc(std::vector<Layer>& layers, bool as_root);

}  // namespace weir::launch
