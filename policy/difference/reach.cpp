#include "policy/difference/reach.h"

#include <algorithm>

#include "policy/matching/compiled_rule.h"

namespace weir::policy {

namespace {

// The rule with that of its conditions only that the dimension is about.
Rule part_of(const Rule& rule, const Dimension& dimension) {
  Rule part;
  part.action = rule.action;
  part.hosts = rule.hosts;
  part.tcp = rule.tcp;
  part.passthrough = rule.passthrough;
  part.websocket = rule.websocket;
  using About = Dimension::About;
  switch (dimension.about) {
    case About::methods:
      part.methods = rule.methods;
      break;
    case About::paths:
      part.paths = rule.paths;
      part.encoded_slash = rule.encoded_slash;
      break;
    case About::query:
      std::ranges::copy_if(rule.query, std::back_inserter(part.query),
                           [&](const auto& one) { return one.name == dimension.subject; });
      break;
    case About::headers:
      std::ranges::copy_if(rule.headers, std::back_inserter(part.headers),
                           [&](const auto& one) { return one.name == dimension.subject; });
      break;
    case About::content_types:
      part.content_types = rule.content_types;
      break;
    case About::body:
      part.graphql = rule.graphql;
      part.rpc = rule.rpc;
      break;
    case About::time:
      part.when = rule.when;
      break;
    case About::process:
      part.process = rule.process;
      break;
    case About::scheme:
    case About::websocket:
      break;
  }
  return part;
}

bool may_match(const CompiledRule& rule, const Request& request) {
  Asked asked(request, request.scheme);
  const auto says_no = [&] { return rule.evaluate(asked).result == Evaluation::Result::no; };
  if (!says_no()) return true;
  if (request.body == nullptr) return false;
  for (const bool rpc : {false, true})
    for (const auto& operation : (rpc ? request.body->rpc : request.body->graphql).operations) {
      asked.operation = &operation;
      asked.operation_is_rpc = rpc;
      if (!says_no()) return true;
    }
  return false;
}

}  // namespace

Reach reach_of(const Rule& rule, const std::vector<Dimension>& dimensions, const SampleRequest& start) {
  Reach reach;
  PathSets path_sets;
  for (const auto& dimension : dimensions) {
    const auto compiled = CompiledRule::compile(part_of(rule, dimension), path_sets);
    auto& row = reach.emplace_back();
    for (const auto& value : dimension.values) {
      auto request = start;
      // All but the value itself must not stand in the way.
      if (dimension.about != Dimension::About::websocket) request.websocket = rule.websocket.value_or(false);
      value.apply(request);
      row.push_back(!compiled || request.with_request([&](const Request& asked) { return may_match(*compiled, asked); }));
    }
  }
  return reach;
}

}  // namespace weir::policy
