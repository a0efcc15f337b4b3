// Requests that are signed anew. Lines: an octet of flags, the method, the authority, the target, then a header each. Whatever came in, what goes out has one
// signature that reads as what was planned, a target that holds no octet that is not in its place, and the same meaning; signing it again changes nothing.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "proxy/sigv4/sigv4.h"

using namespace weir;
using namespace weir::proxy;

namespace {

constexpr std::string_view kSecret = "Secret/key+that=must/stay", kToken = "Token/of+session==";
constexpr std::int64_t kNow = 1767607872;

void require(bool good) {
  if (!good) std::abort();
}

int hex_value(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// What a query says besides its signature.
std::vector<std::pair<std::string, std::string>> said(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto piece : split(query, '&')) {
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    auto name = decode(piece.substr(0, equals), true);
    bool own = false;
    for (const auto one : {"algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"})
      own = own || equals_ignoring_case(name, std::string("x-amz-") + one);
    if (!own) out.emplace_back(std::move(name), equals == std::string_view::npos ? "" : decode(piece.substr(equals + 1), true));
  }
  return out;
}

std::size_t count(const DraftRequest& draft, std::string_view name) {
  std::size_t found = 0;
  for (const auto& field : draft.headers) found += equals_ignoring_case(field.name, name);
  return found;
}

void check_target(const DraftRequest& draft) {
  const auto visible = [](std::string_view text, std::string_view without) {
    for (const char c : text) require(c > ' ' && c < 0x7f && without.find(c) == std::string_view::npos);
  };
  visible(draft.path, "?#\\\"<>^`{|}");
  visible(draft.query, "#\\\"<>^`{|}+;/?");
  require(draft.path.starts_with('/'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned flags = data[0];
  const auto lines = split(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1), '\n');
  if (lines.size() < 3) return 0;
  for (const auto line : lines)
    if (line.find(kSecret) != std::string_view::npos) return 0;  // the fuzzer finds that too
  DraftRequest draft;
  draft.method = lines[0];
  draft.authority = lines[1];
  const auto mark = lines[2].find('?');
  draft.path = lines[2].substr(0, mark);
  draft.has_query = mark != std::string_view::npos;
  if (draft.has_query) draft.query = lines[2].substr(mark + 1);
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon != std::string_view::npos) draft.headers.push_back({lines[i].substr(0, colon), trim(lines[i].substr(colon + 1))});
  }
  const std::string_view region = (flags & 1) != 0 ? "eu-central-1" : "", service = (flags & 2) != 0 ? ((flags & 4) != 0 ? "s3" : "execute-api") : "";
  const sigv4::Keys keys{"ID", kSecret, (flags & 8) != 0 ? kToken : std::string_view()};
  const auto plan = sigv4::plan(draft, region, service);
  if (!plan) return 0;
  const std::string path(draft.path), query(draft.query), hash = sigv4::payload_hash("x");
  const auto before = draft.headers.size();
  std::string seed;
  if (!sigv4::sign(draft, *plan, keys, kNow, hash, &seed)) std::abort();  // what was planned can be signed

  require(seed.size() == 64);
  check_target(draft);
  require(draft.headers.size() <= before + 4);
  require(count(draft, "authorization") == (plan->presigned ? 0U : 1U));
  require(count(draft, "x-amz-date") == (plan->presigned ? 0U : 1U));
  require(count(draft, "x-amz-security-token") == (plan->presigned || keys.token.empty() ? 0U : 1U));
  require(decode(draft.path, false) == (path.starts_with('/') ? "" : "/") + decode(path, false));
  require(said(draft.query) == said(query));
  require(draft.query.find(kSecret) == std::string_view::npos);
  for (const auto& field : draft.headers) require(field.value.find(kSecret) == std::string_view::npos);

  const auto again = sigv4::plan(draft, "", "");
  require(again && again->presigned == plan->presigned && again->region == plan->region && again->service == plan->service);
  require(again->payload == plan->payload || plan->payload == sigv4::Plan::Payload::hash_needed);
  const std::string first_path(draft.path), first_query(draft.query);
  std::string second;
  if (!sigv4::sign(draft, *again, keys, kNow, hash, &second)) std::abort();
  require(second == seed && draft.path == first_path && draft.query == first_query);
  return 0;
}
