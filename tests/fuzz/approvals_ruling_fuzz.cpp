// The body of a decision on the control socket.
#include <cstdint>
#include <cstdlib>

#include "keeper/control_api.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto ruling = weir::keeper::parse_ruling({reinterpret_cast<const char*>(bytes), size});
  if (!ruling) return 0;
  const bool timed = ruling->lasts == weir::keeper::Standing::Lasts::timed;
  if (timed && (ruling->seconds < 1 || ruling->seconds > weir::keeper::Approvals::kMaxSeconds)) std::abort();
  return 0;
}
