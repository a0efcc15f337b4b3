// ldns's headers, cleaned of their macros. Include this and never <ldns/…> itself.
#pragma once

#include <ldns/ldns.h>

// ldns/common.h defines these as numbers where its build had no stdbool.h, as Debian's does for C++.
#undef bool
#undef false
#undef true
