#include "vault/import.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "base/secret_json.h"
#include "base/text.h"

namespace weir::vault {
namespace {

constexpr std::size_t kMostValues = 4096;  // each has locked memory of its own

std::unexpected<Error> too_many() {
  return fail("vault_import_invalid", "it has more than " + std::to_string(kMostValues) + " values");
}

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

std::string_view trim_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Walks over the text once, line by line.
class EnvReader {
 public:
  explicit EnvReader(std::string_view text) : rest_(without_mark(text)) {}

  Result<NamedSecrets> read() {
    while (!rest_.empty()) {
      const std::string_view given = trim_blanks(rest_.substr(0, rest_.find('\n')));
      if (given.empty() || given.front() == '#') {
        next_line();
        continue;
      }
      if (auto one = read_one(); !one) return std::unexpected(one.error());
    }
    return std::move(found_);
  }

 private:
  static std::unexpected<Error> at_line(std::size_t line, std::string_view what) {
    return fail("vault_import_invalid", "line " + std::to_string(line) + ": " + std::string(what));
  }

  void next_line() {
    const auto end = rest_.find('\n');
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    ++line_;
  }

  Result<void> read_one() {
    const std::string_view whole = rest_.substr(0, rest_.find('\n'));
    const auto equals = whole.find('=');
    if (equals == std::string_view::npos) return at_line(line_, "no '=' here; write NAME=VALUE");
    std::string_view name = trim_blanks(whole.substr(0, equals));
    if (name.starts_with("export ") || name.starts_with("export\t")) name = trim_blanks(name.substr(7));
    if (name.empty()) return at_line(line_, "no name before the '='");
    if (!is_name(name))
      return at_line(
          line_,
          "what stands before the '=' is not a name of letters, digits and '_'; a value of several lines must be in quotes");
    if (const auto known = lines_.find(name); known != lines_.end())
      return at_line(line_, std::string(name) + " is here for the second time, after line " + std::to_string(known->second));
    lines_.emplace(name, line_);
    if (lines_.size() > kMostValues) return too_many();
    rest_.remove_prefix(equals + 1);
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    auto value = !rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'') ? quoted() : plain();
    if (!value) return std::unexpected(value.error());
    found_.emplace_back(std::string(name), std::move(*value));
    return {};
  }

  Secret plain() {
    std::string_view text = rest_.substr(0, rest_.find('\n'));
    for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
      if (at != 0 && text[at - 1] != ' ' && text[at - 1] != '\t') continue;
      text = text.substr(0, at);
      break;
    }
    Secret value(trim_blanks(text));
    next_line();
    return value;
  }

  static char escaped(char c) { return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c; }

  Result<Secret> quoted() {
    const char quote = rest_.front();
    const std::size_t opened = line_;
    // Until the closing quote is known, so that a missing one does not take as much memory as the rest of the file.
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote) end += quote == '"' && rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return at_line(opened, "the quote that opens here is not closed");
    Secret value = Secret::of_size(end);
    std::size_t size = 0;
    for (std::size_t at = 1; at < end; ++at) {
      char c = rest_[at];
      if (c == '\r' && rest_[at + 1] == '\n') continue;
      if (c == '\n') ++line_;
      if (c == '\\' && quote == '"') {
        c = rest_[++at];
        if (c == '\n') ++line_;
        if (std::string_view("nrt\"\\$`").find(c) == std::string_view::npos) value.data()[size++] = '\\';
        c = escaped(c);
      }
      value.data()[size++] = c;
    }
    value.shrink(size);
    rest_.remove_prefix(end + 1);
    const std::string_view behind = trim_blanks(rest_.substr(0, rest_.find('\n')));
    if (!behind.empty() && behind.front() != '#') return at_line(line_, "there is more after the closing quote");
    next_line();
    return value;
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::map<std::string_view, std::size_t> lines_;
  NamedSecrets found_;
};

}  // namespace

Result<NamedSecrets> parse_env(const Secret& text) { return EnvReader(text.reveal()).read(); }

Result<NamedSecrets> parse_json(const Secret& text) {
  const auto json = SecretJson::parse(without_mark(text.reveal()));
  if (!json || !json->is(SecretJson::Kind::object))
    return fail("vault_import_invalid", "it is not a JSON object of names and values");
  const auto members = json->members();
  if (members.size() > kMostValues) return too_many();
  NamedSecrets found;
  std::set<std::string_view> names;
  for (const auto& [name, value] : members) {
    if (!names.insert(name).second) return fail("vault_import_invalid", "`" + printable(name, 100) + "` is there twice");
    if (!value.is(SecretJson::Kind::string))
      return fail("vault_import_invalid", "the value of `" + printable(name, 100) + "` is not a string");
    found.emplace_back(name, value.text());
  }
  return found;
}

}  // namespace weir::vault
