// What holds for any text: one value of a name, the same however often it is put in, and the same however a body is cut.
#include <gtest/gtest.h>

#include <random>

#include "proxy/credentials/injection.h"
#include "tests/proxy/credentials/credentials_testing.h"

namespace weir::proxy {
namespace {

using namespace test;

class Texts {
 public:
  explicit Texts(unsigned seed) : random_(seed) {}
  std::size_t up_to(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }
  std::string of(const std::vector<std::string>& pieces, std::size_t most) {
    std::string text;
    for (auto left = up_to(most); left > 0; --left) text += pieces[up_to(pieces.size() - 1)];
    return text;
  }

 private:
  std::mt19937 random_;
};

int hex(char c) {
  const auto at = std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(c)));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return out;
}

std::vector<std::string> parts_of(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (separators.find(c) != std::string_view::npos)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

// All values of a name, as each kind of server would read the query.
std::vector<std::string> values_of(std::string_view query, const std::string& name, std::string_view separators,
                                   bool plus_is_space) {
  std::vector<std::string> values;
  for (const auto& part : parts_of(query, separators)) {
    const auto equals = part.find('=');
    if (decode(part.substr(0, equals), plus_is_space) == name)
      values.push_back(equals == std::string::npos ? "" : decode(part.substr(equals + 1), plus_is_space));
  }
  return values;
}

TEST(CredentialProperties, AQueryHasOneValueOfTheNameForEveryReader) {
  Texts texts(1);
  for (int round = 0; round < 20000; ++round) {
    const std::string name = std::vector<std::string>{"k", "ke y", "k+y", "a&b"}[texts.up_to(3)];
    const auto kind = injection(Kind::query, name);
    const std::string secret = texts.of({"a", "&", "=", ";", "+", "%", "/", " ", "\xc3\xa9", "k"}, 6) + "z";
    const std::string query = texts.of(
        {"k", "K", "e", "y", "a", "b", "+", "%20", "%2b", "%2B", "%6b", "%6B", "%26", "%", "=", "=x", "&", "&", ";", "%3d"},
        14);
    DraftRequest draft;
    draft.query = query;
    ASSERT_TRUE(inject(kind, secret, draft));
    const std::string once(draft.query);
    for (const char* separators : {"&", "&;"})
      for (const bool plus_is_space : {false, true})
        ASSERT_EQ(values_of(once, name, separators, plus_is_space), std::vector<std::string>{secret})
            << query << " -> " << once;
    ASSERT_TRUE(inject(kind, secret, draft));
    ASSERT_EQ(draft.query, once) << query;
  }
}

std::string blanks_off(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

TEST(CredentialProperties, CookiesHaveOneValueOfTheName) {
  Texts texts(2);
  const auto kind = injection(Kind::cookie, "sid");
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> fields(texts.up_to(3));
    for (auto& field : fields)
      field = texts.of({"sid", "SID", "s", "a", "b", "=", "=1", ";", "; ", " ", "\t", ",", "\"", "\\", "="}, 12);
    DraftRequest draft;
    for (const auto& field : fields) draft.headers.push_back({"Cookie", field});
    draft.headers.push_back({"Accept", "*/*"});
    ASSERT_TRUE(inject(kind, "weirs", draft));
    const auto once = lines(draft);
    ASSERT_EQ(once.size(), 2U);
    std::size_t weirs = 0;
    for (const auto& part : parts_of(draft.headers[1].value, ";")) {
      const auto equals = part.find('=');
      if (blanks_off(part.substr(0, equals)) == "sid") {
        ASSERT_EQ(blanks_off(part.substr(equals + 1)), "weirs") << once[1];
        ++weirs;
      }
    }
    ASSERT_EQ(weirs, 1U) << once[1];
    ASSERT_TRUE(inject(kind, "weirs", draft));
    ASSERT_EQ(lines(draft), once);
  }
}

TEST(CredentialProperties, InjectingHeadersTwiceIsInjectingOnce) {
  Texts texts(3);
  for (const auto& kind : {injection(Kind::header, "X-K", "a {secret}"), injection(Kind::basic, "", "{secret}", "me")})
    for (int round = 0; round < 500; ++round) {
      std::vector<std::string> names(texts.up_to(5));
      DraftRequest draft;
      for (auto& name : names) {
        name = std::vector<std::string>{"x-k", "X_K", "Authorization", "authorization", "X-Kk", "a"}[texts.up_to(5)];
        draft.headers.push_back({name, "theirs"});
      }
      ASSERT_TRUE(inject(kind, "v", draft));
      const auto once = lines(draft);
      ASSERT_TRUE(inject(kind, "v", draft));
      ASSERT_EQ(lines(draft), once);
      ASSERT_EQ(std::count_if(draft.headers.begin(), draft.headers.end(),
                              [&](const auto& field) { return takes_the_place_of(kind, field.name); }),
                1);
    }
}

// The plain definition: the text as units, each a character as its reader sees it (or none that matters), then the leftmost
// longest.
struct Unit {
  int character;
  std::size_t begin, end;
};
std::vector<Unit> units_of(BodyKind kind, std::string_view text) {
  std::vector<Unit> units;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at++;
    int character = static_cast<unsigned char>(text[begin]);
    const bool json = kind == BodyKind::json && character == '\\', form = kind == BodyKind::form && character == '%';
    std::size_t digits = form ? 2 : 0;
    if (json && at < text.size()) {
      character = text[at] == '/' ? '/' : -1;
      digits = text[at++] == 'u' ? 4 : 0;
    }
    if (digits != 0) {
      int value = 0;
      std::size_t got = 0;
      for (; got < digits && at < text.size() && hex(text[at]) >= 0; ++got) value = value * 16 + hex(text[at++]);
      character = got == digits ? value : -1;
    }
    units.push_back({character, begin, at});
  }
  return units;
}

