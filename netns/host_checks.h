// What weir needs of the machine, looked at and tried for real: for `weir doctor` and for the errors of make_room().
// Nothing is changed (G6); trials happen in child processes and throw-away namespaces.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::netns {

struct HostCheck {
  enum class Status { ok, warning, missing };
  std::string name;
  Status status = Status::ok;
  std::string found;   // what is there
  std::string remedy;  // what to do about it; empty when ok
  bool operator==(const HostCheck&) const = default;
};

std::string_view status_name(HostCheck::Status status);  // "ok", "warning", "missing"

std::vector<HostCheck> check_host(const std::string& state_directory);  // all that follow, in the order of their weight
bool all_needed_is_there(const std::vector<HostCheck>& checks);         // no check is `missing`

HostCheck check_kernel(std::string_view release);  // as uname(2) gives it
HostCheck check_proc();
HostCheck check_user_namespaces();
HostCheck check_room();  // make_room() itself
HostCheck check_ipv6();
HostCheck check_bubblewrap();
HostCheck check_bubblewrap_version(std::string_view output);  // of `bwrap --version`
HostCheck check_seccomp();
HostCheck check_landlock(int abi);                         // 0: none
HostCheck check_state_directory(const std::string& path);  // it need not exist yet
HostCheck check_tun(const std::string& device);            // only microVM sandboxes need it

int landlock_abi();

// Why the kernel refuses user namespaces, as far as its settings tell, and what to do: whole sentences. `proc_sys` is
// "/proc/sys" but in tests; `privileged`: the caller is root.
std::string user_namespace_refusal(const std::string& proc_sys, bool privileged);
std::string user_namespace_refusal();

}  // namespace weir::netns
