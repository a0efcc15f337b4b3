// Forms of tokens, and what distinguishes a token from an example of one.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <charconv>

#include "proxy/leaks/token_match.h"

namespace weir::proxy::leaks {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || is_lower(c); }
char lower(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

bool in_set(char set, char c) {
  switch (set) {
    case 'a': return is_alnum(c);
    case 'w': return is_alnum(c) || c == '_' || c == '-';
    case 'h': return is_digit(c) || (c >= 'a' && c <= 'f');
    case 'H': return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
    case 'u': return is_digit(c) || is_upper(c);
    case 'd': return is_digit(c);
    case 'b': return is_alnum(c) || c == '+' || c == '/';
    default: return false;
  }
}

struct Run {
  char set = '\0';
  std::size_t least = 0, most = 0;
};

// Takes "%a{3,5}" from the front of a form; the shapes are constants of ours, a test reads them all.
Run take_run(std::string_view& form) {
  Run run{.set = form[1]};
  const char* at = form.data() + 3;
  const char* const end = form.data() + form.size();
  at = std::from_chars(at, end, run.least).ptr;
  run.most = run.least;
  if (*at == ',') at = std::from_chars(at + 1, end, run.most).ptr;
  form.remove_prefix(static_cast<std::size_t>(at + 1 - form.data()));
  return run;
}

constexpr std::array<std::string_view, 14> kWords{"example", "placeholder", "xxxx", "redacted", "dummy", "fake", "your", "sample", "changeme", "not-a-", "notreal", "abcdefg", "1234567", "deadbeef"};

}  // namespace

FormMatch match_form(std::string_view form, std::string_view bytes, bool last) {
  std::size_t at = 0;
  const FormMatch runs_out{.kind = last ? FormMatch::Kind::no : FormMatch::Kind::more};
  while (!form.empty()) {
    if (form.front() != '%') {
      if (at == bytes.size()) return runs_out;
      if (bytes[at] != form.front()) return {};
      form.remove_prefix(1);
      ++at;
      continue;
    }
    const Run run = take_run(form);
    std::size_t size = 0;
    while (size < run.most && at + size < bytes.size() && in_set(run.set, bytes[at + size])) ++size;
    const bool at_end = at + size == bytes.size();
    if (size < run.least) return at_end ? runs_out : FormMatch{};
    // A token of one length is no piece of a longer run; one of any length may be longer than those that are known.
    if (form.empty() && run.least == run.most && !at_end && in_set(run.set, bytes[at + size])) return {};
    if (form.empty() && at_end && !last && (size < run.most || run.least == run.most)) return runs_out;
    at += size;
  }
  return {.kind = FormMatch::Kind::yes, .size = at};
}

bool looks_made_up(std::string_view token) {
  std::bitset<256> seen;
  std::size_t same = 1;
  for (std::size_t i = 0; i < token.size(); ++i) {
    seen.set(static_cast<unsigned char>(token[i]));
    same = i > 0 && token[i] == token[i - 1] ? same + 1 : 1;
    if (same >= 6) return true;
  }
  const bool hex = std::all_of(token.begin(), token.end(), [](char c) { return in_set('H', c); });
  if (seen.count() < (hex ? std::min<std::size_t>(7, token.size() / 3) : std::min<std::size_t>(14, token.size() / 3 + 1))) return true;
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return std::search(token.begin(), token.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; }) != token.end();
  });
}

bool ends_in_crc32(std::string_view token) {
  constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kSum = 6;
  if (token.size() <= kSum) return false;
  const auto body = token.substr(0, token.size() - kSum);
  auto sum = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
  for (std::size_t i = token.size(); i > body.size(); --i, sum /= 62)
    if (token[i - 1] != kBase62[sum % 62]) return false;
  return true;
}

}  // namespace weir::proxy::leaks
