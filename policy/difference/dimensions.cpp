#include "policy/difference/dimensions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "policy/difference/glob_classes.h"

namespace weir::policy {

namespace {

using Kind = Dimension::Kind;
using About = Dimension::About;

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

// What each glob covers, as labels over the classes at `offset` of `values`.
void add_labels(Dimension& dimension, const std::vector<std::string>& globs, const std::vector<GlobClass>& classes,
                std::size_t offset) {
  for (std::size_t g = 0; g < globs.size(); ++g) {
    Dimension::Label label{globs[g], std::vector<bool>(offset, false)};
    // Paths with an encoded slash are denied where a pattern is in play, mostly: they are spoken of by themselves.
    for (const auto& one : classes) label.covers.push_back(one.matched[g] && !one.encoded_slash);
    dimension.labels.push_back(std::move(label));
  }
}

// Labels may be made before all values are known.
void level_labels(Dimension& dimension) {
  for (auto& label : dimension.labels) label.covers.resize(dimension.values.size(), false);
}

Dimension methods_of(const RuleList& rules) {
  Dimension dimension{.kind = Kind::method, .about = About::methods, .name = "method", .values = {}, .labels = {}};
  std::vector<std::string> methods;
  for (const auto* rule : rules)
    for (const auto& method : rule->methods) add_once(methods, method);
  std::string other = methods.empty() ? "GET" : "OTHER";
  for (const char* usual : {"GET", "POST", "PUT", "DELETE"})
    if (other == "OTHER" && std::ranges::find(methods, usual) == methods.end()) other = usual;
  while (std::ranges::find(methods, other) != methods.end()) other += "X";
  for (const auto& method : methods)
    dimension.values.push_back({method, [method](SampleRequest& request) { request.method = method; }});
  dimension.values.push_back({"other methods", [other](SampleRequest& request) { request.method = other; }});
  return dimension;
}

void set_path(SampleRequest& request, const std::string& decoded) {
  request.path = decoded;
  request.canonical = canonical_path(wire_path(decoded));
}

void add_paths(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  std::vector<std::string> globs;
  for (const auto* rule : rules)
    for (const auto& glob : rule->paths) add_once(globs, glob);
  if (globs.empty()) return;
  Dimension dimension{.kind = Kind::path, .about = About::paths, .name = "path", .values = {}, .labels = {}};
  const auto classes = classes_of(globs, GlobKind::path);
  if (!classes.complete) add_bound(bounds, "path patterns that overlap in too many ways");
  for (const auto& one : classes.classes)
    dimension.values.push_back({one.text, [text = one.text](SampleRequest& request) { set_path(request, text); }});
  add_labels(dimension, globs, classes.classes, 0);
  dimension.values.push_back({"paths that can be read in two ways", [](SampleRequest& request) {
                                request.path = "//";
                                request.canonical = canonical_path("//");
                              }});
  level_labels(dimension);
  out.push_back(std::move(dimension));
}

using Values = std::vector<std::string>;
using Given = std::vector<std::pair<std::string, Values>>;

void set_given(Given& given, const std::string& name, const Values& values) {
  std::erase_if(given, [&](const auto& one) { return one.first == name; });
  if (!values.empty()) given.emplace_back(name, values);
}

// A class by the text that stands for it: "like x" where it has others too.
std::string shown(const GlobClass& one, const std::vector<std::string>& globs, const std::string& text) {
  for (std::size_t g = 0; g < globs.size(); ++g)
    if (one.matched[g] && globs[g].find('*') == std::string::npos) return text;
  return "like " + text;
}

std::string in_quotes(const std::string& text) { return fmt::format("\"{}\"", text); }

// What values given under one name mean to the globs: to each of them whether all match, and whether some do. Values that
// mean the same to every glob are the same to every rule, however many they are.
struct GivenValues {
  std::vector<bool> all, some;
  Values values;
  std::string label;
};

// One way for each set of values that some rule could tell from the others: single ones first.
std::vector<GivenValues> given_values(const std::vector<GlobClass>& classes, const std::vector<std::string>& globs,
                                      bool& complete) {
  constexpr std::size_t kMost = 120;
  std::vector<GivenValues> out;
  std::set<std::pair<std::vector<bool>, std::vector<bool>>> known;
  const auto add = [&](GivenValues one) {
    if (known.emplace(one.all, one.some).second) out.push_back(std::move(one));
  };
  for (const auto& one : classes) add({one.matched, one.matched, {one.text}, shown(one, globs, in_quotes(one.text))});
  for (std::size_t at = 0; at < out.size(); ++at)
    for (const auto& one : classes) {
      if (out.size() >= kMost) {
        complete = false;
        return out;
      }
      GivenValues more = out[at];
      for (std::size_t g = 0; g < one.matched.size(); ++g) {
        more.all[g] = more.all[g] && one.matched[g];
        more.some[g] = more.some[g] || one.matched[g];
      }
      more.values.push_back(one.text);
      more.label = "given with different values";
      add(std::move(more));
    }
  return out;
}

// Parameters of the query, or headers, by name: absent, one value, several values.
void add_named(const RuleList& rules, bool query, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  std::map<std::string, std::vector<std::string>> names;
  for (const auto* rule : rules)
    for (const auto& glob : query ? rule->query : rule->headers) add_once(names[glob.name], glob.glob);
  bool first = true;
  for (const auto& [name, globs] : names) {
    Dimension dimension{.kind = Kind::condition,
                        .about = query ? About::query : About::headers,
                        .subject = name,
                        .name = fmt::format("{} {}", query ? "query" : "header", name),
                        .values = {},
                        .labels = {}};
    const auto classes = classes_of(globs, query ? GlobKind::text : GlobKind::header);
    if (!classes.complete) add_bound(bounds, fmt::format("patterns of {} that overlap in too many ways", dimension.name));
    // The first parameter's values say whether the whole query can be read.
    const auto add = [&](std::string label, const Values& values) {
      dimension.values.push_back(
          {std::move(label), [query, first, subject = dimension.subject, values](SampleRequest& request) {
             set_given(query ? request.query : request.headers, subject, values);
             if (query && first) request.unsound_query = false;
           }});
    };
    add("absent", {});
    bool all_seen = true;
    const auto given = given_values(classes.classes, globs, all_seen);
    if (!all_seen) add_bound(bounds, fmt::format("{} given several times with values of different kinds", dimension.name));
    for (std::size_t g = 0; g < globs.size(); ++g) {
      Dimension::Label label{globs[g], {false}};
      for (const auto& one : given) label.covers.push_back(one.all[g]);
      dimension.labels.push_back(std::move(label));
    }
    for (const auto& one : given) add(one.label, one.values);
    if (query && first)
      dimension.values.push_back({"unreadable", [](SampleRequest& request) { request.unsound_query = true; }});
    first = false;
    level_labels(dimension);
    out.push_back(std::move(dimension));
  }
}

void add_content_types(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  std::vector<std::string> globs;
  for (const auto* rule : rules)
    for (const auto& glob : rule->content_types) add_once(globs, glob);
  if (globs.empty()) return;
  Dimension dimension{
      .kind = Kind::condition, .about = About::content_types, .name = "content type", .values = {}, .labels = {}};
  const auto classes = classes_of(globs, GlobKind::media_type);
  if (!classes.complete) add_bound(bounds, "content types that overlap in too many ways");
  const auto add = [&](std::string label, const Values& values) {
    dimension.values.push_back(
        {std::move(label), [values](SampleRequest& request) { set_given(request.headers, "content-type", values); }});
  };
  add("absent", {});
  add_labels(dimension, globs, classes.classes, 1);
  for (const auto& one : classes.classes) add(shown(one, globs, one.text), {one.text});
  add("malformed", {"malformed"});
  level_labels(dimension);
  out.push_back(std::move(dimension));
}

void add_websocket(std::vector<Dimension>& out) {
  Dimension dimension{.kind = Kind::condition, .about = About::websocket, .name = "websocket", .values = {}, .labels = {}};
  dimension.values.push_back({"false", [](SampleRequest& request) { request.websocket = false; }});
  dimension.values.push_back({"true", [](SampleRequest& request) { request.websocket = true; }});
  out.push_back(std::move(dimension));
}

Reading reading_of(const Operation& operation) { return {Reading::State::read, {operation}, {}}; }

struct NamedReading {
  std::string label;
  Reading reading;
};

std::string visible(const std::string& text) { return text.empty() ? in_quotes(text) : text; }

std::vector<NamedReading> graphql_readings(const RuleList& rules, std::vector<std::string>& bounds) {
  std::vector<std::string> fields;
  for (const auto* rule : rules)
    if (rule->graphql)
      for (const auto& field : rule->graphql->fields) add_once(fields, field);
  const auto classes = classes_of(fields, GlobKind::word);
  if (!classes.complete) add_bound(bounds, "GraphQL fields that overlap in too many ways");
  std::vector<NamedReading> readings;
  for (const std::string kind : {"query", "mutation", "subscription"})
    for (const auto& one : classes.classes)
      readings.push_back(
          {fields.empty() ? kind : fmt::format("{} {}", kind, shown(one, fields, one.text)), reading_of({kind, one.text})});
  return readings;
}

std::vector<NamedReading> rpc_readings(const RuleList& rules, std::vector<std::string>& bounds) {
  std::vector<std::string> methods, tools;
  for (const auto* rule : rules) {
    if (!rule->rpc) continue;
    for (const auto& method : rule->rpc->methods) add_once(methods, method);
    for (const auto& tool : rule->rpc->tools) add_once(tools, tool);
  }
  // tools/call is a method of its own, whatever the globs.
  auto with_call = methods;
  add_once(with_call, std::string("tools/call"));
  const auto method_classes = classes_of(with_call, GlobKind::text);
  const auto tool_classes = classes_of(tools, GlobKind::text);
  if (!method_classes.complete || !tool_classes.complete) add_bound(bounds, "methods that overlap in too many ways");
  const auto is_call = static_cast<std::size_t>(std::ranges::find(with_call, "tools/call") - with_call.begin());
  std::vector<NamedReading> readings;
  for (const auto& method : method_classes.classes) {
    if (!method.matched[is_call]) {
      readings.push_back(
          {fmt::format("call {}", shown(method, with_call, visible(method.text))), reading_of({method.text, ""})});
      continue;
    }
    for (const auto& tool : tool_classes.classes)
      readings.push_back(
          {tools.empty() ? std::string("tools/call") : fmt::format("tools/call {}", shown(tool, tools, visible(tool.text))),
           reading_of({method.text, tool.text})});
  }
  return readings;
}

void add_bodies(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  const bool graphql = std::ranges::any_of(rules, [](const Rule* rule) { return rule->graphql.has_value(); });
  const bool rpc = std::ranges::any_of(rules, [](const Rule* rule) { return rule->rpc.has_value(); });
  if (!graphql && !rpc) return;
  Dimension dimension{.kind = Kind::condition, .about = About::body, .name = "body", .values = {}, .labels = {}};
  const auto add = [&](std::string label, const Reading& first, const Reading& second) {
    dimension.values.push_back({std::move(label), [body = Body{first, second}](SampleRequest& request) {
                                  request.has_body = true;
                                  request.body = body;
                                }});
  };
  const Reading absent, unreadable{Reading::State::unreadable, {}, {}};
  add("no operation", absent, absent);
  if (graphql) {
    for (const auto& one : graphql_readings(rules, bounds)) {
      add(one.label, one.reading, absent);
      if (rpc) add(one.label + ", unreadable as JSON-RPC", one.reading, unreadable);
    }
    add("unreadable as GraphQL", unreadable, absent);
  }
  if (rpc) {
    for (const auto& one : rpc_readings(rules, bounds)) {
      add(one.label, absent, one.reading);
      if (graphql) add(one.label + ", unreadable as GraphQL", unreadable, one.reading);
    }
    add("unreadable as JSON-RPC", absent, unreadable);
  }
  if (graphql && rpc) add("unreadable", unreadable, unreadable);
  out.push_back(std::move(dimension));
}

// Sets of executables: a denial asks for any of them, everything else for all.
void add_process(const RuleList& rules, std::vector<Dimension>& out, std::vector<std::string>& bounds) {
  constexpr std::size_t kAllSets = 6;
  std::vector<std::string> globs;
  for (const auto* rule : rules)
    for (const auto& glob : rule->process) add_once(globs, glob);
  if (globs.empty()) return;
  const auto classes = classes_of(globs, GlobKind::path);
  Dimension dimension{.kind = Kind::condition, .about = About::process, .name = "process", .values = {}, .labels = {}};
  const auto add = [&](std::string label, Values programs) {
    dimension.values.push_back(
        {std::move(label), [programs = std::move(programs)](SampleRequest& request) { request.process = programs; }});
  };
  add("not known", {});
  add_labels(dimension, globs, classes.classes, 1);
  for (const auto& one : classes.classes) add(shown(one, globs, one.text), {one.text});
  const auto count = classes.classes.size();
  if (!classes.complete || count > kAllSets) add_bound(bounds, "connections held by three or more programs");
  for (std::size_t set = 1; count <= kAllSets ? set < std::size_t{1} << count : false; ++set) {
    Values programs;
    for (std::size_t i = 0; i < count; ++i)
      if ((set >> i & 1U) != 0) programs.push_back(classes.classes[i].text);
    if (programs.size() > 1) add(fmt::format("{}", fmt::join(programs, " with ")), programs);
  }
  for (std::size_t i = 0; count > kAllSets && i < count; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const Values both{classes.classes[j].text, classes.classes[i].text};
      add(fmt::format("{}", fmt::join(both, " with ")), both);
    }
  level_labels(dimension);
  out.push_back(std::move(dimension));
}

}  // namespace

void add_bound(std::vector<std::string>& bounds, std::string text) { add_once(bounds, text); }

std::vector<Dimension> request_dimensions(const RuleList& rules, std::vector<std::string>& bounds) {
  std::vector<Dimension> dimensions;
  // Plain HTTP differs from HTTPS only where TLS may be carried unread.
  if (std::ranges::any_of(rules, [](const Rule* rule) { return rule->passthrough; })) {
    Dimension scheme{.kind = Kind::scheme, .about = About::scheme, .name = "scheme", .values = {}, .labels = {}};
    for (const std::string name : {"https", "http"})
      scheme.values.push_back({name, [name](SampleRequest& request) { request.scheme = name; }});
    dimensions.push_back(std::move(scheme));
  }
  dimensions.push_back(methods_of(rules));
  add_paths(rules, dimensions, bounds);
  add_named(rules, true, dimensions, bounds);
  add_named(rules, false, dimensions, bounds);
  add_content_types(rules, dimensions, bounds);
  add_websocket(dimensions);
  add_bodies(rules, dimensions, bounds);
  add_time(rules, dimensions, bounds);
  add_process(rules, dimensions, bounds);
  return dimensions;
}

std::vector<Dimension> tunnel_dimensions(const RuleList& rules, std::vector<std::string>& bounds) {
  std::vector<Dimension> dimensions;
  Dimension scheme{.kind = Kind::scheme, .about = About::scheme, .name = "scheme", .values = {}, .labels = {}};
  for (const std::string name : {"tls", "tcp"})
    scheme.values.push_back({name, [name](SampleRequest& request) { request.scheme = name; }});
  dimensions.push_back(std::move(scheme));
  add_time(rules, dimensions, bounds);
  add_process(rules, dimensions, bounds);
  return dimensions;
}

}  // namespace weir::policy
