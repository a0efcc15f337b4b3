// Where weir keeps things, by the XDG Base Directory Specification 0.8. Nothing is created here.
#pragma once

#include <string>

namespace weir {

std::string home_directory();     // $HOME, else the passwd entry; no trailing slash
std::string config_directory();   // $XDG_CONFIG_HOME/weir, else ~/.config/weir
std::string state_directory();    // $XDG_STATE_HOME/weir, else ~/.local/state/weir
std::string data_directory();     // $XDG_DATA_HOME/weir, else ~/.local/share/weir
std::string sessions_directory(); // state_directory()/sessions

}  // namespace weir
