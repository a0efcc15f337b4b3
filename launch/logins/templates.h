// `{1}` and `{host}` in a login's names and texts. Pure. Private to launch/logins/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::launch {

using Captures = std::span<const std::string>;

bool is_template(std::string_view text);
std::string host_of(std::string_view capture);  // of a URL, of `//host/path`, or the text itself; lower case, with its port

// `{N}` without an Nth capture stays.
std::string expand(std::string_view text, Captures captures);
// The same for names of credentials and entries: of what is put in, characters other than letters, digits, '.', '_' and '-' become '-'.
std::string expand_name(std::string_view text, Captures captures);
std::vector<std::string> expand_hosts(const std::vector<std::string>& hosts, Captures captures);

}  // namespace weir::launch
