// The program `weir-proxy`: started by the keeper alone. A program of its own, so that nothing is in the process that parses hostile
// bytes but what a gate needs. SECURITY: G5.
#include <cstdio>
#include <cstring>

#include "proxy/proxy_process.h"

#if defined(__SANITIZE_ADDRESS__)
// It has no environment to set this in. A small quarantine, so that tests can still measure memory.
extern "C" const char* __asan_default_options();  // NOLINT: the run time's name
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=2:thread_local_quarantine_size_kb=64"; }
#endif

int main(int argc, char**) {
  using namespace weir::proxy;
  if (argc == 1) return run_proxy(kChannelDescriptor);
  std::fputs("weir-proxy: weir starts this program; there is nothing to do with it by hand\n", stderr);
  return 2;
}
