#include "policy/matching/compiled_rule.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::policy {

namespace {

using Holds = Evaluation::Result;

constexpr std::array<std::string_view, 9> kCommonMethods = {"GET",   "HEAD",    "POST",  "PUT",    "DELETE",
                                                            "PATCH", "OPTIONS", "TRACE", "CONNECT"};

std::uint32_t bit_of(std::string_view method) {
  const auto found = std::ranges::find(kCommonMethods, method);
  return found == kCommonMethods.end() ? 0 : 1U << (found - kCommonMethods.begin());
}

bool any_matches(const std::vector<TextGlob>& globs, std::string_view text) {
  return std::ranges::any_of(globs, [&](const TextGlob& glob) { return glob.matches(text); });
}

// A name that may be given several times: none given, or none matching, does not hold; some matching and some not is doubt,
// for one server reads the first and another the last.
class Repeated {
 public:
  void add(bool matches) { (matches ? some_match_ : some_differ_) = true; }
  Holds result() const {
    if (!some_match_) return Holds::no;
    return some_differ_ ? Holds::doubt : Holds::yes;
  }

 private:
  bool some_match_ = false;
  bool some_differ_ = false;
};

Holds query_holds(const QueryParameters& query, const std::string& name, const TextGlob& glob) {
  if (!query.sound) return Holds::doubt;
  Repeated repeated;
  for (const auto& [given, value] : query.parameters)
    if (given == name) repeated.add(glob.matches(value));
  return repeated.result();
}

Holds header_holds(std::span<const HeaderField> headers, const std::string& name, const TextGlob& glob) {
  Repeated repeated;
  for (const auto& header : headers)
    if (equals_ignoring_case(header.name, name)) repeated.add(glob.matches(header.value));
  return repeated.result();
}

bool is_token_character(char c) {  // RFC 9110 §5.6.2
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110 §8.3.1. A list, a missing slash or anything else that is not one media type is doubt.
Holds content_type_holds(std::span<const HeaderField> headers, const std::vector<TextGlob>& globs) {
  const HeaderField* only = nullptr;
  for (const auto& header : headers) {
    if (!equals_ignoring_case(header.name, "content-type")) continue;
    if (only != nullptr) return Holds::doubt;
    only = &header;
  }
  if (only == nullptr) return Holds::no;
  const auto media_type = to_lower(trim(only->value.substr(0, only->value.find(';'))));
  const auto slash = media_type.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == media_type.size()) return Holds::doubt;
  for (std::size_t i = 0; i < media_type.size(); ++i)
    if (i != slash && !is_token_character(media_type[i])) return Holds::doubt;
  return any_matches(globs, media_type) ? Holds::yes : Holds::no;
}

// Keeps what counts most: what does not hold, then what waits for the body (which may yet turn out not to hold), then doubt.
void note(Evaluation& so_far, Holds holds, Condition condition, std::size_t index = 0) {
  const auto weight = [](Holds one) { return one == Holds::no ? 3 : one == Holds::needs_body ? 2 : one == Holds::doubt ? 1 : 0; };
  if (weight(holds) > weight(so_far.result)) so_far = {holds, condition, static_cast<std::uint16_t>(index)};
}

}  // namespace

Asked::Asked(const Request& for_request, std::string_view for_scheme)
    : request(for_request), scheme(for_scheme), tunnel(for_scheme == "tcp" || for_scheme == "tls"),
      method_bit(bit_of(for_request.method)) {}

const QueryParameters& Asked::query() const {
  if (!query_) query_ = parse_query(request.query);
  return *query_;
}

Result<const PathSets::Set*> PathSets::compile(const std::vector<std::string>& patterns) {
  std::string key;
  for (const auto& pattern : patterns) key.append(pattern).push_back('\n');  // no pattern has a line end
  auto& set = sets_[key];
  if (set) return set.get();
  auto made = std::make_unique<Set>();
  for (const auto& pattern : patterns) {
    auto glob = PathGlob::compile(pattern);
    if (!glob) return std::unexpected(glob.error());
    made->push_back(std::move(*glob));
  }
  set = std::move(made);
  return set.get();
}

