// Encoded fields become JSON; hostile values and hostile encodings.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "events/event.h"

namespace weir::events {
namespace {

std::string json_of(const Fields& fields) {
  std::string out;
  const auto done = append_json(fields.bytes(), out);
  return done ? out : "failed: " + done.error().code;
}

std::string json_of_text(std::string_view value) { return json_of(Fields().text("v", value)); }

// What no stored line may hold, whatever the value was.
void expect_harmless(const std::string& json) {
  EXPECT_EQ(valid_utf8_prefix(json), json.size()) << json;
  for (const char c : json) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << json;
  EXPECT_EQ(printable(json, json.size() * 8), json);
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << json;
}

TEST(Fields, BecomeAnObjectInTheirOrder) {
  EXPECT_EQ(
      json_of(
          Fields().text("host", "api.example").number("port", 443).flag("tls", true).number("below", -5).flag("not", false)),
      R"({"host":"api.example","port":443,"tls":true,"below":-5,"not":false})");
}

TEST(Fields, NoneIsAnEmptyObject) { EXPECT_EQ(json_of(Fields()), "{}"); }

TEST(Fields, NumbersKeepTheirWholeRange) {
  EXPECT_EQ(json_of(Fields().number("a", INT64_MIN).number("b", INT64_MAX)),
            R"({"a":-9223372036854775808,"b":9223372036854775807})");
}

struct Escape {
  const char* name;
  std::string value;
  const char* json;
};

class Escapes : public testing::TestWithParam<Escape> {};

TEST_P(Escapes, AreWrittenSo) {
  const std::string json = json_of_text(GetParam().value);
  EXPECT_EQ(json, std::string("{\"v\":\"") + GetParam().json + "\"}");
  expect_harmless(json);
  // At every place in a longer text too: eight bytes at a time are looked at.
  for (std::size_t before = 1; before < 20; ++before) {
    const std::string around = json_of_text(std::string(before, 'x') + GetParam().value + "yyyyyyyyy");
    EXPECT_EQ(around, "{\"v\":\"" + std::string(before, 'x') + GetParam().json + "yyyyyyyyy\"}");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Escapes,
    testing::Values(Escape{"Quote", "\"", "\\\""}, Escape{"Backslash", "\\", "\\\\"}, Escape{"Newline", "\n", "\\u000a"},
                    Escape{"Return", "\r", "\\u000d"}, Escape{"Nul", std::string(1, '\0'), "\\u0000"},
                    Escape{"Ansi", "\x1b[2J", "\\u001b[2J"}, Escape{"Delete", "\x7f", "\\u007f"},
                    Escape{"C1", "\xc2\x9b", "\\u009b"}, Escape{"BidiOverride", "\u202e", "\\u202e"},
                    Escape{"BidiIsolate", "\u2066", "\\u2066"}, Escape{"LineSeparator", "\u2028", "\\u2028"},
                    Escape{"ZeroWidth", "\u200b", "\\u200b"}, Escape{"ByteOrderMark", "\ufeff", "\\ufeff"},
                    Escape{"Tag", "\xf3\xa0\x81\x81", "\\udb40\\udc41"}, Escape{"Umlaut", "ä", "ä"},
                    Escape{"Emoji", "😀", "😀"}, Escape{"LoneContinuation", "\x80", "\\ufffd<80>"},
                    Escape{"Overlong", "\xc0\xaf", "\\ufffd<c0>\\ufffd<af>"},
                    Escape{"Surrogate", "\xed\xa0\x80", "\\ufffd<ed>\\ufffd<a0>\\ufffd<80>"},
                    Escape{"CutSequence", "\xe2\x82", "\\ufffd<e2>\\ufffd<82>"},
                    Escape{"TooHigh", "\xf4\x90\x80\x80", "\\ufffd<f4>\\ufffd<90>\\ufffd<80>\\ufffd<80>"},
                    Escape{"ForgedLine", "\"}\n{\"seq\":1,", "\\\"}\\u000a{\\\"seq\\\":1,"}),
    [](const auto& chosen) { return chosen.param.name; });

TEST(Fields, EveryByteAloneAndInRunsIsHarmless) {
  for (int byte = 0; byte < 256; ++byte)
    for (const std::size_t count : {1U, 7U, 8U, 9U, 17U})
      expect_harmless(json_of_text(std::string(count, static_cast<char>(byte))));
}

TEST(Fields, RandomBytesAreHarmless) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string value(random() % 64, '\0');
    for (char& c : value) c = static_cast<char>(random());
    expect_harmless(json_of_text(value));
  }
}

TEST(Fields, PlainTextComesBackAsItWas) {
  const std::string value = "GET /a?b=\"c\"\\d é 漢字 😀";
  EXPECT_EQ(nlohmann::json::parse(json_of_text(value))["v"], value);
}

TEST(Fields, LongTextIsCutAndSaysHowMuch) {
  EXPECT_EQ(nlohmann::json::parse(json_of_text(std::string(Fields::kMaxValue, 'a')))["v"],
            std::string(Fields::kMaxValue, 'a'));
  EXPECT_EQ(nlohmann::json::parse(json_of_text(std::string(1 << 20, 'a')))["v"],
            std::string(Fields::kMaxValue, 'a') + "…[cut " + std::to_string((1 << 20) - Fields::kMaxValue) + " bytes]");
}

TEST(Fields, ACutNeverSplitsACharacter) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string value(before, 'x');
    while (value.size() < 2 * Fields::kMaxValue) value += "😀";
    const std::string json = json_of_text(value);
    EXPECT_EQ(json.find("fffd"), std::string::npos);
    expect_harmless(json);
  }
}