std::string defined(BodyKind kind, std::string_view text, const std::vector<Replacement>& replacements,
                    const std::vector<std::string>& written) {
  const auto units = units_of(kind, text);
  std::string out;
  for (std::size_t at = 0; at < units.size();) {
    std::size_t longest = 0, which = 0;
    for (std::size_t r = 0; r < replacements.size(); ++r) {
      const auto placeholder = replacements[r].placeholder;
      std::size_t same = 0;
      while (same < placeholder.size() && at + same < units.size() && units[at + same].character == placeholder[same])
        ++same;
      if (same == placeholder.size() && same > longest) longest = same, which = r;
    }
    if (longest == 0) {
      out += text.substr(units[at].begin, units[at].end - units[at].begin);
      ++at;
    } else {
      out += written[which];
      at += longest;
    }
  }
  return out;
}

TEST(CredentialProperties, ABodyIsTheSameHoweverItIsCut) {
  Texts texts(4);
  const std::vector<Replacement> replacements{{1, "aab/+a", "ONE", &kEverywhere},
                                              {2, "aab/+aab", "", &kEverywhere},
                                              {3, "b/+aaa", "a much longer value", &kEverywhere},
                                              {4, "1f2e3d", "4", &kEverywhere}};
  auto usable = replacements;
  usable[1].secret = "2";
  const std::vector<std::string> plain{"ONE", "2", "a much longer value", "4"},
      encoded{"ONE", "2", "a%20much%20longer%20value", "4"};
  const std::vector<std::string> pieces{"aab/+a",  "aab", "aab/+aab", "b/+a", "a",  "b",    "/",   "+",    "\\/", "\\u0061",
                                        "\\u002F", "%61", "%2f",      "%2B",  "\\", "\\\\", "\\u", "\\u0", "%",   "%2",
                                        "1f2e3d",  "1f",  "2e3d",     "3d",   "\"", "\\n",  "x",   "0"};
  std::size_t hits = 0;
  for (int round = 0; round < 30000; ++round) {
    const auto kind = std::vector<BodyKind>{BodyKind::json, BodyKind::form, BodyKind::text}[texts.up_to(2)];
    const std::string text = texts.of(pieces, 24);
    const std::string expected = defined(kind, text, usable, kind == BodyKind::form ? encoded : plain);
    BodySubstitution body(kind, usable);
    WipedText out;
    const std::size_t longest = 1 + texts.up_to(12);
    for (std::size_t at = 0; at < text.size();) {
      const auto size = texts.up_to(longest);
      ASSERT_TRUE(body.feed(std::string(text.substr(at, size)), false, out));
      at += std::min(size, text.size() - at);
    }
    ASSERT_TRUE(body.feed("", true, out));
    ASSERT_EQ(out.view(), expected) << text;
    hits += body.replaced();
  }
  EXPECT_GT(hits, 10000U);
}

}  // namespace
}  // namespace weir::proxy
