#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "policy/body.h"

namespace weir::policy {
namespace {

using State = Reading::State;
using Operations = std::vector<Operation>;

Reading read(std::string_view document) { return read_graphql("POST", "", "application/graphql", "", document); }
Reading read_json(std::string_view body) { return read_graphql("POST", "", "application/json", "", body); }
Reading read_url(std::string_view query) { return read_graphql("GET", query, "", "", ""); }

TEST(GraphqlDocument, GivesEachOperationWithItsRootFields) {
  const std::pair<std::string, Operations> cases[] = {
      {"{viewer}", {{"query", "viewer"}}},
      {"query { viewer { login } repo }", {{"query", "viewer"}, {"query", "repo"}}},
      {"mutation Add($a: Int! = 1, $b: [String!]! @d) @x(a: 1) { add(a: $a) { id } }", {{"mutation", "add"}}},
      {"subscription S { events }", {{"subscription", "events"}}},
      {"query A { a } mutation B { b }", {{"query", "a"}, {"mutation", "b"}}},
      {"{ harmless: deleteAll }", {{"query", "deleteAll"}}},
      {"{ a: b: c }", {}},
      {"{ a a b a: b }", {{"query", "a"}, {"query", "b"}}},
      {"{ __typename }", {{"query", "__typename"}}},
      {"{ ... { a } ... on Query { b ... @include(if: true) { c } } }", {{"query", "a"}, {"query", "b"}, {"query", "c"}}},
      {"{ ...F z } fragment F on Query { a ...G } fragment G on Query { b }",
       {{"query", "a"}, {"query", "b"}, {"query", "z"}}},
      {"fragment F on M { gone } mutation { ...F } query { ...F @skip(if: true) }",
       {{"mutation", "gone"}, {"query", "gone"}}},
      {"{ a { ...F } } fragment F on T { b }", {{"query", "a"}}},
      {"query query { query } fragment fragment on on { on }", {{"query", "query"}}},
      {"{ on }", {{"query", "on"}}},
      {"{ a(x: \"} mutation { b\") }", {{"query", "a"}}},
      {"{ a(x: \"\"\" \" \\\"\"\" } # \"\"\") b }", {{"query", "a"}, {"query", "b"}}},
      {"{ a # } mutation { b }\n c }", {{"query", "a"}, {"query", "c"}}},
      {"{ a #\r\n b #\n}#", {{"query", "a"}, {"query", "b"}}},
      {"\xef\xbb\xbf{,a,\xef\xbb\xbf,b\t\r\n}", {{"query", "a"}, {"query", "b"}}},
      {"{a(x:[1 -2.5e+3,0 \"\\u00e9\\u{1F600}\\n\" true null ENUM {a:{},b:[]} $v])}", {{"query", "a"}}},
      {"{a(x:\"\"y:\"\")b}", {{"query", "a"}, {"query", "b"}}},
      {"{_A1}", {{"query", "_A1"}}},
  };
  for (const auto& [document, operations] : cases) {
    const auto reading = read(document);
    EXPECT_EQ(reading.operations, operations) << document << reading.problem;
    EXPECT_EQ(reading.state, operations.empty() ? State::unreadable : State::read) << document;
  }
}

TEST(GraphqlDocument, SaysWhyItDoesNotRead) {
  const std::pair<std::string, std::string> cases[] = {
      {" ", "the document is empty"},
      {"{", "the document ends too early"},
      {"{}", "`}` has no place where it stands"},
      {"query", "the document ends too early"},
      {"{a}}", "`}` has no place where it stands"},
      {"{a b(}", "`}` has no place where it stands"},
      {"{a()}", "`)` has no place where it stands"},
      {"query () {a}", "`)` has no place where it stands"},
      {"query ($a: Int = $b) {a}", "`$` has no place where it stands"},
      {"query ($a: Int @d(x: $b)) {a}", "`$` has no place where it stands"},
      {"query ($a: Int!!) {a}", "`!` has no place where it stands"},
      {"{a: }", "`}` has no place where it stands"},
      {"{...}", "`}` has no place where it stands"},
      {"{..a}", "a character has no place in it"},
      {"{a & b}", "`&` has no place where it stands"},
      {"{ü}", "a character has no place in it"},
      {std::string("{a\0}", 4), "a character has no place in it"},
      {"{a\x0b}", "a character has no place in it"},
      {"{a(x: 01)}", "a number is malformed"},
      {"{a(x: -)}", "a number is malformed"},
      {"{a(x: 1.)}", "a number is malformed"},
      {"{a(x: 1e)}", "a number is malformed"},
      {"{a(x: 1b: 2)}", "a number is malformed"},
      {"{a(x: 1.2.3)}", "a number is malformed"},
      {"{a(x: \"\n\")}", "a string is malformed"},
      {"{a(x: \"\\x\")}", "a string is malformed"},
      {"{a(x: \"\\u12\")}", "a string is malformed"},
      {"{a(x: \"\\u{}\")}", "a string is malformed"},
      {"{a(x: \"", "a string is malformed"},
      {"{a(x: \"\\", "a string is malformed"},
      {"{a(x: \"\"\" \"\" ", "a block string is malformed"},
      {"{a #\r b}", "a comment holds a character that may end it"},
      {"{a #\xe2\x80\xa8 b}", "a comment holds a character that may end it"},
      {"{a #\x01\n}", "a comment holds a character that may end it"},
      {"type A {a: Int}", "`type` begins no operation and no fragment"},
      {"{a} schema {query: A}", "`schema` begins no operation and no fragment"},
      {"{a} extend type A {a: Int}", "`extend` begins no operation and no fragment"},
      {"\"text\" query {a}", "`\"text\"` has no place where it stands"},
      {"QUERY {a}", "`QUERY` begins no operation and no fragment"},
      {"fragment F on A {a}", "the document has no operation"},
      {"fragment on on A {a} {...on}", "a fragment has no name"},
      {"fragment F {a} {...F}", "`{` has no place where it stands"},
      {"fragment F($a: Int) on A {a} {...F}", "`(` has no place where it stands"},
      {"{...F}", "the fragment `F` is not defined"},
      {"{a{b{...F}}}", "the fragment `F` is not defined"},
      {"{a} fragment G on A {...F}", "the fragment `F` is not defined"},
      {"{...F} fragment F on A {a} fragment F on A {b}", "the fragment `F` is defined twice"},
      {"{...F} fragment F on A {...F}", "a fragment leads back to itself"},
      {"{a} fragment F on A {b {...G}} fragment G on A {b {...F}}", "a fragment leads back to itself"},
      {"{\"\xff\"}", "the document is not valid UTF-8"},
  };
  for (const auto& [document, problem] : cases) {
    const auto reading = read(document);
    EXPECT_EQ(reading.state, State::unreadable) << document;
    EXPECT_EQ(reading.problem, problem) << document;
    EXPECT_TRUE(reading.operations.empty());
  }
}

TEST(GraphqlRequest, ReadsJsonAndBatches) {
  EXPECT_EQ(
      read_json(R"({"query":"{viewer}","operationName":null,"variables":{"query":"x","Query":1},"extensions":{"a":1}})")
          .operations,
      (Operations{{"query", "viewer"}}));
  EXPECT_EQ(read_json(R"([{"query":"{a}"},{"query":"mutation{b}","extensions":null}])").operations,
            (Operations{{"query", "a"}, {"mutation", "b"}}));
  EXPECT_EQ(read_graphql("POST", "", "application/graphql+json", "", R"({"query":"{a}"})").state, State::read);
}

TEST(GraphqlRequest, CountsEveryOperationWhateverOperationNameSays) {
  EXPECT_EQ(read_json(R"({"query":"query A{a} mutation B{b}","operationName":"A"})").operations,
            (Operations{{"query", "a"}, {"mutation", "b"}}));
}

TEST(GraphqlRequest, ReadsTheQueryOfAUrl) {
  EXPECT_EQ(read_url("query=%7Bviewer%20%7B+login+%7D%7D&variables=%7B%7D&v=1").operations,
            (Operations{{"query", "viewer"}}));
  EXPECT_EQ(read_url("query={a}&extensions={%22x%22:1}").operations, (Operations{{"query", "a"}}));
  EXPECT_EQ(read_graphql("POST", "query={a}", "application/json", "", "").operations, (Operations{{"query", "a"}}));
}

TEST(GraphqlRequest, ReadsABodyBesideOtherParametersOfTheUrl) {
  EXPECT_EQ(read_graphql("POST", "api_version=2", "application/json", "", R"({"query":"{a}"})").operations,
            (Operations{{"query", "a"}}));
}

TEST(GraphqlRequest, IsAbsentWithoutBodyAndQuery) {
  EXPECT_EQ(read_url(""), Reading{});
  EXPECT_EQ(read_url("a=1&b=2"), Reading{});
  EXPECT_EQ(read_graphql("POST", "", "application/json", "", ""), Reading{});
}

TEST(GraphqlRequest, SaysWhyItDoesNotReadJson) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"query":"{a}","query":"{b}"})", "the key `query` stands twice"},
      {R"({"query":"{a}","Query":"{b}"})", "the key `Query` is unknown to GraphQL over HTTP"},
      {R"({"query":"{a}","id":"stored"})", "the key `id` is unknown to GraphQL over HTTP"},
      {R"({"documentId":"stored"})", "the key `documentId` is unknown to GraphQL over HTTP"},
      {R"({"operationName":"stored"})", "there is no `query`"},
      {R"({"query":null})", "there is no `query`"},
      {R"({"query":["{a}"]})", "there is no `query`"},
      {R"({"extensions":{"persistedQuery":{"version":1,"sha256Hash":"0"}}})", "the request names a stored document"},
      {R"({"query":"{a}","extensions":{"persistedQuery":{"sha256Hash":"0"}}})", "the request names a stored document"},
      {R"({"query":"{a}","extensions":{"PersistedQuery":{"sha256Hash":"0"}}})", "the request names a stored document"},
      {R"({"query":"{a}","extensions":"{}"})", "`extensions` is not an object"},
      {R"({"query":"{a}\u0000"})", "the value of `query` holds a NUL"},
      {R"([{"query":"{a}"},{}])", "there is no `query`"},
      {R"([{"query":"{a}"},{"query":"{"}])", "the document ends too early"},
      {R"([])", "the batch is empty"},
      {R"("{a}")", "it is neither an object nor an array"},
  };
  for (const auto& [body, problem] : cases) {
    const auto reading = read_json(body);
    EXPECT_EQ(reading.state, State::unreadable) << body;
    EXPECT_EQ(reading.problem, problem) << body;
    EXPECT_TRUE(reading.operations.empty());
  }
}

