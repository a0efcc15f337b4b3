#include "launch/logins/templates.h"

#include <algorithm>

#include "base/text.h"

namespace weir::launch {
namespace {

template <class Change>
std::string expanded(std::string_view text, Captures captures, Change change) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    if (rest.starts_with("{host}") && !captures.empty()) {
      out += change(host_of(captures.front()));
      at += 6;
    } else if (rest.size() >= 3 && rest[0] == '{' && rest[2] == '}' && rest[1] >= '1' &&
               static_cast<std::size_t>(rest[1] - '1') < captures.size()) {
      out += change(captures[static_cast<std::size_t>(rest[1] - '1')]);
      at += 3;
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_template(std::string_view text) { return text.find('{') != std::string_view::npos; }

std::string host_of(std::string_view capture) {
  if (const auto scheme = capture.find("://"); scheme != std::string_view::npos) capture.remove_prefix(scheme + 3);
  while (capture.starts_with('/')) capture.remove_prefix(1);
  capture = capture.substr(0, capture.find('/'));
  if (const auto at = capture.rfind('@'); at != std::string_view::npos) capture.remove_prefix(at + 1);
  return to_lower(capture);
}

std::string expand(std::string_view text, Captures captures) {
  return expanded(text, captures, [](std::string value) { return value; });
}

std::string expand_name(std::string_view text, Captures captures) {
  return expanded(text, captures, [](std::string value) {
    std::replace_if(value.begin(), value.end(), [](char c) { return !is_name(c); }, '-');
    return value;
  });
}

std::vector<std::string> expand_hosts(const std::vector<std::string>& hosts, Captures captures) {
  std::vector<std::string> out;
  const auto add = [&](std::string host) {
    if (std::find(out.begin(), out.end(), host) == out.end()) out.push_back(std::move(host));
  };
  for (const auto& host : hosts) {
    add(expand(host, captures));
    // Container tools write https://index.DOMAIN/v1/ for the service whose registry and token service stand beside that name.
    const std::string name = captures.empty() ? std::string() : host_of(captures.front());
    if (host == "{host}" && name.starts_with("index.") && captures.front() == "https://" + name + "/v1/" &&
        name.find('.', 6) != std::string::npos)
      add("*." + name.substr(6));
  }
  return out;
}

}  // namespace weir::launch
