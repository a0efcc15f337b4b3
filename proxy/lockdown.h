// The proxy's last step before it takes a byte from a sandbox: from here on no files, no programs, no privileges.
#pragma once

#include "base/error.h"

namespace weir::proxy {

// Drops to an unprivileged user when root (uid and gid 65534, no groups, no capabilities), forbids core dumps and tracing,
// sets no-new-privs, closes the file system (Landlock, all rights of the kernel's ABI; also TCP bind and abstract Unix
// sockets where it can) and installs a seccomp allow-list. Irreversible. Landlock may be missing on older kernels: seccomp
// refuses the same calls there. SECURITY: G5. See landlock(7), seccomp(2).
Result<void> lock_down();

}  // namespace weir::proxy
