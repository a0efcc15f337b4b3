// `oauth`: token endpoints whose answers are caught. `leaks`.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/loading/credential_reader.h"
#include "policy/target.h"

namespace weir::policy {

namespace {

constexpr std::string_view kExample = "for instance: token_url: https://login.example.com/oauth/token";

struct OAuthReader {
  Diagnostics& diagnostics;
  OAuthCapture& capture;
  std::vector<Spot>& kept;
};

// One spelling for each place, as rules and requests have it.
std::optional<Problem> check_token_url(std::string_view url) {
  if (!url.starts_with("https://"))
    return Problem{fmt::format("`{}` is not an https URL", printable(url, 200)), std::string(kExample)};
  if (auto problem = check_base_url(url)) {
    if (url.find('?') != std::string_view::npos) problem->hint = "the path alone says which requests are meant";
    return problem;
  }
  if (url.find('*') != std::string_view::npos)
    return Problem{fmt::format("`{}` has a `*`, and here one URL is meant", printable(url, 200)), std::string(kExample)};
  const auto target = parse_target(url);
  const auto after = url.find('/', std::string_view("https://").size());
  const auto path = after == std::string_view::npos ? std::string_view("/") : url.substr(after);
  if (target->path.wire == path && target->path.decoded == path && path.find('%') == std::string_view::npos) return std::nullopt;
  return Problem{fmt::format("`{}` has a path that is not in its canonical form", printable(url, 200)),
                 target->path.wire == target->path.decoded
                     ? fmt::format("write {}", printable(token_url({target->host, target->port, target->path.decoded, {}, {}}), 200))
                     : std::string(kExample)};
}

void read_token_url(OAuthReader& reader, const YamlNode&, const YamlNode& value) {
  const auto word = read_text(reader.diagnostics, value, "token_url");
  if (!word) return;
  if (const auto problem = check_token_url(word->text)) {
    reader.diagnostics.error(word->place, *problem);
    return;
  }
  auto target = parse_target(word->text);
  reader.capture.host = std::move(target->host);
  reader.capture.port = target->port;
  reader.capture.path = std::move(target->path.decoded);
}

void read_keep(OAuthReader& reader, const YamlNode&, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map || node.entries.empty()) {
    reader.diagnostics.error(node.place, "`keep` must be a map from members of the answer to credentials",
                             "for instance: keep: {access_token: tool-access}");
    return;
  }
  for (const auto& [member, value] : node.entries) {
    if (const auto problem = check_member(member->text)) {
      reader.diagnostics.error(member->place, *problem);
      continue;
    }
    auto word = read_text(reader.diagnostics, *value, "keep");
    if (!word) continue;
    if (const auto problem = check_name("credential", word->text)) {
      reader.diagnostics.error(word->place, *problem);
      continue;
    }
    reader.capture.keep.emplace_back(member->text, std::move(word->text));
    reader.kept.push_back(word->place);
  }
}

Schema url() { return {{"type", "string"}, {"pattern", R"re(^https://[^/?#@\\\s*]+(/[^?#\\\s*%]*)?$)re"}}; }
Schema keep() {
  return {{"type", "object"},
          {"minProperties", 1},
          {"propertyNames", {{"pattern", R"(^[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*$)"}, {"maxLength", 128}}},
          {"additionalProperties", {{"type", {"string", "number"}}, {"pattern", "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"}}}};
}

constexpr Key<OAuthReader> kOAuthKeys[] = {
    {"token_url", "Where tools inside log in and refresh: https://login.example.com/oauth/token", url, read_token_url, true},
    {"keep", "Members of the answer, and the credentials that keep what stands there: {access_token: tool-access}", keep, read_keep, true},
};

constexpr std::array<std::string_view, 4> kLeaks = {"off", "log", "ask", "deny"};  // in the order of Leaks

}  // namespace

void read_oauth(Diagnostics& diagnostics, const YamlNode& node, std::vector<OAuthCapture>& oauth, std::vector<std::vector<Spot>>& kept) {
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    diagnostics.error(node.place, "`oauth` must be a list of token endpoints",
                      "for instance: oauth: [{token_url: https://login.example.com/oauth/token, keep: {access_token: tool-access}}]");
    return;
  }
  for (const YamlNode* item : node.items) {
    auto& capture = oauth.emplace_back();
    capture.place = item->place;
    OAuthReader reader{diagnostics, capture, kept.emplace_back()};
    read_section(diagnostics, *item, "an entry of `oauth`", kOAuthKeys, reader);
  }
}

Leaks read_leaks(Diagnostics& diagnostics, const YamlNode& node) {
  const auto word = read_text(diagnostics, node, "leaks");
  if (!word) return Leaks::log;
  const auto found = std::ranges::find(kLeaks, word->text);
  if (found != kLeaks.end()) return static_cast<Leaks>(found - kLeaks.begin());
  diagnostics.error(word->place, fmt::format("`{}` does not say what becomes of leaks", printable(word->text, 60)),
                    word->text == "false" ? "did you mean `off`?" : suggest(word->text, kLeaks));
  return Leaks::log;
}

Schema oauth_schema() { return {{"type", "array"}, {"minItems", 1}, {"items", section_schema(kOAuthKeys)}}; }

// What YAML 1.1 reads for a plain `off` is false.
Schema leaks_schema() { return {{"enum", {"off", "log", "ask", "deny", false}}}; }

}  // namespace weir::policy
