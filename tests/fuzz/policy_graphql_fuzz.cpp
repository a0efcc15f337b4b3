// GraphQL: the first byte says in what form the rest comes. However a document is sent, it must be read the same.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "policy/body.h"

using weir::policy::read_graphql;
using weir::policy::Reading;

namespace {

std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    out += '%';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

void check(const Reading& reading) {
  if (reading.state == Reading::State::read && reading.operations.empty()) std::abort();
  if (reading.state != Reading::State::read && !reading.operations.empty()) std::abort();
  if (reading.state == Reading::State::unreadable && reading.problem.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'j') {
    check(read_graphql("POST", "", "application/json", "", text));
  } else if (data[0] == 'u') {
    check(read_graphql("GET", text, "", "", ""));
  } else {
    const auto reading = read_graphql("POST", "", "application/graphql", "", text);
    check(reading);
    if (text.empty() || weir::valid_utf8_prefix(text) != text.size() || text.find('\0') != std::string_view::npos) return 0;
    if (read_graphql("POST", "", "application/json", "", nlohmann::json{{"query", text}}.dump()) != reading) std::abort();
    if (read_graphql("GET", "query=" + escaped(text), "", "", "") != reading) std::abort();
    // Ignored tokens round it change nothing.
    if (reading.state == Reading::State::read) {
      const auto wrapped = ", #\n" + std::string(text) + "\n#";
      if (read_graphql("POST", "", "application/graphql", "", wrapped) != reading) std::abort();
    }
  }
  return 0;
}
