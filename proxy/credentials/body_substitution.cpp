#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "proxy/credentials/placeholder_search.h"
#include "proxy/credentials/substitution.h"

namespace weir::proxy {
namespace {

Escapes escapes_in(BodyKind kind) {
  return kind == BodyKind::json ? Escapes::json : kind == BodyKind::form ? Escapes::percent : Escapes::none;
}

}  // namespace

BodyKind body_kind(std::string_view content_type, std::string_view content_encoding) {
  const auto encoding = trim(content_encoding);
  if (!encoding.empty() && !equals_ignoring_case(encoding, "identity")) return BodyKind::other;
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  const auto is_any_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), type) != names.end();
  };
  if (type == "application/x-www-form-urlencoded") return BodyKind::form;
  if (type.ends_with("+json") || is_any_of({"application/json", "text/json", "application/x-ndjson", "application/ndjson",
                                            "application/jsonl", "application/json-lines", "application/json-seq"}))
    return BodyKind::json;
  if (type.starts_with("text/") || type.starts_with("multipart/") || type.ends_with("+xml") || type.ends_with("+yaml") ||
      is_any_of({"application/xml", "application/graphql", "application/javascript", "application/yaml",
                 "application/x-yaml", "application/toml", "application/sql"}))
    return BodyKind::text;
  return BodyKind::other;
}

BodySubstitution::BodySubstitution(BodyKind kind, std::span<const Replacement> replacements) {
  if (kind == BodyKind::other) return;
  for (const auto& replacement : replacements)
    if (replacement.where != nullptr && replacement.where->in_body) replacements_.push_back(replacement);
  auto search = std::make_unique<PlaceholderSearch>(escapes_in(kind));
  for (const auto& replacement : replacements_) search->add(replacement);
  if (!search->empty()) search_ = std::move(search);
}

// The vector's elements stay where they are when it is moved, so the search's pointers hold.
BodySubstitution::BodySubstitution(BodySubstitution&&) noexcept = default;
BodySubstitution& BodySubstitution::operator=(BodySubstitution&&) noexcept = default;
BodySubstitution::~BodySubstitution() = default;

bool BodySubstitution::looks() const { return search_ != nullptr; }

Result<void> BodySubstitution::feed(std::string_view piece, bool last, WipedText& out) {
  if (!search_) {
    out.append(piece);
    return {};
  }
  const bool joined = !held_.empty();
  if (joined) held_.append(piece);
  const std::string_view text = joined ? held_.view() : piece;
  PlaceholderSearch::Cursor cursor{0, open_digits_};
  std::size_t done = 0;
  for (;;) {
    const auto found = search_->next(text, cursor, last);
    out.append(text.substr(done, found.begin - done));
    done = found.end;
    if (found.what == nullptr) break;
    if (auto appended = search_->append_value(*found.what, out); !appended) return appended;
    ++replaced_;
  }
  open_digits_ = last ? std::uint8_t{0} : cursor.open_digits;
  if (joined)
    held_.keep_from(done);
  else
    held_.append(text.substr(done));
  return {};
}

}  // namespace weir::proxy