TEST(GraphqlRequest, SaysWhyItDoesNotReadAUrl) {
  const std::string twice = "the URL's query can be read in more than one way",
                    stored = "the request names a stored document",
                    like = "the URL has a parameter that some servers take for `query`";
  const std::pair<std::string, std::string> cases[] = {
      {"query={a}&query={b}", "the URL has `query` twice"},
      {"query={a};b", twice},
      {"query=%zz", twice},
      {"a=%zz", twice},
      {"Query={a}", like},
      {"query={a}&QUERY={b}", like},
      {"query[]={a}", like},
      {"+query={a}", like},
      {"query={a}&extensions={%22persistedQuery%22:{}}", stored},
      {"extensions={%22persistedQuery%22:{}}", stored},
      {"extensions={%22p\\u0065rsistedQuery%22:{}}", stored},
      {"documentId=1", stored},
      {"query={a}&doc_id=1", stored},
      {"query=", "the document is empty"},
      {"query={", "the document ends too early"},
  };
  for (const auto& [url, problem] : cases) {
    EXPECT_EQ(read_url(url).state, State::unreadable) << url;
    EXPECT_EQ(read_url(url).problem, problem) << url;
  }
  EXPECT_EQ(read_graphql("POST", "query={a}", "application/json", "", R"({"query":"{b}"})").state, State::unreadable);
  EXPECT_EQ(read_graphql("GET", "query={a}", "", "", "x").state, State::unreadable);
  EXPECT_EQ(read_graphql("POST", "documentId=1", "application/json", "", R"({"query":"{b}"})").state, State::unreadable);
}

