// What a package manager said about where it gets its packages, and how that is written as a preset. Values.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::launch {

// A place that packages come from: one rule of the preset.
struct Origin {
  enum class Kind {
    files,  // GET and HEAD
    git     // what git's smart HTTP protocol needs for a fetch of this one repository
  } kind = Kind::files;
  std::string role;  // "registry", "index", "registry of @corp": for the rule's name
  std::string url;   // as found; may hold a password, which is not written on
  bool whole_host = false;     // else only what lies below the URL's path
  bool encoded_slash = false;  // paths may hold %2F
  // The tool did not say so, a server did: this gets no private address unless that server has one. The server's URL.
  std::string told_by = {};
  bool operator==(const Origin&) const = default;
};

struct Findings {
  std::vector<std::string> asked;  // "npm config list"
  std::vector<Origin> origins;
  std::vector<std::string> notes;  // what was found and is not allowed, and why: a sentence each
};

// `url` as far as it can be shown: without user name, password, query and fragment.
std::string shown_url(std::string_view url);

// What a tool said, with user names and passwords taken out of the URLs in it.
std::string without_passwords(std::string_view text);

// The networks of private addresses (RFC 1918, RFC 6598, RFC 4193) among `addresses`, each once: what rules need for
// `addresses`. Loopback, link-local and all other special addresses are never among them. Pure.
std::vector<std::string> private_networks_of(const std::vector<std::string>& addresses);

// The addresses of a host name, for a preset that has to name private ones; empty when that cannot be told.
using Addresses = std::function<std::vector<std::string>(const std::string& host)>;

// The preset's text. Origins that cannot be made rules (ssh:, file:, paths that two servers could read differently) become
// comments. The text always loads as a policy.
std::string preset_text(std::string_view tool, const Findings& findings, const Addresses& addresses);

}  // namespace weir::launch
