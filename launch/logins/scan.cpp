#include "launch/logins/scan.h"

#include <set>

#include "base/secret_json.h"
#include "launch/logins/lines.h"

namespace weir::launch {
namespace {

// `within`: what all views of the JSON are views of. The depth is bounded by SecretJson.
bool walk(const SecretJson& json, const char* begin, std::vector<std::string>& path, std::vector<FoundValue>& found) {
  using Kind = FoundValue::Kind;
  const auto raw = json.raw();
  const auto from = static_cast<std::size_t>(raw.data() - begin);
  switch (json.kind()) {
    case SecretJson::Kind::string:
      found.push_back({path, from + 1, raw.size() - 2, Kind::json});
      return true;
    case SecretJson::Kind::object: {
      found.push_back({path, from, raw.size(), Kind::object});
      std::set<std::string> names;
      for (auto& [name, value] : json.members()) {
        if (!names.insert(name).second) return false;
        path.push_back(name);
        if (!walk(value, begin, path, found)) return false;
        path.pop_back();
      }
      return true;
    }
    case SecretJson::Kind::array: {
      found.push_back({path, from, raw.size(), Kind::array});
      path.emplace_back("[]");
      for (const auto& item : json.items())
        if (!walk(item, begin, path, found)) return false;
      path.pop_back();
      return true;
    }
    default:
      found.push_back({path, from, raw.size(), Kind::other});
      return true;
  }
}

}  // namespace

Result<std::vector<FoundValue>> scan_json(std::string_view text) {
  const auto json = SecretJson::parse(text);
  if (!json || !json->is(SecretJson::Kind::object)) return fail("login_unreadable", "it is not a JSON object");
  std::vector<FoundValue> found;
  std::vector<std::string> path;
  if (!walk(*json, text.data(), path, found)) return fail("login_unreadable", "a name stands twice in the same object");
  return found;
}

// https://USER:PASSWORD@HOST/PATH in each line, as git-credential-store(1) writes them.
Result<std::vector<FoundValue>> scan_urls(std::string_view text) {
  Values values;
  const auto done = each_line(text, [&](std::size_t number, Span line) -> Result<void> {
    const auto url = line.in(text);
    if (url.empty() || url[0] == '#') return {};
    const auto scheme = url.find("://");
    const auto end = scheme == std::string_view::npos ? 0 : std::min(url.find('/', scheme + 3), url.size());
    const auto at = url.substr(0, end).rfind('@');
    const auto colon = scheme == std::string_view::npos ? scheme : url.find(':', scheme + 3);
    if (scheme == std::string_view::npos || at == std::string_view::npos || colon == std::string_view::npos || colon > at ||
        url.find_first_of(" \t") != std::string_view::npos)
      return unreadable(number, "it is not a URL with a user and a password");
    const std::string host(url.substr(0, scheme + 3));
    return values.add(number, {host + std::string(url.substr(at + 1)), std::string(url.substr(scheme + 3, colon - scheme - 3))},
                      {line.from + colon + 1, at - colon - 1}, FoundValue::Kind::percent);
  });
  if (!done) return std::unexpected(done.error());
  return values.take();
}

Result<std::vector<FoundValue>> scan(LoginFormat format, std::string_view text) {
  switch (format) {
    case LoginFormat::json:
      return scan_json(text);
    case LoginFormat::yaml:
      return scan_yaml(text);
    case LoginFormat::ini:
      return scan_ini(text);
    case LoginFormat::npmrc:
      return scan_npmrc(text);
    case LoginFormat::urls:
      return scan_urls(text);
  }
  return fail("login_unreadable", "a format that weir does not know");
}

}  // namespace weir::launch
