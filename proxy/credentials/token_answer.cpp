#include "proxy/credentials/token_answer.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "proxy/credentials/token_edits.h"

namespace weir::proxy {
namespace {

enum class Claim : std::uint8_t { json, form, neither };

Claim claim_of(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  if (type == "application/json" || type == "text/json" || type.ends_with("+json")) return Claim::json;
  return type == "application/x-www-form-urlencoded" ? Claim::form : Claim::neither;
}

bool has_name_in_it(std::string_view body, std::span<const TokenPlace> places) {
  return std::any_of(places.begin(), places.end(), [&](const TokenPlace& place) {
    const auto dot = place.member.rfind('.');
    return body.find(dot == std::string_view::npos ? place.member : place.member.substr(dot + 1)) != std::string_view::npos;
  });
}

}  // namespace

std::unexpected<Error> unreadable(const std::string& why) {
  return fail("token_answer_unreadable", "the token endpoint's answer cannot be read safely: " + why);
}

std::int64_t whole_seconds(std::string_view digits) {
  static constexpr std::int64_t kLongest = 100LL * 366 * 86400;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() && value > 0 && value <= kLongest ? value : 0;
}

void TokenEdits::add(std::size_t begin, std::size_t end, const TokenPlace& place, Secret token, std::string written) {
  const bool edited = std::any_of(edits_.begin(), edits_.end(), [&](const Edit& edit) { return edit.begin == begin; });
  if (!edited) edits_.push_back({begin, end, std::move(written)});
  tokens_.push_back({place.id, std::move(token)});
}

CaughtAnswer TokenEdits::apply(std::string_view body, std::int64_t expires_seconds) && {
  std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  CaughtAnswer answer;
  std::size_t done = 0, size = body.size();
  for (const auto& edit : edits_) size += edit.written.size();
  answer.body.reserve(size);
  for (const auto& edit : edits_) {
    answer.body.append(body.substr(done, edit.begin - done)).append(edit.written);
    done = edit.end;
  }
  answer.body.append(body.substr(done));
  answer.tokens = std::move(tokens_);
  answer.expires_seconds = expires_seconds;
  return answer;
}

Result<CaughtAnswer> catch_tokens(std::string_view content_type, std::string_view body, std::span<const TokenPlace> places) {
  const auto as_it_is = [&] {
    CaughtAnswer answer;
    answer.body.append(body);
    return answer;
  };
  if (trim(body).empty()) return as_it_is();
  const auto json = SecretJson::parse(body);
  if (json && json->is(SecretJson::Kind::object)) return catch_in_json(*json, body, places);
  const Claim claim = claim_of(content_type);
  if (claim == Claim::form) return catch_in_form(body, places);
  if (claim == Claim::json && !json) return unreadable("it says that it is JSON and is not");
  if (claim == Claim::neither && is_token_form(body, places)) return catch_in_form(body, places);
  if (has_name_in_it(body, places))
    return unreadable("it has the name of a token in it, and is neither a JSON object nor a form");
  return as_it_is();
}

}  // namespace weir::proxy