Result<CompiledRule> CompiledRule::compile(const Rule& rule, PathSets& path_sets) {
  CompiledRule compiled;
  compiled.action_ = rule.action;
  compiled.tcp_ = rule.tcp;
  compiled.passthrough_ = rule.passthrough;
  compiled.looks_inside_ = rule.looks_inside();
  compiled.encoded_slash_ = rule.encoded_slash;
  compiled.websocket_ = rule.websocket;
  compiled.any_method_ = rule.methods.empty();
  compiled.usual_ports_ = rule.ports.empty();
  More more;
  for (const auto& method : rule.methods) {
    if (const auto bit = bit_of(method); bit != 0)
      compiled.methods_ |= bit;
    else
      more.methods.push_back(method);
  }
  if (!rule.paths.empty()) {
    const auto paths = path_sets.compile(rule.paths);
    if (!paths) return std::unexpected(paths.error());
    compiled.paths_ = *paths;
  }
  for (const auto& pattern : rule.process) {
    auto glob = PathGlob::compile(pattern);
    if (!glob) return std::unexpected(glob.error());
    more.process.push_back(std::move(*glob));
  }
  for (const auto& one : rule.query) more.query.emplace_back(one.name, TextGlob(one.glob));
  for (const auto& one : rule.headers) more.headers.emplace_back(one.name, TextGlob(one.glob));
  for (const auto& one : rule.content_types) more.content_types.emplace_back(one);
  for (const auto& one : rule.when) {
    auto window = CompiledWindow::compile(one);
    if (!window) return std::unexpected(window.error());
    more.when.push_back(std::move(*window));
  }
  if (rule.graphql) {
    more.graphql.emplace();
    more.graphql->operations = rule.graphql->operations;
    for (const auto& field : rule.graphql->fields) more.graphql->fields.emplace_back(field);
  }
  if (rule.rpc) {
    more.rpc.emplace();
    for (const auto& method : rule.rpc->methods) more.rpc->methods.emplace_back(method);
    for (const auto& tool : rule.rpc->tools) more.rpc->tools.emplace_back(tool);
  }
  more.body_max = rule.body_max;
  more.ports = rule.ports;
  more.has_rate = rule.rate.has_value();
  const bool has_more = !more.methods.empty() || !more.query.empty() || !more.headers.empty() || !more.content_types.empty() ||
                        !more.when.empty() || !more.process.empty() || more.graphql || more.rpc || more.body_max ||
                        !more.ports.empty() || more.has_rate;
  if (has_more) compiled.more_ = std::make_unique<More>(std::move(more));
  return compiled;
}

bool CompiledRule::takes_port(std::uint16_t pattern_port, std::uint16_t port) const {
  if (pattern_port != 0) return pattern_port == port;
  if (usual_ports_) return port == 443 || port == 80;
  return std::ranges::find(more_->ports, port) != more_->ports.end();
}

bool CompiledRule::takes_method(const Asked& asked) const {
  if (any_method_) return true;
  if (asked.method_bit != 0) return (methods_ & asked.method_bit) != 0;
  return more_ && std::ranges::find(more_->methods, asked.request.method) != more_->methods.end();
}

Evaluation CompiledRule::evaluate(const Asked& asked) const {
  const bool denies = action_ == Action::deny;
  if (asked.tunnel) {
    // Raw TCP needs a rule that says so, and TLS unopened one that says that. A denial is for whatever a connection carries.
    const bool opens = tcp_ || (passthrough_ && asked.scheme == "tls");
    if (!opens && action_ < Action::ask) return {Holds::no, Condition::tunnel};
    Evaluation result{Holds::yes, Condition::none};
    // SECURITY: G8, what it says about requests cannot be known of bytes that nobody reads.
    if (looks_inside_) result = {Holds::doubt, Condition::tunnel};
    return more_ ? evaluate_more(asked, result) : result;
  }
  if ((tcp_ && !denies) || passthrough_) return {Holds::no, Condition::tunnel};
  if (websocket_ ? *websocket_ != asked.request.websocket : asked.request.websocket && !denies)
    return {Holds::no, Condition::websocket};
  if (!takes_method(asked)) return {Holds::no, Condition::method};
  Evaluation result{Holds::yes, Condition::none};
  if (paths_ != nullptr) {
    // SECURITY: G7, a rule with paths is in play, and the path might mean another to the server than it does here.
    const CanonicalPath* path = asked.request.path;
    if (path == nullptr || path->ambiguous)
      result = {Holds::doubt, Condition::path};
    else if (path->encoded_slash && !encoded_slash_)
      result = {Holds::doubt, Condition::encoded_slash};
    else if (!std::ranges::any_of(*paths_, [&](const PathGlob& glob) { return glob.matches(path->decoded); }))
      return {Holds::no, Condition::path};
  }
  return more_ ? evaluate_more(asked, result) : result;
}

