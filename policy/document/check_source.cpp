// Where a credential's value comes from: `from`, `ttl`.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "policy/document/characters.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxText = 4096;

// Behind `exec:`: a JSON list of words, or the program alone. Nothing is split at spaces, so nothing can be split wrongly.
std::optional<Problem> check_command(std::string_view text) {
  const std::string example = "for instance: from: {exec: [/usr/bin/pass, show, github]}";
  std::string program(text);
  if (text.starts_with('[')) {
    const auto words = nlohmann::json::parse(text, nullptr, false);
    if (!words.is_array() || words.empty() || !std::ranges::all_of(words, [](const auto& word) { return word.is_string(); }))
      return Problem{"`exec:` has a list that is not a JSON list of words", example};
    for (const auto& word : words)
      if (word.template get_ref<const std::string&>().find('\0') != std::string::npos)
        return Problem{"`exec` has a NUL in it", example};
    program = words.front().get<std::string>();
  } else if (text.find(' ') != std::string_view::npos) {
    return Problem{"`exec:` takes a program without arguments, and this has a space in it", example};
  }
  if (!program.starts_with('/'))
    return Problem{fmt::format("`{}` is not the absolute path of a program", printable(program, 100)), example};
  return std::nullopt;
}

// Behind `vault:`: PATH[?PARAMETERS]#FIELD.
std::optional<Problem> check_vault_path(std::string_view text) {
  const std::string example = "for instance: from: \"vault:secret/data/github#token\"";
  const auto hash = text.find('#');
  const auto path = text.substr(0, std::min(text.find('?'), hash));
  if (hash == std::string_view::npos || hash + 1 == text.size())
    return Problem{"`vault:` names no field", example + "; write it in quotes, for a # begins a comment in YAML"};
  const auto segments = split(path, '/');
  const bool good = segments.size() >= 2 && std::ranges::none_of(segments, [](std::string_view segment) {
    return segment.empty() || segment == "." || segment == ".." || segment.find_first_of("%\\ ") != std::string_view::npos;
  });
  if (!good) return Problem{fmt::format("`{}` is not a path in Vault", printable(path, 100)), example};
  const auto parameters = path.size() < hash ? text.substr(path.size() + 1, hash - path.size() - 1) : std::string_view();
  if (path.size() < hash && parameters.empty()) return Problem{"there is nothing behind the `?`", example};
  if (parameters.empty()) return std::nullopt;
  for (const auto parameter : split(parameters, '&'))
    if (parameter.find('=') == std::string_view::npos || parameter.front() == '=')
      return Problem{fmt::format("`{}` is not NAME=VALUE", printable(parameter, 100)), example};
  return std::nullopt;
}

// Behind `store:`: ENTRY or ENTRY@VERSION, entries as the store names them.
std::optional<Problem> check_entry(std::string_view text) {
  const auto at = text.find('@');
  const auto entry = text.substr(0, at);
  const auto edge = [](char c) { return c == '/' || c == '.'; };
  if (!is_word(entry, "._-/", 128) || edge(entry.front()) || edge(entry.back()))
    return Problem{fmt::format("`{}` is not the name of an entry in the store", printable(entry, 100)),
                   "up to 128 letters, digits, and . _ - / may be used; . and / not at its ends"};
  if (at == std::string_view::npos) return std::nullopt;
  const auto version = text.substr(at + 1);
  if (is_number(version, 18)) return std::nullopt;
  return Problem{fmt::format("`{}` is not the number of a version", printable(version, 100)),
                 "for instance: from: store:github@3; without `@` it is the newest"};
}

}  // namespace

std::optional<Problem> check_ttl(const Credential& credential) {
  if (credential.ttl_seconds == 0 || credential.from.starts_with("exec:") || credential.from.starts_with("vault:"))
    return std::nullopt;
  return Problem{"`ttl` goes with `from: exec:` and `from: vault:` only", "a value from env:, file: or store: has no end of its own"};
}

std::optional<Problem> check_source(std::string_view from) {
  const auto colon = from.find(':');
  const auto scheme = from.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view() : from.substr(colon + 1);
  constexpr std::array<std::string_view, 5> known = {"env", "file", "store", "exec", "vault"};
  const std::string example = "write env:NAME, file:PATH, store:ENTRY, exec:PROGRAM or vault:PATH#FIELD";
  if (colon == std::string_view::npos || std::ranges::find(known, scheme) == known.end()) {
    const auto near = colon == std::string_view::npos ? std::nullopt : nearest(scheme, known);
    return Problem{fmt::format("`{}` does not say where the secret comes from", printable(from, 100)),
                   near ? fmt::format("did you mean `{}:{}`?", *near, printable(rest, 100)) : example};
  }
  if (rest.empty()) return Problem{fmt::format("`{}:` names nothing", scheme), example};
  if (from.size() > kMaxText ||
      std::ranges::any_of(rest, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return Problem{"`from` has control characters or is longer than 4096", example};
  if (scheme == "env") {
    if (is_digit(rest.front()) || !is_word(rest, "_", kMaxText))
      return Problem{fmt::format("`{}` is not the name of an environment variable", printable(rest, 100)),
                     "for instance: from: env:GITHUB_TOKEN"};
  }
  if (scheme == "store") return check_entry(rest);
  if (scheme == "exec") return check_command(rest);
  if (scheme == "vault") return check_vault_path(rest);
  return std::nullopt;
}

std::optional<Problem> check_plain_source(std::string_view source) {
  const auto scheme = source.substr(0, source.find(':') + 1);
  if (scheme == "exec:" || scheme == "vault:")
    return Problem{fmt::format("`{}` is not possible here", scheme), "write env:NAME, file:PATH or store:ENTRY"};
  auto problem = check_source(source);
  if (problem && scheme != "env:" && scheme != "file:" && scheme != "store:") problem->hint = "write env:NAME, file:PATH or store:ENTRY";
  return problem;
}

}  // namespace weir::policy
