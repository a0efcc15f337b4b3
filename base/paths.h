// Where weir keeps things, by the XDG Base Directory Specification 0.8. Nothing is created here.
#pragma once

#include <string>

namespace weir {

std::string home_directory();     // $HOME, else the passwd entry; no trailing slash
std::string config_directory();   // $XDG_CONFIG_HOME/weir, else ~/.config/weir
std::string state_directory();    // $XDG_STATE_HOME/weir, else ~/.local/state/weir
std::string data_directory();     // $XDG_DATA_HOME/weir, else ~/.local/share/weir
std::string sessions_directory(); // state_directory()/sessions

// For sockets: $XDG_RUNTIME_DIR/weir, else /run/user/UID/weir where the host has that folder, else /tmp/weir-UID. Whoever uses it
// must look whose it is and who else may enter it: in /tmp anybody can have made it.
std::string runtime_directory();

}  // namespace weir
