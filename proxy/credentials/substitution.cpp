#include "proxy/credentials/substitution.h"

#include <algorithm>

#include "proxy/credentials/base64_text.h"
#include "proxy/credentials/field_value.h"
#include "proxy/credentials/percent.h"
#include "proxy/credentials/placeholder_search.h"

namespace weir::proxy {
namespace {

PlaceholderSearch search_for(std::span<const Replacement> replacements, bool policy::Substitution::* place,
                             Escapes escapes) {
  PlaceholderSearch search(escapes);
  search.reserve(replacements.size());
  for (const auto& replacement : replacements)
    if (replacement.where != nullptr && replacement.where->*place) search.add(replacement);
  return search;
}

struct HeadSearch {
  explicit HeadSearch(std::span<const Replacement> replacements)
      : header(search_for(replacements, &policy::Substitution::in_header, Escapes::none)),
        query(search_for(replacements, &policy::Substitution::in_query, Escapes::percent)),
        path(search_for(replacements, &policy::Substitution::in_path, Escapes::percent)) {}
  PlaceholderSearch header, query, path;
};

// A user's name ends at the first colon (RFC 7617 §2), so none may come into it with a value.
bool splits_user(std::string_view pair, const PlaceholderSearch& search) {
  const auto colon = pair.find(':');
  if (colon == std::string_view::npos) return false;
  const auto user = pair.substr(0, colon);
  for (PlaceholderSearch::Cursor cursor;;) {
    const auto found = search.next(user, cursor, true);
    if (found.what == nullptr) return false;
    if (found.what->secret.find(':') != std::string_view::npos) return true;
  }
}

// Writes the whole field's value where its Basic credentials hold a placeholder; else nothing.
Result<std::size_t> replace_in_basic(std::string_view value, const PlaceholderSearch& search, WipedText& out) {
  const auto credentials = basic_credentials(value);
  const auto pair = credentials.empty() ? std::nullopt : base64_text(credentials);
  if (!pair) return 0;
  WipedText replaced;
  auto count = search.replace_all(pair->view(), replaced);
  if (!count || *count == 0) return count;
  if (has_controls(replaced.view())) return unusable("cannot stand in Basic credentials: it has control characters");
  if (splits_user(pair->view(), search)) return unusable("cannot stand in Basic credentials as their user: it has a colon");
  out.append(value.substr(0, static_cast<std::size_t>(credentials.data() - value.data())));
  append_base64(replaced.view(), out);
  return count;
}

Result<std::size_t> replace_in_headers(DraftRequest& draft, const PlaceholderSearch& search) {
  std::size_t total = 0;
  for (auto& field : draft.headers) {
    WipedText value;
    auto count = replace_in_basic(field.value, search, value);
    if (count && *count == 0) count = search.replace_all(field.value, value);
    if (!count) return count;
    if (*count == 0) continue;
    if (!is_usable_field_value(value.view()))
      return unusable("cannot stand in a header: it has control characters, or white space at an end");
    field.value = draft.keep(std::move(value));
    total += *count;
  }
  return total;
}

// Whether values made a segment of the path "." or "..", which every server resolves (RFC 3986 §5.2.4), escaped or not.
bool has_dot_segment(std::string_view path) {
  for (;;) {
    const auto end = path.find('/');
    const auto segment = path.substr(0, end);
    if (is_name(segment, ".") || is_name(segment, "..")) return true;
    if (end == std::string_view::npos) return false;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<std::uint32_t> placeholders_in(const DraftRequest& draft, std::span<const Replacement> replacements) {
  std::vector<std::uint32_t> ids;
  const auto look = [&](std::string_view text, const PlaceholderSearch& search) {
    bool any = false;
    for (PlaceholderSearch::Cursor cursor; !search.empty();) {
      const auto found = search.next(text, cursor, true);
      if (found.what == nullptr) break;
      any = true;
      if (std::find(ids.begin(), ids.end(), found.what->id) == ids.end()) ids.push_back(found.what->id);
    }
    return any;
  };
  const HeadSearch search(replacements);
  for (const auto& field : draft.headers) {
    const auto credentials = basic_credentials(field.value);
    const auto pair = credentials.empty() ? std::nullopt : base64_text(credentials);
    if (!pair || !look(pair->view(), search.header)) look(field.value, search.header);
  }
  look(draft.query, search.query);
  look(draft.path, search.path);
  return ids;
}

Result<std::size_t> replace_in_head(DraftRequest& draft, std::span<const Replacement> replacements) {
  const HeadSearch search(replacements);
  std::size_t total = 0;
  if (!search.header.empty()) {
    auto count = replace_in_headers(draft, search.header);
    if (!count) return count;
    total += *count;
  }
  const auto replace = [&](std::string_view& text, const PlaceholderSearch& places) -> Result<std::size_t> {
    if (places.empty()) return 0;
    WipedText out;
    auto count = places.replace_all(text, out);
    if (count && *count != 0) text = draft.keep(std::move(out));
    return count;
  };
  const auto in_query = replace(draft.query, search.query);
  if (!in_query) return in_query;
  const auto in_path = replace(draft.path, search.path);
  if (!in_path) return in_path;
  if (*in_path != 0 && has_dot_segment(draft.path)) return unusable("cannot stand in a path: it makes a segment of dots");
  return total + *in_query + *in_path;
}

}  // namespace weir::proxy
