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

TEST(Import, ReadsQuotedValuesOverSeveralLines) {
  const std::string pem = "-----BEGIN PRIVATE KEY-----\nMIIE+/=\n-----END PRIVATE KEY-----";
  EXPECT_EQ(env("KEY=\"" + pem + "\"\nB=1"), "KEY=" + pem + ";B=1;");
  EXPECT_EQ(env("KEY='" + pem + "\n' # c\nB=1"), "KEY=" + pem + "\n;B=1;");
  EXPECT_EQ(env("A='x # no comment\n\nB=2'\n"), "A=x # no comment\n\nB=2;");
}

TEST(Import, ReadsWhatOtherSystemsWrite) {
  EXPECT_EQ(env("\xef\xbb\xbf" "A=1\r\nB=\"two\r\nlines\"\r\nC='x'\r\n"), "A=1;B=two\nlines;C=x;");
  EXPECT_EQ(env("A=1\r\r\nB=2"), "A=1;B=2;");
  EXPECT_EQ(env("  A\t=\t 1 \t# c\nexport\tB=2\nexport=3"), "A=1;B=2;export=3;");
  EXPECT_EQ(json("\xef\xbb\xbf{\"a\": \"1\"}"), "a=1;");
}

TEST(Import, KeepsBackslashesThatEscapeNothing) {
  EXPECT_EQ(env(R"(A="a\tb\d\\e\`")"), "A=a\tb\\d\\e`;");
  EXPECT_EQ(env(R"(A='a\tb\')"), R"(A=a\tb\;)");
  EXPECT_EQ(env(R"(A=a\tb"c)"), R"(A=a\tb"c;)");
}

TEST(Import, NamesTheLineWhereAQuoteOpensAndCountsThoseInside) {
  EXPECT_THAT(env("A='1\n2\n3'\nB='secret\n\n"), HasSubstr("!line 4: the quote that opens here"));
  EXPECT_THAT(env("A='1\n2' secret"), HasSubstr("!line 2: there is more"));
}

TEST(Import, ShowsNothingOfAValueThatStandsWhereANameShould) {
  for (const std::string text : {"KEY=-----BEGIN\nSECRETsecret/+=\n", "secret value=x", "a\n", "secret\x1b[2J=x", "1secret=x", "\"secret\"=x"}) {
    EXPECT_EQ(env(text)[0], '!') << text;
    EXPECT_THAT(env(text), Not(HasSubstr("ecret")));
  }
}

TEST(Import, RefusesNamesThatComeTwice) {
  EXPECT_EQ(env("A=1\nB='\n'\nA=secret"), "!line 4: A is here for the second time, after line 1");
  EXPECT_THAT(json(R"({"a": "secret", "b": "x", "a": "secret"})"), HasSubstr("!`a` is there twice"));
}

TEST(Import, RefusesMoreValuesThanMemoryCanBeLockedFor) {
  std::string many, object = "{";
  for (int i = 0; i < 4097; ++i) {
    many += "A" + std::to_string(i) + "=x\n";
    object += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"x\"";
  }
  EXPECT_THAT(env(many), HasSubstr("!it has more than 4096 values"));
  EXPECT_THAT(json(object + "}"), HasSubstr("!it has more than 4096 values"));
}

TEST(Import, TakesAnyOctetsWithoutQuotesOrIn) {
  for (int octet = 1; octet < 256; ++octet) {
    const std::string c(1, static_cast<char>(octet));
    if (c == "'") continue;
    EXPECT_EQ(env("A='x" + c + "y'"), "A=x" + c + "y;") << octet;
  }
  EXPECT_EQ(env(std::string("A='x\0y'", 7)), std::string("A=x\0y;", 6));
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
