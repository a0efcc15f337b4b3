// What one decision costs, by size of the policy and by what the request looks like.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "policy/canonical.h"
#include "policy/loader.h"
#include "policy/policy.h"

namespace weir::policy {
namespace {

Policy with_rules(int count) {
  Document document;
  document.file = "bench.yaml";
  for (int i = 0; i < count; ++i) {
    Rule rule;
    rule.name = "rule " + std::to_string(i);
    const auto name = "host" + std::to_string(i) + ".example.com";
    rule.hosts = {{i % 3 == 0 ? HostPattern::Kind::below : HostPattern::Kind::exact, name, {}}};
    rule.methods = {"GET", "POST"};
    rule.paths = {"/v1/**", "/repos/*/*/issues"};
    document.rules.push_back(std::move(rule));
  }
  return std::move(Policy::compile(std::move(document)).value());
}

void decide(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  const auto policy = with_rules(count);
  std::vector<std::string> hosts;
  for (int i = 0; i < count; i += 7) hosts.push_back("host" + std::to_string(i) + ".example.com");
  const auto path = canonical_path("/repos/owner/name/issues");
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy.decide({"https", hosts[next], 443, "GET", &path}));
    next = next + 1 == hosts.size() ? 0 : next + 1;
  }
}
BENCHMARK(decide)->RangeMultiplier(10)->Range(10, 100000);

// All rules on one host, each with a path of its own.
void decide_on_one_host(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  Document document;
  document.file = "bench.yaml";
  for (int i = 0; i < count; ++i) {
    Rule rule;
    rule.name = "rule " + std::to_string(i);
    rule.hosts = {{HostPattern::Kind::exact, "api.example.com", {}}};
    rule.paths = {"/v1/items/" + std::to_string(i) + "/**"};
    document.rules.push_back(std::move(rule));
  }
  const auto policy = Policy::compile(std::move(document)).value();
  std::vector<CanonicalPath> paths;
  for (int i = 0; i < count; i += 7) paths.push_back(canonical_path("/v1/items/" + std::to_string(i) + "/name"));
  std::size_t next = 0;
  for (auto _ : state) {
    Request request;
    request.scheme = "https";
    request.host = "api.example.com";
    request.port = 443;
    request.method = "GET";
    request.path = &paths[next];
    benchmark::DoNotOptimize(policy.decide(request));
    next = next + 1 == paths.size() ? 0 : next + 1;
  }
}
BENCHMARK(decide_on_one_host)->RangeMultiplier(10)->Range(10, 100000);

void decide_unknown_host_of_many_labels(benchmark::State& state) {
  const auto policy = with_rules(10000);
  std::string host = "x";
  while (host.size() < 240) host = "a." + host;
  const auto path = canonical_path("/");
  for (auto _ : state) benchmark::DoNotOptimize(policy.decide({"https", host, 443, "GET", &path}));
}
BENCHMARK(decide_unknown_host_of_many_labels);

void decide_with_presets(benchmark::State& state) {
  auto loaded =
      load_text("version: 1\nuse: [anthropic, openai, gemini, github-write, github-read, git-clone]\n", "bench.yaml");
  const auto policy = Policy::compile(std::move(loaded.document)).value();
  const auto path = canonical_path("/v1/messages");
  for (auto _ : state) benchmark::DoNotOptimize(policy.decide({"https", "api.anthropic.com", 443, "POST", &path}));
}
BENCHMARK(decide_with_presets);

void canonicalise_path(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(canonical_path("/repos/owner/name/contents/a%20b/%7Euser/../file.txt"));
}
BENCHMARK(canonicalise_path);

void canonicalise_host(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(canonical_host("API.Example.com"));
}
BENCHMARK(canonicalise_host);

void load_ten_thousand_rules(benchmark::State& state) {
  std::string text = "version: 1\nrules:\n";
  for (int i = 0; i < 10000; ++i)
    text += "  - {hosts: [host" + std::to_string(i) + ".example.com], methods: [GET], paths: [\"/v1/**\"]}\n";
  for (auto _ : state) benchmark::DoNotOptimize(load_text(text, "bench.yaml").ok());
}
BENCHMARK(load_ten_thousand_rules)->Unit(benchmark::kMillisecond);

// From the text of a file to the compiled policy, for 100,000 hosts.
void load_and_compile(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    auto loaded = load_text(text, "/etc/weir/policy.yaml");
    if (!loaded.ok()) throw std::runtime_error(format(loaded.diagnostics.front()));
    benchmark::DoNotOptimize(Policy::compile(std::move(loaded.document)).value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

constexpr int kLoaded = 100'000;

void BM_LoadOneRuleOfManyHosts(benchmark::State& state) {
  std::string text = "version: 1\nrules:\n  - name: all\n    hosts:\n";
  for (int i = 0; i < kLoaded; ++i) text += "      - host" + std::to_string(i) + ".example.com\n";
  load_and_compile(state, text);
}
BENCHMARK(BM_LoadOneRuleOfManyHosts)->Unit(benchmark::kMillisecond);

void BM_LoadManyRules(benchmark::State& state) {
  std::string text = "version: 1\nrules:\n";
  for (int i = 0; i < kLoaded; ++i) {
    const auto number = std::to_string(i);
    text += "  - name: rule " + number + "\n    hosts: [host" + number + ".example.com]\n    methods: [GET, HEAD]\n";
  }
  load_and_compile(state, text);
}
BENCHMARK(BM_LoadManyRules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::policy
