#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/field_syntax.h"
#include "proxy/http1/framing.h"
#include "proxy/http1/host_port.h"
#include "proxy/http1/llhttp_witness.h"
#include "proxy/http1/request_target.h"

namespace weir::proxy {
namespace {

// Only the two versions this codec speaks, in capitals (RFC 9112 §2.3).
std::optional<bool> is_1_0(std::string_view version) {
  if (version == "HTTP/1.1") return false;
  if (version == "HTTP/1.0") return true;
  return std::nullopt;
}

std::unexpected<Error> bad_version(std::string_view line) {
  if (line == "PRI * HTTP/2.0")
    return fail("bad_version", "this is the preface of HTTP/2, on a connection that speaks HTTP/1.1");
  return fail("bad_version", "the version is neither HTTP/1.1 nor HTTP/1.0");
}

// The first line without its CRLF; `at` goes behind it.
Result<std::string_view> take_first_line(const char*& at, const char* end, const char* code) {
  const char* const begin = at;
  at = find_control(at, end);
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    const bool line_ending = at == end || *at == '\r' || *at == '\n' || *at == '\0';
    if (line_ending)
      return fail("bad_line_ending", "the first line holds a bare CR, bare LF or NUL, or does not end with CRLF");
    return fail(code, "the first line holds a control character");
  }
  at += 2;
  return std::string_view(begin, at - 2);
}

Result<void> take_fields(const char* at, const char* end, const HeadLimits& limits, bool http_1_0,
                         std::vector<Header>& headers, Framing& framing) {
  headers.clear();
  for (;;) {
    if (at == end) return fail("bad_line_ending", "the head does not end with an empty line");
    if (*at == '\r') break;
    if (headers.size() == limits.headers)
      return fail("too_many_headers", "there are more than " + std::to_string(limits.headers) + " header lines");
    Header& header = headers.emplace_back();
    if (auto taken = take_field_line(at, end, header); !taken) return taken;
    if (auto noted = note_field(header, http_1_0, framing); !noted) return noted;
  }
  if (std::string_view(at, end) != "\r\n")
    return fail("bad_line_ending", "the empty line is not CRLF, or bytes follow the end of the head");
  // SECURITY: G7, CL.TE and TE.CL smuggling (RFC 9112 §6.1): one of them wins here, the other elsewhere.
  if (framing.length && framing.chunked)
    return fail("length_and_chunked", "there are both Content-Length and Transfer-Encoding");
  return {};
}

}  // namespace

struct HeadParser::Parsers {
  LlhttpWitness witness;
};

HeadParser::HeadParser() : parsers_(std::make_unique<Parsers>()) {}
HeadParser::~HeadParser() = default;
HeadParser::HeadParser(HeadParser&&) noexcept = default;

Result<void> HeadParser::request(std::string_view head, const HeadLimits& limits, RequestHead& out) {
  if (head.size() > limits.bytes)
    return fail("head_too_large", "the head is larger than " + std::to_string(limits.bytes) + " bytes");
  for (int leading = 0; leading < 2 && head.starts_with("\r\n"); ++leading) head.remove_prefix(2);
  const char* at = head.data();
  const char* const end = at + head.size();

  const auto first_line = take_first_line(at, end, "bad_request_line");
  if (!first_line) return std::unexpected(first_line.error());
  const std::string_view line = *first_line;
  // method SP request-target SP HTTP-version, and SP is one space (RFC 9112 §3).
  const auto first = line.find(' ');
  if (!is_token(line.substr(0, first))) return fail("bad_request_line", "the request does not begin with a method");
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return fail(line.find("HTTP/") == std::string_view::npos ? "bad_version" : "bad_request_line",
                "the request line is not METHOD TARGET VERSION (HTTP/0.9 is not spoken)");
  const auto http_1_0 = is_1_0(line.substr(last + 1));
  if (!http_1_0) return bad_version(line);
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  if (const auto target = parse_request_target(out.method, out.target); !target) return std::unexpected(target.error());

  Framing framing;
  if (auto fields = take_fields(at, end, limits, *http_1_0, out.headers, framing); !fields) return fields;
  if (framing.host.empty()) return fail("missing_host", "there is no Host header, or it is empty");
  if (const auto host = split_host_port(framing.host); !host)
    return fail("bad_host", "the Host header: " + host.error().message);
  out.host = framing.host;
  out.body = {};
  if (framing.chunked) out.body = {BodyLength::Kind::chunked, 0};
  if (framing.length) out.body = {BodyLength::Kind::fixed, *framing.length};
  out.http_1_0 = *http_1_0;
  out.keep_alive = framing.connection_persists(*http_1_0);
  // Neither of these means anything from an HTTP/1.0 client (RFC 9110 §10.1.1, §7.8).
  out.expect_continue = framing.expects_continue && !*http_1_0 && (framing.chunked || framing.length.value_or(0) > 0);
  out.upgrade = framing.asks_upgrade && framing.names_protocol && !*http_1_0;

  // SECURITY: G7, what two parsers read differently is refused.
  const Reading reading{out.method, out.target, 0, *http_1_0, &out.headers, framing.length, framing.chunked};
  if (!parsers_->witness.confirms_request(head, reading))
    return fail("bad_request", "the head is not plain HTTP/1.1: " + std::string(parsers_->witness.objection()));
  return {};
}

