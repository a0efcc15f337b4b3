// Conditions and limits of rules: what each comes to, and what is wrong with its other forms.
#include <chrono>

#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Rule rule_with(const std::string& keys) { return document_of("rules: [{hosts: [a.com], " + keys + "}]\n").rules.at(0); }

// The one error of a rule with these keys, with its place.
std::string wrong(const std::string& keys) {
  const auto errors = errors_in("version: 1\nrules:\n- hosts: [a.com]\n  " + keys + "\n");
  return errors.size() == 1 ? errors[0] : testing::PrintToString(errors);
}

TEST(LoadRule, ReadsQueryAndHeaders) {
  const auto rule = rule_with("query: {service: git-upload-pack, page: '*', empty: ''}, headers: {X-Team: 'data-*'}");
  EXPECT_THAT(rule.query,
              ElementsAre(NamedGlob{"service", "git-upload-pack"}, NamedGlob{"page", "*"}, NamedGlob{"empty", ""}));
  EXPECT_THAT(rule.headers, ElementsAre(NamedGlob{"x-team", "data-*"}));
}

TEST(LoadRule, ReadsContentTypesAndLimits) {
  const auto rule = rule_with("content_types: [application/json, 'image/*'], body_max: 1MiB, rate: 60/min");
  EXPECT_THAT(rule.content_types, ElementsAre("application/json", "image/*"));
  EXPECT_EQ(rule.body_max, 1ULL << 20);
  EXPECT_EQ(rule.rate, (Rate{60, 60}));
  EXPECT_EQ(rule_with("rate: 1/s").rate, (Rate{1, 1}));
  EXPECT_EQ(rule_with("rate: 7/h").rate, (Rate{7, 3600}));
  EXPECT_EQ(rule_with("rate: 1000000/day").rate, (Rate{1000000, 86400}));
}

TEST(LoadRule, ReadsWhatLooksIntoBodies) {
  EXPECT_EQ(rule_with("graphql: {operations: [query], fields: [viewer, 'repo*']}").graphql,
            (GraphqlCondition{{"query"}, {"viewer", "repo*"}}));
  EXPECT_EQ(rule_with("graphql: {}").graphql, GraphqlCondition{});
  EXPECT_EQ(rule_with("jsonrpc: {methods: ['eth_get*']}").rpc, (RpcCondition{false, {"eth_get*"}, {}}));
  EXPECT_EQ(rule_with("mcp: {methods: [initialize, ''], tools: ['search_*']}").rpc,
            (RpcCondition{true, {"initialize", ""}, {"search_*"}}));
  EXPECT_EQ(rule_with("mcp: {}").rpc, (RpcCondition{true, {}, {}}));
}

TEST(LoadRule, ReadsTheRest) {
  EXPECT_EQ(rule_with("websocket: true").websocket, true);
  EXPECT_EQ(rule_with("websocket: false").websocket, false);
  EXPECT_EQ(rule_with("methods: [GET]").websocket, std::nullopt);
  EXPECT_THAT(rule_with("process: [/usr/bin/git, '/usr/lib/git-core/**']").process,
              ElementsAre("/usr/bin/git", "/usr/lib/git-core/**"));
  EXPECT_EQ(rule_with("action: ask").action, Action::ask);
  EXPECT_EQ(document_of("default: ask").default_action, Action::ask);
}

