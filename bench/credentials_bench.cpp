// What credentials cost a request: one put in, placeholders in a head, placeholders in a body.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "proxy/credentials/injection.h"
#include "proxy/credentials/substitution.h"

namespace weir::proxy {
namespace {

const std::string kSecret = "sk-0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF";
const std::vector<HeaderField> kHeaders = {{"Accept", "application/json"},
                                           {"Accept-Encoding", "gzip, deflate, br"},
                                           {"Content-Type", "application/json"},
                                           {"User-Agent", "client/2.1.0 (linux; x64)"},
                                           {"X-Request-Id", "0f6e2b1c-6a3d-4d2a-9f1f-1d2c3b4a5968"},
                                           {"Cookie", "theme=dark; sid=theirs; lang=en"},
                                           {"Authorization", "Bearer theirs"},
                                           {"X-Stainless-Lang", "js"},
                                           {"X-Stainless-Os", "Linux"},
                                           {"Anthropic-Version", "2023-06-01"}};

policy::Injection injection(policy::Injection::Kind kind, std::string name, std::string format) {
  policy::Injection out;
  out.kind = kind;
  out.name = std::move(name);
  out.format = std::move(format);
  out.username = "x-access-token";
  return out;
}

// The draft itself is made in both: the difference is the injection.
void Inject(benchmark::State& state, const policy::Injection& kind) {
  for (auto _ : state) {
    DraftRequest draft;
    draft.headers = kHeaders;
    draft.query = "beta=true&key=theirs&page=2";
    if (!inject(kind, kSecret, draft)) return state.SkipWithError("the value is refused");
    benchmark::DoNotOptimize(draft.headers.data());
  }
}
const auto kNone = injection(policy::Injection::Kind::none, "", "");
const auto kHeader = injection(policy::Injection::Kind::header, "Authorization", "Bearer {secret}");
const auto kBasic = injection(policy::Injection::Kind::basic, "", "{secret}");
const auto kQuery = injection(policy::Injection::Kind::query, "key", "{secret}");
const auto kCookie = injection(policy::Injection::Kind::cookie, "sid", "{secret}");
BENCHMARK_CAPTURE(Inject, Nothing, kNone);
BENCHMARK_CAPTURE(Inject, Header, kHeader);
BENCHMARK_CAPTURE(Inject, Basic, kBasic);
BENCHMARK_CAPTURE(Inject, Query, kQuery);
BENCHMARK_CAPTURE(Inject, Cookie, kCookie);

struct Placeholders {
  policy::Substitution where;
  std::vector<std::string> texts;
  std::vector<Replacement> replacements;
  Placeholders() {
    where.in_header = where.in_query = where.in_path = where.in_body = true;
    for (const char* shape : {"sk_live_", "ghp_", "xoxb-", "tok-", "sk-proj-"})
      texts.push_back(shape + std::string("Ab3dEf5hIj7lMn9pQr1t") + shape[1] + "Z");
    for (const auto& text : texts)
      replacements.push_back({static_cast<std::uint32_t>(replacements.size()), text, kSecret, &where});
  }
};
const Placeholders kPlaceholders;

// `present` of five placeholders that are looked for stand in the head: in headers, the query and the path.
void SubstituteHead(benchmark::State& state) {
  const auto present = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < present; ++i) values.push_back("Bearer " + kPlaceholders.texts[i]);
  const std::string query = "beta=true&key=" + (present > 3 ? kPlaceholders.texts[3] : "nothing"),
                    path = "/v1/" + (present > 4 ? kPlaceholders.texts[4] : "nothing");
  for (auto _ : state) {
    DraftRequest draft;
    draft.headers = kHeaders;
    for (std::size_t i = 0; i < std::min<std::size_t>(present, 3); ++i) draft.headers.push_back({"X-Token", values[i]});
    draft.query = query;
    draft.path = path;
    const auto replaced = replace_in_head(draft, kPlaceholders.replacements);
    if (!replaced || *replaced != present) return state.SkipWithError("not all were replaced");
    benchmark::DoNotOptimize(draft.headers.data());
  }
}
BENCHMARK(SubstituteHead)->Arg(0)->Arg(1)->Arg(5);

void FindInHead(benchmark::State& state) {
  DraftRequest draft;
  draft.headers = kHeaders;
  draft.query = "beta=true&key=nothing";
  draft.path = "/v1/messages";
  for (auto _ : state) benchmark::DoNotOptimize(placeholders_in(draft, kPlaceholders.replacements));
}
BENCHMARK(FindInHead);

// A conversation of 75 kB, with five placeholders looked for and `present` there, in pieces of 16 KiB.
void SubstituteBody(benchmark::State& state, BodyKind kind) {
  std::string text = "{\"model\":\"m\",\"messages\":[";
  std::int64_t present = 0;
  while (text.size() < 75000) {
    text +=
        R"({"role":"user","content":"Please read src/main.cpp and say what skips the \"test\" there.\nIt is slow, so look at the loops too; keep the text short.\n"},)";
    if (present < state.range(0) && text.size() > static_cast<std::size_t>(present + 1) * 14000)
      text += "{\"token\":\"" + kPlaceholders.texts[static_cast<std::size_t>(present++)] + "\"},";
  }
  for (auto _ : state) {
    BodySubstitution body(kind, kPlaceholders.replacements);
    for (std::size_t at = 0; at < text.size(); at += 16384) {
      WipedText out;
      const auto piece = std::string_view(text).substr(at, 16384);
      if (!body.feed(piece, at + 16384 >= text.size(), out)) return state.SkipWithError("a value is refused");
      benchmark::DoNotOptimize(out.data());
    }
    if (body.replaced() != static_cast<std::size_t>(present)) return state.SkipWithError("not all were replaced");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(SubstituteBody, Json, BodyKind::json)->Arg(0)->Arg(5);
BENCHMARK_CAPTURE(SubstituteBody, Text, BodyKind::text)->Arg(0)->Arg(5);
BENCHMARK_CAPTURE(SubstituteBody, Form, BodyKind::form)->Arg(5);

}  // namespace
}  // namespace weir::proxy
