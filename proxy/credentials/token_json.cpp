#include <algorithm>

#include "proxy/credentials/token_edits.h"

namespace weir::proxy {
namespace {

using Kind = SecretJson::Kind;

// The member of that path, if it is there.
Result<std::optional<SecretJson>> at_path(const SecretJson& root, std::string_view path) {
  SecretJson here = root;
  for (;;) {
    const auto dot = path.find('.');
    const auto name = path.substr(0, dot);
    if (!here.is(Kind::object)) return std::nullopt;
    const auto names = here.names();
    // SECURITY: G2, of two members one is weir's and the other might be the sandbox's.
    if (std::count(names.begin(), names.end(), name) > 1)
      return unreadable("the member `" + std::string(name) + "` stands twice");
    const auto member = here.member(name);
    if (!member || dot == std::string_view::npos) return member;
    here = *member;
    path.remove_prefix(dot + 1);
  }
}

std::int64_t expires_in(const SecretJson& root) {
  const auto member = root.member("expires_in");
  if (!member) return 0;
  if (member->is(Kind::number)) return whole_seconds(member->raw());
  return member->is(Kind::string) ? whole_seconds(member->raw().substr(1, member->raw().size() - 2)) : 0;
}

}  // namespace

Result<CaughtAnswer> catch_in_json(const SecretJson& root, std::string_view body, std::span<const TokenPlace> places) {
  TokenEdits edits;
  for (const auto& place : places) {
    const auto member = at_path(root, place.member);
    if (!member) return std::unexpected(member.error());
    if (!*member || (*member)->is(Kind::null) || (*member)->is(Kind::boolean)) continue;
    if (!(*member)->is(Kind::string)) return unreadable("the member `" + std::string(place.member) + "` is no string");
    Secret token = (*member)->text();
    if (token.empty() || token.reveal() == place.placeholder) continue;
    const auto begin = static_cast<std::size_t>((*member)->raw().data() - body.data());
    const Secret written = quoted_json(place.placeholder);
    edits.add(begin, begin + (*member)->raw().size(), place, std::move(token), std::string(written.reveal()));
  }
  return std::move(edits).apply(body, expires_in(root));
}

}  // namespace weir::proxy
