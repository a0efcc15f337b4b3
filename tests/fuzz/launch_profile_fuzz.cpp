// Profiles are files that users write: any bytes give a profile or one error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "launch/process/host_sockets.h"
#include "launch/process/program_location.h"
#include "launch/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto profile = weir::launch::parse_profile(text, "fuzz.yaml");
  if (!profile && (profile.error().code != "profile_invalid" || profile.error().message.empty())) std::abort();
  if (profile && profile->commands.empty()) std::abort();
  (void)weir::launch::interpreter_of(text);
  (void)weir::launch::bound_paths(text);
  return 0;
}
