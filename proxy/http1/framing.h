// What a head's fields say of where its body ends and whether the connection goes on (RFC 9112 §6, §9.3). One reading, for
// requests and responses; anything that leaves room for a second one is refused. SECURITY: G7.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "proxy/http1/message.h"

namespace weir::proxy {

struct Framing {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool asks_upgrade = false;    // Connection: upgrade
  bool names_protocol = false;  // an Upgrade field
  bool expects_continue = false;
  bool has_host = false;
  std::string_view host;

  bool connection_persists(bool http_1_0) const { return !close && (!http_1_0 || keep_alive); }
};

// Reads one field into `framing`; fields that say nothing of it are passed over. `http_1_0`: the message's version.
// Errors: "bad_content_length", "bad_transfer_encoding", "multiple_hosts".
Result<void> note_field(const Header& header, bool http_1_0, Framing& framing);

}  // namespace weir::proxy
