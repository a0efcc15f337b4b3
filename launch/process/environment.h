// What the command finds in its environment. Pure.
// SECURITY: G2, an allow-list: what is not named here or asked for does not pass.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "launch/sandbox.h"

namespace weir::launch {

struct Account {  // who the command is inside
  unsigned user = 0;
  unsigned group = 0;
  std::string name;
  std::string home;
  std::string shell;
};

inline constexpr const char* kBundlePath = "/run/weir/ca-bundle.crt";  // the system's roots and the sandbox's CA
inline constexpr const char* kCertificatePath = "/run/weir/ca.crt";    // the sandbox's CA alone

// `host` holds the host's environment.
std::map<std::string, std::string> environment_for(const SandboxSpec& spec, const Account& account,
                                                   const std::map<std::string, std::string>& host);

std::map<std::string, std::string> host_environment();

}  // namespace weir::launch
