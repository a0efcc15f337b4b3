#include "policy/body.h"

namespace weir::policy {

Reading read_jsonrpc(std::string_view, std::string_view, std::string_view) {
  return {.state = Reading::State::unreadable, .operations = {}, .problem = {}};
}

}  // namespace weir::policy
