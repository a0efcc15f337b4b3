// The system calls that no sandboxed program gets, as a BPF program for `bwrap --seccomp`.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::launch {

// `as_root`: the kernel's user id of the sandbox is 0, so what the kernel grants to that id must be closed as well.
Result<UniqueFd> seccomp_filter(bool as_root);

}  // namespace weir::launch
