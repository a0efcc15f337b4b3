#include "vault/import.h"

#include <gmock/gmock.h>

namespace weir::vault {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string flat(const Result<NamedSecrets>& found) {
  if (!found) return "!" + found.error().message;
  std::string out;
  for (const auto& [name, value] : *found) out += name + "=" + std::string(value.reveal()) + ";";
  return out;
}
std::string env(const std::string& text) { return flat(parse_env(Secret(text))); }
std::string json(const std::string& text) { return flat(parse_json(Secret(text))); }

TEST(Import, ReadsEnvFilesAsDotenvDoes) {
  EXPECT_EQ(env("A=1\n\n# no\n  export B = two words \r\nC=\nD=a=b\n"), "A=1;B=two words;C=;D=a=b;");
  EXPECT_EQ(env("A='x # y' # z\nB=\"q\\\"\\n\\$\" \nC=v # c\nD=v#c\nE=# c"), "A=x # y;B=q\"\n$;C=v;D=v#c;E=;");
  EXPECT_EQ(env("A=$HOME\nB='$(id)'"), "A=$HOME;B=$(id);");
  EXPECT_EQ(env(""), "");
}

TEST(Import, NamesTheLineAndNeverTheValue) {
  for (const std::string text :
       {"A=1\nsecret", "A=1\nB=\"secret", "A=1\nB='secret' secret", "A=1\n=secret", "A=1\nB=\"secret\\"}) {
    EXPECT_THAT(env(text), HasSubstr("!line 2: ")) << text;
    EXPECT_THAT(env(text), Not(HasSubstr("secret")));
  }
}

TEST(Import, ReadsOneJsonObjectOfStrings) {
  EXPECT_EQ(json(R"({"a": "1", "b": "x\ny"})"), "a=1;b=x\ny;");
  EXPECT_THAT(json(R"({"a": "secret", "b": 2})"), HasSubstr("!the value of `b`"));
  for (const char* text : {"", "[]", "\"secret\"", "{\"a\":", "{\"a\":{\"b\":\"secret\"}}"}) {
    EXPECT_EQ(json(text)[0], '!') << text;
    EXPECT_THAT(json(text), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace weir::vault
