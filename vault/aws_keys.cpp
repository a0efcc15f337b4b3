#include "vault/aws_keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/secret_json.h"
#include "base/text.h"

namespace weir::vault {
namespace {

std::unexpected<Error> unreadable(std::string what) {
  return fail("aws_keys_unreadable", "the value holds no AWS keys: " + std::move(what) +
                                         "; what is understood is JSON with AccessKeyId and SecretAccessKey, one section of ~/.aws/credentials, or two or three "
                                         "lines (id, secret, token)");
}

enum Part : std::size_t { kId, kSecret, kToken };
using Views = std::array<std::string_view, 3>;

// SECURITY: G2, put together in locked memory, of views alone.
Result<Secret> put_together(const Views& parts) {
  if (parts[kId].empty()) return unreadable("the access key id is missing");
  if (parts[kSecret].empty()) return unreadable("the secret key is missing");
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  std::size_t size = 0;
  for (const auto part : parts) {
    if (!std::all_of(part.begin(), part.end(), visible)) return unreadable("a part of it holds white space or what is not ASCII");
    size += part.empty() ? 0 : part.size() + 1;
  }
  Secret out = Secret::of_size(size - 1);
  char* to = out.data();
  for (const auto part : parts) {
    if (part.empty()) continue;
    if (to != out.data()) *to++ = '\n';
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return out;
}

struct Names {
  std::vector<std::string_view> id, secret, token;
};
const Names kJsonNames{{"AccessKeyId", "accessKeyId", "access_key"},
                       {"SecretAccessKey", "secretAccessKey", "secret_key"},
                       {"SessionToken", "sessionToken", "Token", "security_token", "session_token"}};

std::optional<SecretJson> first_of(const SecretJson& object, const std::vector<std::string_view>& names) {
  for (const auto name : names)
    if (auto found = object.member(name); found && !found->is(SecretJson::Kind::null)) return found;
  return std::nullopt;
}

Result<Secret> from_json(std::string_view text) {
  const auto json = SecretJson::parse(text);
  if (!json || !json->is(SecretJson::Kind::object)) return unreadable("it begins like JSON and is none");
  SecretJson object = *json;
  for (const auto name : {"Credentials", "roleCredentials", "AccessKey", "data"}) {
    if (first_of(object, kJsonNames.id)) break;
    if (auto inner = json->member(name); inner && inner->is(SecretJson::Kind::object)) object = *inner;
  }
  std::array<Secret, 3> parts;
  for (std::size_t i = 0; const auto* names : {&kJsonNames.id, &kJsonNames.secret, &kJsonNames.token}) {
    if (const auto found = first_of(object, *names)) {
      if (!found->is(SecretJson::Kind::string)) return unreadable("what should be text in the JSON is something else");
      parts[i] = found->text();
    }
    ++i;
  }
  return put_together({parts[kId].reveal(), parts[kSecret].reveal(), parts[kToken].reveal()});
}

// A setting of the keys ("aws_access_key_id = …", "export AWS_ACCESS_KEY_ID=…"); nothing for any other line.
struct Setting {
  Part part;
  std::string_view value;
};
std::optional<Setting> setting(std::string_view line) {
  static constexpr std::string_view kExport = "export ";
  if (line.starts_with(kExport)) line.remove_prefix(kExport.size());
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto name = trim(line.substr(0, equals));
  const auto value = trim(line.substr(equals + 1));
  if (equals_ignoring_case(name, "aws_access_key_id")) return Setting{kId, value};
  if (equals_ignoring_case(name, "aws_secret_access_key")) return Setting{kSecret, value};
  // The second is what old tools write.
  if (equals_ignoring_case(name, "aws_session_token") || equals_ignoring_case(name, "aws_security_token")) return Setting{kToken, value};
  return std::nullopt;
}

Result<Secret> from_settings(const std::vector<std::string_view>& lines) {
  Views parts;
  int sections = 0;
  for (const auto line : lines) {
    if (line.starts_with('[') && ++sections > 1) return unreadable("it has several profiles, and which one is meant is not said");
    const auto found = setting(line);
    if (!found) continue;
    auto& part = parts[found->part];
    if (!part.empty() && part != found->value) return unreadable("it sets one of the keys twice");
    part = found->value;
  }
  return put_together(parts);
}

bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with(';'); }

}  // namespace

Result<Secret> aws_keys(const Secret& value) {
  const auto text = trim(value.reveal());
  if (text.empty()) return unreadable("it is empty");
  if (text.starts_with('{')) return from_json(text);
  std::vector<std::string_view> lines;
  for (const auto line : split(text, '\n'))
    if (const auto trimmed = trim(line); !trimmed.empty() && !is_comment(trimmed)) lines.push_back(trimmed);
  if (lines.empty()) return unreadable("it is empty");
  if (lines.front().starts_with('[') || setting(lines.front())) return from_settings(lines);
  if (lines.size() != 2 && lines.size() != 3) return unreadable("it has " + std::to_string(lines.size()) + (lines.size() == 1 ? " line" : " lines"));
  return put_together({lines[0], lines[1], lines.size() == 3 ? lines[2] : std::string_view()});
}

}  // namespace weir::vault
