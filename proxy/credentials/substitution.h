// Puts credentials' values where their placeholders stand (docs/credentials.md). Matching is on a placeholder's exact random text,
// never on a prefix. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/document.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy {

struct Replacement {
  std::uint32_t id = 0;
  std::string_view placeholder;  // outlives its users; at least Needles::kShortest octets of [A-Za-z0-9._~/+=-]
  std::string_view secret;       // the same; empty where only placeholders_in() is asked
  const policy::Substitution* where = nullptr;
};

// Which of them the head needs: those whose placeholder stands where it may be replaced (as replace_in_head() would find it).
std::vector<std::uint32_t> placeholders_in(const DraftRequest& draft, std::span<const Replacement> replacements);

// Headers' values, also inside the base64 of `Authorization: Basic` and `Proxy-Authorization`-like fields (RFC 7617); the query and the path, raw or
// percent-encoded, where the value goes in percent-encoded. Gives how many were replaced. "credential_unusable" as inject() gives it.
Result<std::size_t> replace_in_head(DraftRequest& draft, std::span<const Replacement> replacements);

// How text stands in a body: in JSON as RFC 8259 §7 escapes it, in a form percent-encoded (application/x-www-form-urlencoded), else as it is.
// other: not text; nothing is replaced there.
enum class BodyKind : std::uint8_t { json, form, text, other };
BodyKind body_kind(std::string_view content_type, std::string_view content_encoding);  // multipart/form-data, XML, text/*: text

// One body (or one direction of a WebSocket's text messages) from beginning to end.
class BodySubstitution {
 public:
  BodySubstitution(BodyKind kind, std::span<const Replacement> replacements);  // those with in_body
  // What may go on is appended to `out`, with the values in it; what may be the start of a placeholder is held back. With `last`
  // (of the body or message) all goes on, and it may begin anew.
  Result<void> feed(std::string_view piece, bool last, WipedText& out);
  std::size_t replaced() const { return replaced_; }

 private:
  struct One;
  BodyKind kind_;
  std::vector<Replacement> replacements_;
  WipedText held_;
  std::size_t replaced_ = 0;
};

}  // namespace weir::proxy
