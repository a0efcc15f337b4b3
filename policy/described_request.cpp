#include "policy/described_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::policy {

namespace {

// What the URL and the body say already. Said twice, the two could differ.
constexpr std::array<std::string_view, 3> kSaidElsewhere = {"host", "content-length", "transfer-encoding"};

bool is_token(std::string_view text) {  // RFC 9110 §5.6.2
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

Result<void> check_header(const std::string& name, const std::string& value) {
  const auto shown = printable(name, 80);
  if (!is_token(name)) return fail("request_invalid", fmt::format("`{}` is not the name of a header", shown));
  if (std::ranges::find(kSaidElsewhere, to_lower(name)) != kSaidElsewhere.end())
    return fail("request_invalid", fmt::format("the header `{}` follows from the URL and the body; leave it out", shown));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    return fail("request_invalid", fmt::format("the value of the header `{}` has a line break or a NUL", shown));
  return {};
}

Result<void> check_connection(const Description& described) {
  const auto none = [](std::string_view what) {
    return fail("request_invalid", fmt::format("a connection that is not looked into has no {}; leave it out", what));
  };
  if (!described.method.empty() && described.method != "CONNECT") return none("method");
  if (!described.headers.empty()) return none("headers");
  if (described.body || described.body_size) return none("body");
  if (described.websocket) return none("WebSocket handshake");
  return {};
}

Reading too_large(std::uint64_t limit) {
  return {.state = Reading::State::unreadable,
          .operations = {},
          .problem = fmt::format("it is larger than limits.inspected_body ({} octets)", limit)};
}

}  // namespace

struct DescribedRequest::State {
  Description described;
  Target target;
  std::vector<HeaderField> headers;  // views into described
  Body body;
  std::uint64_t body_size = 0;
  std::int64_t now = 0;

  // Repeated ones joined (RFC 9110 §5.3): two content types are then none that can be read.
  std::string header(std::string_view name) const {
    std::string all;
    for (const auto& field : headers)
      if (equals_ignoring_case(field.name, name)) all += (all.empty() ? "" : ", ") + std::string(field.value);
    return all;
  }
};

DescribedRequest::DescribedRequest(std::unique_ptr<State> state) : state_(std::move(state)) {}
DescribedRequest::DescribedRequest(DescribedRequest&&) noexcept = default;
DescribedRequest& DescribedRequest::operator=(DescribedRequest&&) noexcept = default;
DescribedRequest::~DescribedRequest() = default;

Result<DescribedRequest> DescribedRequest::make(Description description, const Limits& limits, std::int64_t now) {
  auto state = std::make_unique<State>();
  state->described = std::move(description);
  auto& described = state->described;
  auto target = parse_target(described.url);
  if (!target) return std::unexpected(target.error());
  state->target = std::move(*target);
  state->now = described.at.value_or(now);
  DescribedRequest request(std::move(state));
  State& own = *request.state_;
  for (const auto& executable : described.process)
    if (!executable.starts_with('/'))
      return fail("request_invalid", fmt::format("the executable `{}` is not an absolute path", printable(executable, 200)));
  if (request.is_connection()) {
    if (auto checked = check_connection(described); !checked) return std::unexpected(checked.error());
    described.method.clear();
    return request;
  }
  if (described.method.empty()) described.method = "GET";
  if (!is_token(described.method))
    return fail("request_invalid", fmt::format("`{}` is not a method", printable(described.method, 80)));
  for (const auto& [name, value] : described.headers) {
    if (auto checked = check_header(name, value); !checked) return std::unexpected(checked.error());
    own.headers.push_back({name, trim(value)});
    if (equals_ignoring_case(name, "upgrade") && to_lower(value).find("websocket") != std::string::npos)
      described.websocket = true;
  }
  described.websocket = described.websocket || own.target.websocket;
  if (described.body && described.body_size)
    return fail("request_invalid", "a body is given, and its size besides; leave the size out");
  own.body_size = described.body ? described.body->size() : described.body_size.value_or(0);
  const auto content_type = own.header("content-type"), content_encoding = own.header("content-encoding");
  const std::string text = described.body.value_or("");
  if (own.body_size > limits.inspected_body || described.body_size.value_or(0) > 0) {
    own.body.graphql = own.body.rpc = too_large(limits.inspected_body);
    if (own.body_size <= limits.inspected_body)
      own.body.graphql.problem = own.body.rpc.problem = "only its size is given, not the body itself";
  } else {
    own.body.graphql = read_graphql(described.method, own.target.query, content_type, content_encoding, text);
    own.body.rpc = read_jsonrpc(content_type, content_encoding, text);
  }
  return request;
}

const Target& DescribedRequest::target() const { return state_->target; }
const std::string& DescribedRequest::method() const { return state_->described.method; }
bool DescribedRequest::is_connection() const { return state_->target.scheme == "tcp" || state_->target.scheme == "tls"; }
const Body& DescribedRequest::body() const { return state_->body; }

Request DescribedRequest::request() const {
  Request request = state_->target.request(state_->described.method);
  request.headers = state_->headers;
  request.websocket = state_->described.websocket;
  request.body_size = state_->body_size;
  request.body = &state_->body;
  request.now = state_->now;
  request.process = state_->described.process;
  if (is_connection()) {
    request.body = nullptr;
    request.body_size.reset();
  }
  return request;
}

Decision DescribedRequest::decide(const Policy& policy) const {
  Request asked = request();
  asked.body = nullptr;
  Decision decision = policy.decide(asked);
  if (decision.needs_body) decision = policy.decide(request());
  return decision;
}

}  // namespace weir::policy
