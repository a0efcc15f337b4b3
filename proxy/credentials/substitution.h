// Puts credentials' values where their placeholders stand (docs/credentials.md). Matching is on a placeholder's exact random
// text, never on a prefix: the leftmost placeholder, and of those that begin at one place the longest. Pure.
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
  std::string_view secret;       // the same; empty where only placeholders_in() is asked, and unusable elsewhere
  const policy::Substitution* where = nullptr;
};

// Which of them the head needs: those whose placeholder stands where it may be replaced (as replace_in_head() would find
// it).
std::vector<std::uint32_t> placeholders_in(const DraftRequest& draft, std::span<const Replacement> replacements);

// Headers' values, also inside the base64 of any field whose value is `Basic …` (RFC 7617), in user and password; the query
// and the path, raw or percent-encoded, where the value goes in percent-encoded, '/' too. Gives how many were replaced.
// "credential_unusable": a value that cannot stand there (controls in a header, a colon in a user of Basic, a path's whole
// segment that is "." or ".."); the draft is then not to be sent.
Result<std::size_t> replace_in_head(DraftRequest& draft, std::span<const Replacement> replacements);

// How text stands in a body: in JSON as RFC 8259 §7 escapes it (also `\/` and `\u002f`), in a form percent-encoded
// (application/x-www-form-urlencoded), else as it is: in XML and HTML too, whose character references are neither read nor
// written, and in multipart, whose boundaries are not looked at.
// other: not text, or encoded (gzip …); nothing is replaced there.
enum class BodyKind : std::uint8_t { json, form, text, other };
BodyKind body_kind(std::string_view content_type,
                   std::string_view content_encoding);  // multipart/form-data, XML, text/*: text

class PlaceholderSearch;

// One body (or one direction of a WebSocket's text messages) from beginning to end. For messages of which nobody says what
// they are, `json` serves: placeholders that stand as they are are found the same, and tokens have nothing to escape.
class BodySubstitution {
 public:
  BodySubstitution(BodyKind kind, std::span<const Replacement> replacements);  // those with in_body
  BodySubstitution(BodySubstitution&&) noexcept;
  BodySubstitution& operator=(BodySubstitution&&) noexcept;
  ~BodySubstitution();
  // Whether anything can be replaced at all; else feed() hands everything on.
  bool looks() const;
  // What may go on is appended to `out`, with the values in it; what may be the start of a placeholder is held back: less
  // than the longest placeholder is with all its characters escaped. With `last` (of the body or message) all goes on, and
  // it may begin anew. "credential_unusable": the value is empty, or no UTF-8 where JSON has it; the body is then not to go
  // on.
  Result<void> feed(std::string_view piece, bool last, WipedText& out);
  std::size_t replaced() const { return replaced_; }

 private:
  std::vector<Replacement> replacements_;
  std::unique_ptr<PlaceholderSearch> search_;  // of them; none: nothing is looked for
  WipedText held_;
  std::uint8_t open_digits_ = 0;  // of an escape in which the last piece ended
  std::size_t replaced_ = 0;
};

}  // namespace weir::proxy
