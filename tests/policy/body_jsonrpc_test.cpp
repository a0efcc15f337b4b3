#include <gtest/gtest.h>

#include "policy/body.h"

namespace weir::policy {
namespace {

using State = Reading::State;
using Operations = std::vector<Operation>;

Reading read(std::string_view body, std::string_view type = "application/json") { return read_jsonrpc(type, "", body); }

TEST(Jsonrpc, ReadsCallsNotificationsAndResponses) {
  EXPECT_EQ(read(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x0"]})").operations,
            (Operations{{"eth_getBalance", ""}}));
  EXPECT_EQ(read(R"( {"method":"notifications/initialized"} )").operations, (Operations{{"notifications/initialized", ""}}));
  EXPECT_EQ(read(R"({"jsonrpc":"2.0","id":1,"result":{"method":"x"}})").operations, (Operations{{"", ""}}));
  EXPECT_EQ(read(R"({"id":1,"error":{"code":-1}})").operations, (Operations{{"", ""}}));
}

TEST(Jsonrpc, NamesTheToolOfToolsCall) {
  EXPECT_EQ(read(R"({"id":"a","method":"tools/call","params":{"name":"search_web","arguments":{"Name":"x","method":"y"}}})")
                .operations,
            (Operations{{"tools/call", "search_web"}}));
  EXPECT_EQ(read(R"({"method":"prompts/get","params":{"name":"x","Name":"y"}})").operations,
            (Operations{{"prompts/get", ""}}));
}

TEST(Jsonrpc, ReadsAllOfABatchInOrder) {
  EXPECT_EQ(read(R"([{"method":"a"},{"method":"a"},{"result":1},{"method":"tools/call","params":{"name":"t"}}])").operations,
            (Operations{{"a", ""}, {"a", ""}, {"", ""}, {"tools/call", "t"}}));
}

TEST(Jsonrpc, ReadsEscapesAndTextOfAnyLanguage) {
  EXPECT_EQ(read(R"({"\u006dethod":"\u0061\ud83d\ude00ü"})").operations, (Operations{{"a😀ü", ""}}));
}

TEST(Jsonrpc, TakesNumbersOfAnyPrecision) {
  EXPECT_EQ(read(R"({"method":"a","params":[123456789012345678901234567890,-0.0,1e300,1.00000000000000000001]})").state,
            State::read);
}

TEST(Jsonrpc, IsAbsentWithoutABody) {
  EXPECT_EQ(read_jsonrpc("", "", ""), Reading{});
  EXPECT_EQ(read_jsonrpc("application/json", "gzip", "").state, State::absent);
}

TEST(Jsonrpc, ReadsEveryJsonType) {
  for (const std::string type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/vnd.api+json", " application/json ; a=b ; ", "application/problem+json"})
    EXPECT_EQ(read(R"({"method":"a"})", type).state, State::read) << type;
}

TEST(Jsonrpc, DoesNotReadOtherTypesOrEncodings) {
  for (const std::string type :
       {"", "text/plain", "application/x-www-form-urlencoded", "json", "application/", "/json",
        "application/json, text/plain", "application/json; charset=utf-16", "application/json; charset=utf-7",
        "application/json; charset=utf-8; charset=utf-8", "application/json; charset", "application/json; charset=\"utf-8",
        "application/json charset=utf-8", "application/jsonx", "application/json\x01"})
    EXPECT_EQ(read(R"({"method":"a"})", type).state, State::unreadable) << type;
  for (const std::string encoding : {"gzip", "identity, gzip", "br", "x"})
    EXPECT_EQ(read_jsonrpc("application/json", encoding, R"({"method":"a"})").state, State::unreadable) << encoding;
  EXPECT_EQ(read_jsonrpc("application/json", "Identity", R"({"method":"a"})").state, State::read);
}

TEST(Jsonrpc, SaysWhyItDoesNotRead) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"method":"a","method":"b"})", "the key `method` stands twice"},
      {R"({"method":"a","\u006dethod":"b"})", "the key `method` stands twice"},
      {R"({"method":"a","params":{"x":{"y":1,"y":1}}})", "the key `y` stands twice"},
      {R"({"method":"a","Method":"b"})", "the key `Method` is in other letter case"},
      {R"({"METHOD":"b"})", "the key `METHOD` is in other letter case"},
      {R"({"method":"a","paramſ":{}})", "the key `paramſ` is in other letter case"},
      {R"({"method":"a","ıd":1})", "the key `ıd` is in other letter case"},
      {R"({"method":"tools/call","params":{"name":"a","Name":"b"}})", "the key `Name` is in other letter case"},
      {R"({"method":"tools/call","params":{"name":1}})", "tools/call has no `name`"},
      {R"({"method":"tools/call","params":{}})", "tools/call has no `name`"},
      {R"({"method":"tools/call","params":["name"]})", "tools/call has no `params` object"},
      {R"({"method":"tools/call"})", "tools/call has no `params` object"},
      {R"({"method":1})", "`method` is not a name"},
      {R"({"method":null})", "`method` is not a name"},
      {R"({"method":""})", "`method` is not a name"},
      {R"({"method":"a","result":1})", "an object is both a call and a response"},
      {R"({"id":1})", "an object has neither `method` nor `result` nor `error`"},
      {R"({})", "an object has neither `method` nor `result` nor `error`"},
      {R"([])", "the batch is empty"},
      {R"([[{"method":"a"}]])", "the batch holds something that is not an object"},
      {R"([{"method":"a"},1])", "the batch holds something that is not an object"},
      {R"("method")", "it is neither an object nor an array"},
      {R"({"method":"a\u0000"})", "the value of `method` holds a NUL"},
      {R"({"method":"a","method\u0000":"b"})", "a key holds a NUL"},
      {R"({"method":"a","params":[1e999]})", "a number is too large"},
      {"\xef\xbb\xbf{\"method\":\"a\"}", "it begins with a byte order mark"},
      {std::string("{\"method\":\"a\"}\0", 15), "it holds a NUL"},
      {"{\"method\":\"\xff\"}", "it is not valid UTF-8"},
      {"{\"method\":\"\xc0\xaf\"}", "it is not valid UTF-8"},
  };
  for (const auto& [body, problem] : cases) {
    const auto reading = read(body);
    EXPECT_EQ(reading.state, State::unreadable) << body;
    EXPECT_EQ(reading.problem, problem) << body;
    EXPECT_TRUE(reading.operations.empty());
  }
}

