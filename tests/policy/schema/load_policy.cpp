// load_policy FILE: 0 when it is a policy without errors, 1 when it is not.
#include <cstdio>

#include "policy/loader.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto loaded = weir::policy::load_file(argv[1]);
  for (const auto& diagnostic : loaded.diagnostics) std::puts(weir::policy::format(diagnostic).c_str());
  return loaded.ok() ? 0 : 1;
}
