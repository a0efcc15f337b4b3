#include "keeper/placeholders.h"

#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/text.h"
#include "launch/logins/form.h"

namespace weir::keeper {
namespace {

constexpr std::string_view kRandom = "{random:";
constexpr std::string_view kClaims = "{claims}";
constexpr std::string_view kMark = "{placeholder:";
// What stands for the claims of a value that is no JWT, or not there yet: {"alg":"none"}.{}
constexpr std::string_view kNoClaims = "eyJhbGciOiJub25lIn0.e30";

void append_random(std::string& out, std::size_t count) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  while (count > 0) {
    unsigned char byte = 0;
    if (RAND_bytes(&byte, 1) != 1) throw std::runtime_error("the system gives no random bytes");
    if (byte >= 4 * kAlphabet.size()) continue;  // each character equally often
    out.push_back(kAlphabet[byte % kAlphabet.size()]);
    --count;
  }
}

bool is_part_of_token(std::string_view part) {
  return !part.empty() && std::ranges::all_of(part, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// The header and the claims of a JWS in compact form (RFC 7515 §7.1); the third part, the signature, is what makes it good for anything.
std::string_view claims_of(std::string_view value) {
  const auto first = value.find('.');
  if (first == std::string_view::npos) return {};
  const auto second = value.find('.', first + 1);
  if (second == std::string_view::npos || value.find('.', second + 1) != std::string_view::npos) return {};
  const auto header = value.substr(0, first);
  const auto claims = value.substr(first + 1, second - first - 1);
  if (!header.starts_with("eyJ") || !is_part_of_token(header) || !is_part_of_token(claims) || !is_part_of_token(value.substr(second + 1))) return {};
  return value.substr(0, second);
}

std::string make(std::string_view shape, std::string_view value) {
  std::string out;
  while (!shape.empty()) {
    if (shape.starts_with(kClaims)) {
      const auto claims = claims_of(value);
      out += claims.empty() ? kNoClaims : claims;
      shape.remove_prefix(kClaims.size());
    } else if (shape.starts_with(kRandom)) {
      const auto end = shape.find('}');
      std::size_t count = 0;
      std::from_chars(shape.data() + kRandom.size(), shape.data() + end, count);  // checked when the policy was loaded
      append_random(out, count);
      shape.remove_prefix(end + 1);
    } else {
      out.push_back(shape.front());
      shape.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> Placeholders::of(const policy::Document& document, const std::function<std::string_view(std::size_t)>& value_of) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < document.credentials.size(); ++i) {
    const auto& credential = document.credentials[i];
    if (!credential.substitutes()) {
      all.emplace_back();
      continue;
    }
    auto& made = made_[{credential.name, credential.substitute.shape}];
    if (made.empty()) made = make(credential.substitute.shape, value_of(i));
    named_[credential.name] = made;
    all.push_back(made);
  }
  return all;
}

Result<std::string> Placeholders::filled(std::string_view text) const {
  std::string out;
  for (auto at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark)) {
    out.append(text.substr(0, at));
    text.remove_prefix(at + kMark.size());
    const auto end = text.find('}');
    const auto mark = launch::inside_mark(text.substr(0, std::min(end, text.size())));
    const auto found = end == std::string_view::npos ? named_.end() : named_.find(std::string(mark.name));
    if (found == named_.end())
      return fail("placeholder_unknown", "`{placeholder:" + printable(text.substr(0, std::min<std::size_t>(end, 80)), 80) +
                                             "}` names no credential of the policy that has a placeholder");
    out += mark.kind == launch::Mark::Kind::encoded ? launch::encoded_placeholder(mark, found->second) : found->second;
    text.remove_prefix(end + 1);
  }
  return out.append(text);
}

Result<void> Placeholders::fill(const policy::Document& document, launch::SandboxSpec& spec) const {
  for (auto& [name, value] : spec.environment) {
    auto with = filled(value);
    if (!with) return std::unexpected(with.error());
    value = std::move(*with);
  }
  for (auto& mount : spec.mounts) {
    if (!mount.content) continue;
    auto with = filled(*mount.content);
    if (!with) return std::unexpected(with.error());
    mount.content = std::move(*with);
  }
  for (const auto& credential : document.credentials) {
    const auto& variable = credential.substitute.env;
    if (!credential.substitutes() || variable.empty()) continue;
    // SECURITY: G2
    if (std::ranges::find(spec.pass_environment, variable) != spec.pass_environment.end())
      return fail("variable_taken", "`--env " + variable + "` would pass the host's own value into the sandbox, where the credential `" + credential.name +
                                        "` puts its placeholder; leave it out");
    spec.environment[variable] = named_.at(credential.name);
  }
  return {};
}

}  // namespace weir::keeper
