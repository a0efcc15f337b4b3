// A request's head on its way upstream, while credentials are put into it. What the gate writes in the end is this.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "base/header_field.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy {

struct DraftRequest {
  std::string_view method;
  std::string_view host;       // canonical
  std::uint16_t port = 443;
  bool tls = true;
  std::string_view authority;  // what Host will say
  std::string_view path;       // as it goes on the wire; begins with '/'
  std::string_view query;      // without its '?'
  bool has_query = false;      // there is a '?', though nothing may stand behind it
  std::vector<HeaderField> headers;  // end to end ones (RFC 9110 §7.6.1), without Host, Content-Length and Expect

  // Keeps text as long as the draft lives, and gives a view of it.
  std::string_view keep(WipedText text) {
    texts_.push_back(std::move(text));
    return texts_.back().view();
  }

 private:
  std::deque<WipedText> texts_;
};

}  // namespace weir::proxy