TEST(LoadRule, ReadsTimeWindows) {
  const auto when = [](const std::string& text) { return rule_with("when: ['" + text + "']").when.at(0); };
  const auto full = when("mon-fri 09:00-17:30 Europe/Berlin");
  EXPECT_EQ(full.days, 0x1f);
  EXPECT_EQ(full.from, 9 * 60);
  EXPECT_EQ(full.to, 17 * 60 + 30);
  EXPECT_EQ(full.zone, "Europe/Berlin");
  EXPECT_EQ(full.zone_rule, "CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(when("sat,sun").days, 0x60);
  EXPECT_EQ(when("fri-mon").days, 0x71);
  EXPECT_EQ(when("mon,wed-thu 00:00-24:00").days, 0x0d);
  EXPECT_EQ(when("mon").to, 1440);
  EXPECT_EQ(when("22:00-06:00").days, 0x7f);
  EXPECT_EQ(when("22:00-06:00 UTC").zone_rule, "");
  EXPECT_EQ(when("sun America/Nuuk").zone_rule, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
  const auto interval = when("2026-03-01T00:00Z/2026-04-01T00:00+02:00");
  EXPECT_EQ(interval.kind, TimeWindow::Kind::interval);
  using namespace std::chrono;
  EXPECT_EQ(interval.begin, sys_days(2026y / March / 1).time_since_epoch() / seconds(1));
  EXPECT_EQ(interval.end, (sys_days(2026y / April / 1) - hours(2)).time_since_epoch() / seconds(1));
}

struct Wrong {
  const char* keys;
  const char* error;  // a part of it
};

TEST(LoadRule, SaysWhatIsWrongWithEachValue) {
  const Wrong table[] = {
      {"query: [a]", "4:10 `query` must be a map"},
      {"query: {}", "4:10 `query` is an empty map"},
      {"query: {a: [b]}", "4:14 `a` in `query` must be a single value"},
      {"query: {a: }", "`\"*\"` is any value"},
      {"query: {a: 'x**'}", "write one `*`"},
      {"query: {'': x}", "4:11 a parameter has no name"},
      {"headers: {Host: a}", "4:13 `host` cannot be a condition"},
      {"headers: {Content-Type: a}", "use `content_types: [application/json]`"},
      {"headers: {content-length: a}", "frames or routes"},
      {"headers: {transfer-encoding: a}", "frames or routes"},
      {"headers: {connection: a}", "frames or routes"},
      {"headers: {'a b': c}", "not a header name"},
      {"headers: {x-a: b, X-A: c}", "4:21 `x-a` is twice"},
      {"content_types: [json]", "4:19 `json` is not a media type"},
      {"content_types: [Application/Json]", "write `application/json`"},
      {"content_types: ['text/html; charset=utf-8']", "write `text/html`"},
      {"content_types: text/html", "must be a list"},
      {"body_max: 1MB", "did you mean `1MiB`?"},
      {"rate: 60", "4:9 `60` is not a rate"},
      {"rate: 60/minute", "did you mean `60/min`?"},
      {"rate: 0/min", "from 1 to 1000000"},
      {"rate: 1000001/s", "from 1 to 1000000"},
      {"rate: 1.5/s", "not a rate"},
      {"websocket: 1", "must be true or false"},
      {"graphql: [query]", "`graphql` must be a map"},
      {"graphql: {operations: [querry]}", "4:26 `querry` is not a GraphQL operation | did you mean `query`?"},
      {"graphql: {field: [a]}", "did you mean `fields`?"},
      {"jsonrpc: {tools: [a]}", "write `mcp` instead of `jsonrpc`"},
      {"jsonrpc: {methods: ['']}", "is empty"},
      {"mcp: {methods: []}", "empty list"},
      {"mcp: {tools: ['']}", "is empty"},
      {"process: [git]", "does not begin with `/`"},
      {"process: [/usr/bin/]", "is a folder"},
      {"process: [/usr/../bin/x]", "dot segment"},
      {"when: mon", "must be a list"},
      {"when: [always]", "not a time zone that this host knows"},
      {"when: [Mon-Fri]", "three small letters"},
      {"when: [monday]", "three small letters"},
      {"when: ['mon,mon-tue']", "names mon twice"},
      {"when: [mon-sun]", "is always"},
      {"when: [UTC]", "is always"},
      {"when: ['9:00-17:00']", "write times as 09:00-17:30"},
      {"when: ['24:00-06:00']", "write times as"},
      {"when: ['09:00-17:60']", "write times as"},
      {"when: ['09:00']", "write times as"},
      {"when: ['09:00-10:00 mon']", "in this order"},
      {"when: ['mon  09:00-10:00']", "a space too many"},
      {"when: ['mon Berlin']", "did you mean `Europe/Berlin`?"},
      {"when: ['mon Europe/Berlln']", "did you mean `Europe/Berlin`?"},
      {"when: ['mon ../../etc/passwd']", "not a time zone"},
      {"when: ['mon /etc/localtime']", "not a time zone"},
      {"when: ['mon Europe']", "not a time zone"},
      {"when: ['2026-03-01/2026-04-01']", "write it as 2026-03-01T00:00Z"},
      {"when: ['2026-04-01T00:00Z/2026-03-01T00:00Z']", "ends before it begins"},
      {"when: ['2026-02-30T00:00Z/2026-03-01T00:00Z']", "is not a time"},
  };
  for (const auto& [keys, error] : table) EXPECT_THAT(wrong(keys), HasSubstr(error)) << keys;
}

TEST(LoadRule, SaysWhatDoesNotGoTogether) {
  const Wrong table[] = {
      {"action: deny\n  body_max: 1MiB", "5:3 `body_max` has no effect in a rule that denies"},
      {"rate: 1/s\n  action: deny", "4:3 `rate` has no effect in a rule that denies"},
      {"graphql: {}\n  mcp: {}", "5:3 `graphql` and `mcp` can never both hold"},
      {"jsonrpc: {}\n  mcp: {}", "5:3 `jsonrpc` and `mcp` can never both hold"},
      {"websocket: true\n  content_types: [a/b]", "5:3 `content_types` can mean nothing beside `websocket: true`"},
      {"websocket: true\n  graphql: {}", "5:3 `graphql` can mean nothing"},
      {"websocket: true\n  body_max: 1", "5:3 `body_max` can mean nothing"},
      {"websocket: true\n  methods: [POST]", "5:3 a WebSocket handshake is a GET"},
      {"encoded_slash: allow", "4:3 `encoded_slash` has no effect without `paths`"},
  };
  for (const auto& [keys, error] : table) EXPECT_THAT(wrong(keys), HasSubstr(error)) << keys;
}

TEST(LoadLimits, ReadsAndRefuses) {
  const auto wait = [](const std::string& text) {
    return document_of("limits: {approval_wait: " + text + "}").limits.approval_seconds;
  };
  EXPECT_EQ(wait("30s"), 30U);
  EXPECT_EQ(wait("10m"), 600U);
  EXPECT_EQ(wait("5min"), 300U);
  EXPECT_EQ(wait("24h"), 86400U);
  for (const char* text : {"0s", "25h", "5", "5 min", "1d", "-1s", "05min", "99999999999999999999s", "min"})
    EXPECT_THAT(errors_in(std::string("version: 1\nlimits: {approval_wait: ") + text + "}"), ElementsAre(HasSubstr("2:25 ")))
        << text;
  EXPECT_THAT(errors_in("version: 1\nlimits: {inspected_body: 65MiB}"), ElementsAre(HasSubstr("more than 64MiB")));
}

TEST(LoadRule, PointsBelowTheValueAfterTabsAndLongCharacters) {
  const auto loaded = load_text("version: 1\nrules: [{name: 'größer\t', hosts: [a.com], rate: 1/x}]\n", "p.yaml");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  const auto shown = format(loaded.diagnostics[0]);
  const auto caret = shown.find('^') - shown.rfind('\n', shown.find('^')) - 1;
  EXPECT_EQ(caret, static_cast<std::size_t>(loaded.diagnostics[0].place.column - 1));
  EXPECT_EQ(loaded.diagnostics[0].place.column, 49);
}

}  // namespace
}  // namespace weir::policy
