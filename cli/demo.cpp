#include "cli/verbs.h"
namespace weir::cli {
void add_demo(CLI::App&, int&) {}
}  // namespace weir::cli