TEST(Fields, AMegabyteOfContinuationBytesStaysBounded) {
  const Fields fields = Fields().text("v", std::string(1 << 20, '\x80'));
  EXPECT_LT(fields.bytes().size(), 2 * Fields::kMaxValue);
  const std::string json = json_of(fields);
  EXPECT_LT(json.size(), 11 * Fields::kMaxValue);
  expect_harmless(json);
}

TEST(Fields, AnEncodingThatIsCutShortAnywhereIsRefusedWhole) {
  Fields fields;
  std::vector<std::size_t> borders{0};
  borders.push_back(fields.text("host", "api.example").bytes().size());
  borders.push_back(fields.number("port", 443).bytes().size());
  borders.push_back(fields.flag("tls", true).bytes().size());
  for (std::size_t size = 0; size <= fields.bytes().size(); ++size) {
    std::string out = "before";
    const bool done = append_json(fields.bytes().substr(0, size), out).has_value();
    EXPECT_EQ(done, std::ranges::find(borders, size) != borders.end()) << size;
    if (!done) {
      EXPECT_EQ(out, "before");
    }
  }
}

TEST(Fields, FlippedBytesNeverGiveBadJson) {
  const Fields fields = Fields().text("host", "api.example").number("port", 443).flag("tls", true).text("path", "/x\n");
  for (std::size_t at = 0; at < fields.bytes().size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string encoded(fields.bytes());
      encoded[at] = static_cast<char>(value);
      std::string out;
      if (append_json(encoded, out)) expect_harmless(out);
    }
  }
}

std::string encoded_flag(std::string_view key, char kind = 3, char value = 1) {
  return std::string(1, static_cast<char>(key.size())).append(key) + kind + value;
}

TEST(Fields, BadKeysAreRefused) {
  for (const std::string& key : {std::string(), std::string("Host"), std::string("a b"), std::string("a\"b"),
                                 std::string("a\n"), std::string("é"), std::string(Fields::kMaxKey + 1, 'a')}) {
    std::string out;
    EXPECT_FALSE(append_json(encoded_flag(key), out)) << key;
  }
}

TEST(Fields, AKeyThatComesTwiceIsRefused) {
  std::string out;
  EXPECT_TRUE(append_json(encoded_flag("ab") + encoded_flag("ba") + encoded_flag("acb"), out));
  EXPECT_FALSE(append_json(encoded_flag("verdict") + encoded_flag("host") + encoded_flag("verdict"), out));
}

TEST(Fields, TooManyAreRefused) {
  Fields fields;
  for (std::size_t i = 0; i < Fields::kMaxFields; ++i) fields.flag("k" + std::to_string(i), true);
  EXPECT_EQ(json_of(fields).front(), '{');
  fields.flag("one_more", true);
  EXPECT_EQ(json_of(fields), "failed: bad_event");
}

TEST(Fields, UnknownKindsAndFlagsAreRefused) {
  std::string out;
  EXPECT_FALSE(append_json(encoded_flag("a", 0), out));
  EXPECT_FALSE(append_json(encoded_flag("a", 4), out));
  EXPECT_FALSE(append_json(encoded_flag("a", 3, 2), out));
  EXPECT_TRUE(out.empty());
}

TEST(EventTypes, AreDomainAndAction) {
  for (const char* good : {"a.b", "egress.request", "x_1.y_2"}) EXPECT_TRUE(is_event_type(good)) << good;
  for (const char* bad : {"", ".", "a.", ".b", "a", "a.b.c", "A.b", "a.b ", "a.b\n", "a-b.c", "é.b"})
    EXPECT_FALSE(is_event_type(bad)) << bad;
  EXPECT_TRUE(is_event_type("a." + std::string(62, 'b')));
  EXPECT_FALSE(is_event_type("a." + std::string(63, 'b')));
}

TEST(EventTypes, AProxyMayReportOnlyWhatHappensInIt) {
  for (const char* good :
       {"dns.query", "egress.request", "egress.response", "egress.denied", "egress.tunnel", "packet.dropped",
        "credential.used", "credential.blocked", "credential.reflected", "sandbox.limit"})
    EXPECT_TRUE(is_proxy_event(good) && is_event_type(good)) << good;
  for (const char* bad : {"session.ended", "stream.gap", "stream.sealed", "policy.loaded", "approval.granted",
                          "sandbox.exited", "", "egress.request\n"})
    EXPECT_FALSE(is_proxy_event(bad)) << bad;
}

}  // namespace
}  // namespace weir::events
