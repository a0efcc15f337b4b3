#include <llhttp.h>

#include <charconv>
#include <cstring>

#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/field_syntax.h"

namespace weir::proxy {
namespace {

constexpr unsigned kMaxLeadingLines = 2;

// What llhttp saw, compared with what our own scan saw. Both read the same bytes, so even the pointers must agree.
struct Witness {
  const std::vector<Header>* headers = nullptr;
  std::size_t names = 0;
  std::size_t values = 0;
  bool agree = true;
  bool complete = false;
};

Witness& witness_of(llhttp_t* parser) { return *static_cast<Witness*>(parser->data); }

int on_field(llhttp_t* parser, const char* at, std::size_t size) {
  Witness& witness = witness_of(parser);
  if (witness.names >= witness.headers->size() || (*witness.headers)[witness.names].name != std::string_view(at, size)) witness.agree = false;
  ++witness.names;
  return 0;
}

int on_value(llhttp_t* parser, const char* at, std::size_t size) {
  Witness& witness = witness_of(parser);
  // llhttp leaves trailing white space on a value.
  if (witness.values >= witness.headers->size() || trim({at, size}) != (*witness.headers)[witness.values].value) witness.agree = false;
  ++witness.values;
  return 0;
}

int on_head_complete(llhttp_t* parser) {
  witness_of(parser).complete = true;
  return HPE_PAUSED;  // the body is not llhttp's business here (BodyDecoder)
}

Result<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool digits_only = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (text.empty() || !digits_only || error != std::errc() || end != text.data() + text.size())
    return fail("bad_content_length", "Content-Length is not one decimal number");
  return value;
}

// What the fields say of framing and the connection, the same for requests and responses.
struct Framing {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

Result<void> note_framing(const Header& header, bool http_1_0, Framing& framing) {
  if (equals_ignoring_case(header.name, "content-length")) {
    if (framing.length) return fail("bad_content_length", "there is more than one Content-Length");
    const auto length = parse_length(header.value);
    if (!length) return std::unexpected(length.error());
    framing.length = *length;
  } else if (equals_ignoring_case(header.name, "transfer-encoding")) {
    // `chunked` once and nothing else: any other coding, or a second header, is a smuggler's tool (RFC 9112 §6.1).
    if (framing.chunked || http_1_0 || !equals_ignoring_case(header.value, "chunked"))
      return fail("bad_transfer_encoding", "Transfer-Encoding is anything but one `chunked` of HTTP/1.1");
    framing.chunked = true;
  } else if (equals_ignoring_case(header.name, "connection")) {
    std::string_view list = header.value;
    for (auto option = next_element(list); !option.empty(); option = next_element(list)) {
      if (equals_ignoring_case(option, "close")) framing.close = true;
      if (equals_ignoring_case(option, "keep-alive")) framing.keep_alive = true;
      if (equals_ignoring_case(option, "upgrade")) framing.upgrade = true;
    }
  }
  return {};
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  return line;
}

std::string_view skip_leading_lines(std::string_view head) {
  while (head.starts_with("\r\n")) head.remove_prefix(2);
  return head;
}

// Only the two versions this codec speaks (RFC 9112 §2.3).
std::optional<bool> is_1_0(std::string_view version) {
  if (version == "HTTP/1.1") return false;
  if (version == "HTTP/1.0") return true;
  return std::nullopt;
}

Result<void> parse_fields(std::string_view rest, const HeadLimits& limits, bool http_1_0, std::vector<Header>& headers, Framing& framing) {
  headers.clear();
  for (;;) {
    const std::string_view line = take_line(rest);
    if (line.empty()) break;
    if (headers.size() == limits.headers) return fail("too_many_headers", "there are more than " + std::to_string(limits.headers) + " header lines");
    const auto header = parse_field_line(line);
    if (!header) return std::unexpected(header.error());
    headers.push_back(*header);
    if (auto noted = note_framing(*header, http_1_0, framing); !noted) return noted;
  }
  if (!rest.empty()) return fail("bad_line_ending", "there are bytes after the end of the head");
  if (framing.length && framing.chunked) return fail("length_and_chunked", "there are both Content-Length and Transfer-Encoding");
  return {};
}

}  // namespace

Result<std::size_t> find_head(std::string_view buffer, const HeadLimits& limits, std::size_t& scanned) {
  // `scanned` is where the first line that is not complete yet begins.
  for (;;) {
    const void* at = scanned < buffer.size() ? std::memchr(buffer.data() + scanned, '\n', buffer.size() - scanned) : nullptr;
    if (at == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(at) - buffer.data());
    if (end == scanned || buffer[end - 1] != '\r') return fail("bad_line_ending", "a line ends with LF alone");
    const std::string_view line = buffer.substr(scanned, end - 1 - scanned);
    if (std::memchr(line.data(), '\r', line.size()) != nullptr || std::memchr(line.data(), '\0', line.size()) != nullptr)
      return fail("bad_line_ending", "a line has a bare CR or a NUL in it");
    scanned = end + 1;
    if (!line.empty()) {
      if (scanned > limits.bytes) break;
      continue;
    }
    // An empty line ends the head, unless nothing came before it (RFC 9112 §2.2).
    if (buffer.substr(0, scanned).find_first_not_of("\r\n") == std::string_view::npos) {
      if (scanned > 2 * kMaxLeadingLines) return fail("bad_request_line", "there are empty lines in the place of a request");
      continue;
    }
    if (scanned > limits.bytes) break;
    return scanned;
  }
  if (buffer.size() > limits.bytes) return fail("head_too_large", "the head is larger than " + std::to_string(limits.bytes) + " bytes");
  return 0;
}

struct HeadParser::Parsers {
  llhttp_settings_t settings{};
  llhttp_t parser{};

