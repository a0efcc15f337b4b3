// Changes that single requests would not show.
#pragma once

#include "policy/difference/requests.h"

namespace weir::policy {

Change setting(Change::Subject subject, Change::Kind kind, std::string name, std::string from, std::string to);

// Where each credential goes, where its value is from, how it is used.
void compare_credentials(const Policy& a, const Policy& b, const Destinations& destinations, std::vector<Change>& out);

// Which tokens are kept from the sandbox, and what becomes of those that are in requests.
void compare_oauth(const Document& a, const Document& b, std::vector<Change>& out);

}  // namespace weir::policy
