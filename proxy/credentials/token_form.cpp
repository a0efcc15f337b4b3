#include <algorithm>

#include "proxy/credentials/percent.h"
#include "proxy/credentials/token_edits.h"

namespace weir::proxy {
namespace {

struct Parameter {
  std::string_view name, value;  // as written
  char before = '&';             // what parts it from the one in front of it
};

// Goes over parameters parted by '&', and by ';' which some readers take for the same.
template <class Each>
void each_parameter(std::string_view form, Each&& each) {
  for (char before = '&';;) {
    const auto end = form.find_first_of("&;");
    const auto part = form.substr(0, end);
    const auto equals = part.find('=');
    each(Parameter{part.substr(0, equals), equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1),
                   before});
    if (end == std::string_view::npos) return;
    before = form[end];
    form.remove_prefix(end + 1);
  }
}

// application/x-www-form-urlencoded. nullopt: an escape is malformed.
std::optional<Secret> decoded(std::string_view written) {
  Secret out = Secret::of_size(written.size());
  std::size_t size = 0;
  for (std::size_t at = 0; at < written.size(); ++at) {
    char c = written[at] == '+' ? ' ' : written[at];
    if (c == '%') {
      if (at + 2 >= written.size() || hex_value(written[at + 1]) < 0 || hex_value(written[at + 2]) < 0) return std::nullopt;
      c = static_cast<char>(static_cast<unsigned char>(hex_value(written[at + 1]) * 16 + hex_value(written[at + 2])));
      at += 2;
    }
    out.data()[size++] = c;
  }
  out.shrink(size);
  return out;
}

bool is_form_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$'()*,+;:@/?%&=").find(c) != std::string_view::npos;
}

bool is_any_name(std::string_view written, std::span<const TokenPlace> places) {
  return std::any_of(places.begin(), places.end(), [&](const TokenPlace& place) { return is_name(written, place.member); });
}

}  // namespace

bool is_token_form(std::string_view body, std::span<const TokenPlace> places) {
  while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
  if (!std::all_of(body.begin(), body.end(), is_form_octet)) return false;
  bool any = false;
  each_parameter(body, [&](const Parameter& one) { any = any || is_any_name(one.name, places); });
  return any;
}

Result<CaughtAnswer> catch_in_form(std::string_view whole, std::span<const TokenPlace> places) {
  std::string_view body = whole;
  while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
  TokenEdits edits;
  std::int64_t expires_seconds = 0;
  for (const auto& place : places) {
    std::vector<Parameter> found;
    each_parameter(body, [&](const Parameter& one) {
      if (is_name(one.name, place.member)) found.push_back(one);
    });
    if (found.empty()) continue;
    if (found.size() > 1) return unreadable("the parameter `" + std::string(place.member) + "` stands twice");
    const auto& one = found.front();
    // SECURITY: G2, where ';' parts nothing, this is the end of another parameter, and the token not where it seems to be.
    const auto behind = one.value.data() + one.value.size();
    if (one.before == ';' || (!one.value.empty() && behind != body.data() + body.size() && *behind == ';'))
      return unreadable("the parameter `" + std::string(place.member) + "` stands beside a semicolon");
    auto token = decoded(one.value);
    if (!token) return unreadable("the parameter `" + std::string(place.member) + "` has a malformed escape");
    if (token->empty() || token->reveal() == place.placeholder) continue;
    WipedText written;
    append_percent_encoded(place.placeholder, written);
    const auto begin = static_cast<std::size_t>(one.value.data() - whole.data());
    edits.add(begin, begin + one.value.size(), place, std::move(*token), std::string(written.view()));
  }
  each_parameter(body, [&](const Parameter& one) {
    if (is_name(one.name, "expires_in")) expires_seconds = whole_seconds(one.value);
  });
  return std::move(edits).apply(whole, expires_seconds);
}

}  // namespace weir::proxy