  // Runs llhttp over the same head and tells whether it agrees with our own reading.
  bool agrees(llhttp_type_t type, std::string_view head, const std::vector<Header>& headers) {
    Witness witness;
    witness.headers = &headers;
    llhttp_init(&parser, type, &settings);  // all lenient flags are off after this
    parser.data = &witness;
    const llhttp_errno_t result = llhttp_execute(&parser, head.data(), head.size());
    return result == HPE_PAUSED && witness.complete && witness.agree && witness.names == headers.size() && witness.values == headers.size();
  }
};

HeadParser::HeadParser() : parsers_(std::make_unique<Parsers>()) {
  llhttp_settings_init(&parsers_->settings);
  parsers_->settings.on_header_field = on_field;
  parsers_->settings.on_header_value = on_value;
  parsers_->settings.on_headers_complete = on_head_complete;
}
HeadParser::~HeadParser() = default;
HeadParser::HeadParser(HeadParser&&) noexcept = default;

Result<void> HeadParser::request(std::string_view head, const HeadLimits& limits, RequestHead& out) {
  head = skip_leading_lines(head);
  std::string_view rest = head;
  const std::string_view line = take_line(rest);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fail("bad_request_line", "the request line is not METHOD TARGET VERSION");
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  const auto http_1_0 = is_1_0(line.substr(last + 1));
  if (!is_token(out.method)) return fail("bad_request_line", "the method is not a token");
  if (!http_1_0) return fail("bad_version", "the version is neither HTTP/1.1 nor HTTP/1.0");
  if (out.target.empty() || out.target.find_first_of(" \t") != std::string_view::npos) return fail("bad_target", "the request target has white space in it");
  for (const char c : out.target)
    if (static_cast<unsigned char>(c) < 0x21 || static_cast<unsigned char>(c) > 0x7E) return fail("bad_target", "the request target has a character that may not be in it");

  Framing framing;
  if (auto fields = parse_fields(rest, limits, *http_1_0, out.headers, framing); !fields) return fields;
  out.host = {};
  out.expect_continue = false;
  bool has_host = false;
  for (const auto& header : out.headers) {
    if (equals_ignoring_case(header.name, "host")) {
      if (has_host) return fail("multiple_hosts", "there is more than one Host header");
      has_host = true;
      out.host = header.value;
    } else if (equals_ignoring_case(header.name, "expect") && equals_ignoring_case(header.value, "100-continue")) {
      out.expect_continue = !*http_1_0;
    }
  }
  if (!has_host || out.host.empty()) return fail("missing_host", "there is no Host header");
  if (out.host.find_first_of(" \t,/@?#\\") != std::string_view::npos) return fail("bad_host", "the Host header is not one host name");
  out.keep_alive = *http_1_0 ? framing.keep_alive && !framing.close : !framing.close;
  out.upgrade = framing.upgrade;
  out.body = framing.chunked          ? BodyLength{BodyLength::Kind::chunked, 0}
             : framing.length.value_or(0) > 0 ? BodyLength{BodyLength::Kind::fixed, *framing.length}
                                              : BodyLength{};
  if (framing.length == 0U && out.method != "GET" && out.method != "HEAD") out.body = {BodyLength::Kind::fixed, 0};
  // SECURITY: G7, what two parsers read differently is refused.
  if (!parsers_->agrees(HTTP_REQUEST, head, out.headers)) return fail("bad_request", "the head of the request is not plain HTTP/1.1");
  return {};
}

Result<void> HeadParser::response(std::string_view head, std::string_view request_method, const HeadLimits& limits, ResponseHead& out) {
  std::string_view rest = head;
  const std::string_view line = take_line(rest);
  // status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4); the second SP is often left out with the reason.
  const auto http_1_0 = is_1_0(line.substr(0, 8));
  if (!http_1_0) return fail("bad_version", "the version is neither HTTP/1.1 nor HTTP/1.0");
  const std::string_view code = line.size() >= 12 ? line.substr(9, 3) : std::string_view{};
  const bool digits = code.size() == 3 && code.find_first_not_of("0123456789") == std::string_view::npos;
  if (line.size() < 12 || line[8] != ' ' || !digits || code[0] < '1' || code[0] > '5' || (line.size() > 12 && line[12] != ' '))
    return fail("bad_status_line", "the status line is not VERSION CODE REASON");
  out.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
  if (!is_field_value(out.reason)) return fail("bad_status_line", "the reason phrase has a control character");

  Framing framing;
  if (auto fields = parse_fields(rest, limits, *http_1_0, out.headers, framing); !fields) return fields;
  out.keep_alive = *http_1_0 ? framing.keep_alive && !framing.close : !framing.close;
  const bool no_body = request_method == "HEAD" || out.status < 200 || out.status == 204 || out.status == 304 ||
                       (request_method == "CONNECT" && out.status < 300);
  if (no_body) {
    out.body = {};
  } else if (framing.chunked) {
    out.body = {BodyLength::Kind::chunked, 0};
  } else if (framing.length) {
    out.body = {BodyLength::Kind::fixed, *framing.length};
  } else {
    out.body = {BodyLength::Kind::until_close, 0};
  }
  if (!parsers_->agrees(HTTP_RESPONSE, head, out.headers)) return fail("bad_response", "the head of the response is not plain HTTP/1.1");
  return {};
}

}  // namespace weir::proxy