TEST(GraphqlRequest, DoesNotReadOtherTypesOrEncodings) {
  for (const std::string type : {"", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
                                 "application/json, application/graphql", "application/json; charset=utf-16",
                                 "application/graphql;"
                                 "charset=utf-7"})
    EXPECT_EQ(read_graphql("POST", "", type, "", R"({"query":"{a}"})").state, State::unreadable) << type;
  EXPECT_EQ(read_graphql("POST", "", "application/json", "gzip", R"({"query":"{a}"})").problem, "the body is compressed");
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(GraphqlLimits, ReadUpToADepthOf64) {
  const auto nested = [](std::size_t depth) { return repeated("{a", depth) + repeated("}", depth); };
  EXPECT_EQ(read(nested(64)).state, State::read);
  EXPECT_EQ(read(nested(65)).problem, "the document is nested too deeply");
  const auto list = [](std::size_t depth) { return "{a(x:" + repeated("[", depth) + repeated("]", depth) + ")}"; };
  EXPECT_EQ(read(list(64)).state, State::read);
  EXPECT_EQ(read(list(65)).problem, "the document is nested too deeply");
}

TEST(GraphqlLimits, GiveUpOnHostileInputOfAMebibyte) {
  constexpr std::size_t kSize = 1U << 20;
  const std::string deep = "the document is nested too deeply", is_long = "the document is too long";
  EXPECT_EQ(read(repeated("{a", kSize / 2)).problem, deep);
  EXPECT_EQ(read(repeated("{...", kSize / 4)).problem, deep);
  EXPECT_EQ(read("{a(x:" + std::string(kSize, '[')).problem, deep);
  EXPECT_EQ(read("{a(x:" + repeated("{a:", kSize / 3)).problem, deep);
  EXPECT_EQ(read("query($a:" + std::string(kSize, '[')).problem, deep);
  EXPECT_EQ(read("{" + repeated("a ", kSize / 2) + "}").problem, is_long);
  EXPECT_EQ(read(repeated("{a}", kSize / 3)).problem, is_long);
  EXPECT_EQ(read("query" + repeated("@a", kSize / 2)).problem, is_long);
  EXPECT_EQ(read(std::string(kSize, '#')).problem, "the document is empty");
  EXPECT_EQ(read(repeated("#\n", kSize / 2) + "{a}").state, State::read);
  EXPECT_EQ(read("{a(x:\"" + std::string(kSize, 'x') + "\")}").state, State::read);
  EXPECT_EQ(read("{" + std::string(kSize, 'x') + "}").operations.at(0).name.size(), kSize);
}

// `count` fragments, each of which spreads the next two; as a tree they come to 2^count fields.
std::string spreading(std::size_t count) {
  std::string out = "{...F0}";
  for (std::size_t i = 0; i < count; ++i)
    out += "fragment F" + std::to_string(i) + " on A{...F" + std::to_string(i + 1) + " ...F" + std::to_string(i + 2) + "}";
  return out + "fragment F" + std::to_string(count) + " on A{a}" + "fragment F" + std::to_string(count + 1) + " on A{b}";
}

TEST(GraphqlLimits, ExpandEachFragmentOnce) {
  EXPECT_EQ(read(spreading(5000)).operations, (Operations{{"query", "a"}, {"query", "b"}}));
}

TEST(GraphqlLimits, FollowAChainOfFragmentsAsLongAsTheDocument) {
  std::string chain = "{...F0}";
  for (int i = 0; i < 10'000; ++i) chain += "fragment F" + std::to_string(i) + " on A{...F" + std::to_string(i + 1) + "}";
  EXPECT_EQ(read(chain + "fragment F10000 on A{a}").operations, (Operations{{"query", "a"}}));
  EXPECT_EQ(read(chain + "fragment F10000 on A{...F0}").problem, "a fragment leads back to itself");
}

TEST(GraphqlLimits, BoundTheWorkOfManyOperationsThatSpreadManyFields) {
  EXPECT_EQ(read(repeated("{...F}", 10'000) + "fragment F on A{" + repeated("a ", 10'000) + "}").problem,
            "the document's fragments come to too much");
}

TEST(GraphqlLimits, HoldForEveryDocumentOfABatch) {
  nlohmann::json batch = nlohmann::json::array();
  for (int i = 0; i < 1000; ++i) batch.push_back({{"query", "{a" + std::to_string(i) + "}"}});
  EXPECT_EQ(read_json(batch.dump()).operations.size(), 1000U);
  batch.push_back({{"query", "{a}"}});
  EXPECT_EQ(read_json(batch.dump()).problem, "the batch is too long");
}

}  // namespace
}  // namespace weir::policy
