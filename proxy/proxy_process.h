// The proxy as a process: started by the keeper with a channel, restricted, then serving one sandbox until the end.
#pragma once

namespace weir::proxy {

// The program's name (the file, argv[0] and the process's name).
inline constexpr const char* kProcessName = "weir-proxy";
inline constexpr int kChannelDescriptor = 3;

// The proxy's whole life. `channel` is the message channel to the keeper (wire.h). Gives the process's exit status.
int run_proxy(int channel);

}  // namespace weir::proxy