Evaluation::Result CompiledRule::process_holds(const Asked& asked) const {
  if (asked.request.process.empty()) return Holds::doubt;
  const auto listed = [&](const std::string& executable) {
    return std::ranges::any_of(more_->process, [&](const PathGlob& glob) { return glob.matches(executable); });
  };
  // A connection may be held by several: for a denial one of them is enough, everything else needs all.
  const bool holds = action_ == Action::deny ? std::ranges::any_of(asked.request.process, listed)
                                             : std::ranges::all_of(asked.request.process, listed);
  return holds ? Holds::yes : Holds::no;
}

Evaluation CompiledRule::evaluate_more(const Asked& asked, Evaluation so_far) const {
  const More& more = *more_;
  if (!more.when.empty() && std::ranges::none_of(more.when, [&](const auto& one) { return one.holds(asked.request.now); }))
    return {Holds::no, Condition::when};
  if (!more.process.empty()) note(so_far, process_holds(asked), Condition::process);
  if (asked.tunnel) return so_far;
  for (std::size_t i = 0; i < more.query.size() && so_far.result != Holds::no; ++i)
    note(so_far, query_holds(asked.query(), more.query[i].first, more.query[i].second), Condition::query, i);
  for (std::size_t i = 0; i < more.headers.size() && so_far.result != Holds::no; ++i)
    note(so_far, header_holds(asked.request.headers, more.headers[i].first, more.headers[i].second), Condition::header, i);
  if (!more.content_types.empty() && so_far.result != Holds::no)
    note(so_far, content_type_holds(asked.request.headers, more.content_types), Condition::content_type);
  if ((more.graphql || more.rpc) && so_far.result != Holds::no) {
    const auto body = evaluate_body(asked);
    note(so_far, body.result, body.condition);
  }
  return so_far;
}

Evaluation CompiledRule::evaluate_body(const Asked& asked) const {
  const bool rpc = more_->rpc.has_value();
  const Condition condition = rpc ? Condition::rpc : Condition::graphql;
  const Body* body = asked.request.body;
  if (body == nullptr) return {Holds::needs_body, condition};
  const Reading& reading = rpc ? body->rpc : body->graphql;
  if (reading.state == Reading::State::absent) return {Holds::no, condition};
  if (reading.state == Reading::State::unreadable) return {Holds::doubt, condition};
  if (asked.operation == nullptr || asked.operation_is_rpc != rpc) return {Holds::no, condition};
  const Operation& operation = *asked.operation;
  bool holds = false;
  if (rpc) {
    const auto& wanted = *more_->rpc;
    const bool is_tool_call = operation.kind == "tools/call";
    holds = wanted.methods.empty() ? wanted.tools.empty() || is_tool_call : any_matches(wanted.methods, operation.kind);
    if (holds && is_tool_call && !wanted.tools.empty()) holds = any_matches(wanted.tools, operation.name);
  } else {
    const auto& wanted = *more_->graphql;
    holds = (wanted.operations.empty() || std::ranges::find(wanted.operations, operation.kind) != wanted.operations.end()) &&
            (wanted.fields.empty() || any_matches(wanted.fields, operation.name));
  }
  return {holds ? Holds::yes : Holds::no, condition};
}

}  // namespace weir::policy