Result<void> HeadParser::response(std::string_view head, std::string_view request_method, const HeadLimits& limits,
                                  ResponseHead& out) {
  if (head.size() > limits.bytes)
    return fail("head_too_large", "the head is larger than " + std::to_string(limits.bytes) + " bytes");
  const char* at = head.data();
  const char* const end = at + head.size();

  const auto first_line = take_first_line(at, end, "bad_status_line");
  if (!first_line) return std::unexpected(first_line.error());
  const std::string_view line = *first_line;
  // HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4); servers leave the second SP out with the reason.
  if (!line.starts_with("HTTP/")) return fail("bad_status_line", "the status line is not VERSION CODE REASON");
  const auto http_1_0 = is_1_0(line.substr(0, line.find(' ')));
  if (!http_1_0) return bad_version(line);
  const std::string_view code = line.substr(8);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  // 600 to 999 are sent by real servers; they frame like any final response (RFC 9110 §15).
  if (code.size() < 4 || code[1] < '1' || code[1] > '9' || !is_digit(code[2]) || !is_digit(code[3]) ||
      (code.size() > 4 && code[4] != ' '))
    return fail("bad_status_line", "the status line is not VERSION CODE REASON");
  out.status = (code[1] - '0') * 100 + (code[2] - '0') * 10 + (code[3] - '0');
  out.reason = code.size() > 5 ? code.substr(5) : std::string_view{};

  Framing framing;
  if (auto fields = take_fields(at, end, limits, *http_1_0, out.headers, framing); !fields) return fields;
  out.http_1_0 = *http_1_0;
  out.keep_alive = framing.connection_persists(*http_1_0);

  // RFC 9112 §6.3, in its order.
  const bool interim = out.status < 200;
  const bool tunnel = request_method == "CONNECT" && out.status / 100 == 2;
  if (request_method == "HEAD" || interim || out.status == 204 || out.status == 304 || tunnel) {
    out.body = {};
  } else if (framing.chunked) {
    out.body = {BodyLength::Kind::chunked, 0};
  } else if (framing.length) {
    out.body = {BodyLength::Kind::fixed, *framing.length};
  } else {
    out.body = {BodyLength::Kind::until_close, 0};
    out.keep_alive = false;
  }
  // A response that has no body and yet announces one: some servers then send it. Those bytes must not be read as the next
  // response, so an interim one (the final one follows) is refused and a final one is the connection's last.
  const bool announces = framing.chunked || framing.length.value_or(0) > 0;
  if (interim && announces) return fail("bad_status_line", "an interim response announces a body");
  if (out.status == 204 && announces) out.keep_alive = false;
  if (out.status == 101 || tunnel) out.keep_alive = false;  // what follows is not HTTP/1.1

  const Reading reading{{}, {}, out.status, *http_1_0, &out.headers, framing.length, framing.chunked};
  if (!parsers_->witness.confirms_response(head, reading))
    return fail("bad_response", "the head is not plain HTTP/1.1: " + std::string(parsers_->witness.objection()));
  return {};
}

}  // namespace weir::proxy
