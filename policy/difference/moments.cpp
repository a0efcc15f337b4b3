// Moments that stand for all others: one for each set of time windows that can hold together.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "policy/difference/dimensions.h"
#include "policy/formatting/written.h"
#include "policy/matching/time_window.h"

namespace weir::policy {

namespace {

constexpr std::int64_t kMinute = 60, kDay = 86400;
constexpr std::int64_t kMonday = 1'767'571'200;  // 2026-01-05T00:00Z
constexpr std::size_t kMaxSamples = 400'000;

}  // namespace

void add_time(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  std::vector<TimeWindow> windows;
  for (const auto* rule : rules)
    for (const auto& window : rule->when)
      if (std::ranges::find(windows, window) == windows.end()) windows.push_back(window);
  if (windows.empty()) return;

  // Weekly windows begin and end at multiples of `step`; offsets of zones are multiples of a quarter of an hour.
  std::int64_t step = 15;
  std::set<std::string> zones;
  std::set<std::int64_t> edges;  // of intervals
  std::vector<CompiledWindow> compiled;
  for (const auto& window : windows) {
    if (auto one = CompiledWindow::compile(window)) compiled.push_back(std::move(*one));
    if (window.kind == TimeWindow::Kind::interval) {
      edges.insert({window.begin, window.end});
    } else {
      step = std::gcd(step, std::gcd(std::int64_t{window.from}, std::int64_t{window.to}));
      zones.insert(window.zone_rule);
    }
  }
  if (compiled.size() != windows.size()) return;  // Policy::compile() has refused such a document
  step = std::max<std::int64_t>(step, 1) * kMinute;
  // One zone repeats itself every week; several change their clocks at different times of the year. Two weeks, since an hour
  // of one of them may be skipped.
  const auto span = zones.size() > 1 ? 366 * kDay : zones.empty() ? step : 14 * kDay;

  Dimension dimension{
      .kind = Dimension::Kind::condition, .about = Dimension::About::time, .name = "time", .values = {}, .labels = {}};
  std::map<std::vector<bool>, std::int64_t> seen;
  std::size_t samples = 0;
  const auto look = [&](std::int64_t moment) {
    std::vector<bool> holding;
    for (const auto& one : compiled) holding.push_back(one.holds(moment));
    seen.emplace(std::move(holding), moment);
  };
  const auto look_from = [&](std::int64_t begin, std::int64_t end) {
    look(begin);
    for (auto at = begin - begin % step + step; at < std::min(end, begin + span); at += step) {
      if (++samples > kMaxSamples) {
        add_bound(bounds, "times of the year at which the clocks of several zones change");
        return;
      }
      look(at);
    }
  };
  if (edges.empty()) {
    look_from(kMonday, kMonday + span);
  } else {
    look_from(*edges.begin() - span, *edges.begin());
    for (auto edge = edges.begin(); edge != edges.end(); ++edge)
      look_from(*edge, std::next(edge) == edges.end() ? *edge + span : *std::next(edge));
  }
  for (std::size_t w = 0; w < windows.size(); ++w) {
    Dimension::Label label{written(windows[w]), {}};
    for (const auto& [holding, moment] : seen) label.covers.push_back(holding[w]);
    dimension.labels.push_back(std::move(label));
  }
  for (const auto& [holding, moment] : seen) {
    const TimeWindow at{.kind = TimeWindow::Kind::interval, .zone = {}, .zone_rule = {}, .begin = moment, .end = moment};
    const auto text = written(at);
    dimension.values.push_back(
        {text.substr(0, text.find('/')), [now = moment](SampleRequest& request) { request.now = now; }});
  }
  out.push_back(std::move(dimension));
}

}  // namespace weir::policy
