#include "policy/body.h"

namespace weir::policy {

QueryParameters parse_query(std::string_view) { return {.sound = false, .parameters = {}}; }

}  // namespace weir::policy