TEST(Jsonrpc, DoesNotReadWhatIsNotJson) {
  for (const std::string body :
       {" ", "{", "{\"method\":\"a\"", "{\"method\":\"a\"}x", "{\"method\":\"a\"}{\"method\":\"b\"}", "{\"method\":\"a\",}",
        "{'method':'a'}", "{\"method\":\"a\"/**/}", "{method:\"a\"}", "{\"method\":\"\\ud800\"}", "{\"method\":\"\\x61\"}",
        "{\"method\":\"a\nb\"}", "{\"method\":\"a\",\"params\":[01]}", "{\"method\":\"a\",\"params\":[NaN]}",
        "{\"method\":\"a\",\"params\":[+1]}", "[{\"method\":\"a\"},]"})
    EXPECT_EQ(read(body).state, State::unreadable) << body;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Jsonrpc, ReadsAThousandCallsAndNoMore) {
  const auto batch = [](std::size_t count) {
    return "[" + repeated("{\"method\":\"a\"},", count - 1) + "{\"method\":\"a\"}]";
  };
  EXPECT_EQ(read(batch(1000)).operations.size(), 1000U);
  EXPECT_EQ(read(batch(1001)).problem, "the batch is too long");
}

TEST(Jsonrpc, ReadsUpToADepthOf64) {
  const auto nested = [](std::size_t depth) {
    return "{\"method\":\"a\",\"params\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(read(nested(64)).state, State::read);
  EXPECT_EQ(read(nested(65)).problem, "it is nested too deeply");
}

TEST(Jsonrpc, GivesUpOnHostileInputOfAMebibyte) {
  constexpr std::size_t kSize = 1U << 20;
  EXPECT_EQ(read(std::string(kSize, '[')).problem, "the batch holds something that is not an object");
  EXPECT_EQ(read(repeated("{\"a\":", kSize / 5)).problem, "it is nested too deeply");
  EXPECT_EQ(read("[{\"method\":\"a\",\"x\":" + std::string(kSize, '[')).problem, "it is nested too deeply");
  std::string keys = "{\"method\":\"a\"";
  for (std::size_t i = 0; keys.size() < kSize; ++i) keys += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(read(keys + "}").state, State::read);
  EXPECT_EQ(read(keys + ",\"0\":0}").problem, "the key `0` stands twice");
  EXPECT_EQ(read("{\"method\":\"a\"" + repeated(",\"method\":\"a\"", kSize / 13) + "}").problem,
            "the key `method` stands twice");
}

}  // namespace
}  // namespace weir::policy
