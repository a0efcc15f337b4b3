// Placeholders in a body and a head. The first byte says what body it is, the second how it is cut: whatever the pieces,
// what goes on is the same, and a body in which nothing was found is as it was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/credentials/substitution.h"

using namespace weir::proxy;

namespace {

weir::policy::Substitution everywhere() {
  weir::policy::Substitution where;
  where.in_header = where.in_query = where.in_path = where.in_body = true;
  return where;
}
const weir::policy::Substitution kEverywhere = everywhere();
const std::vector<Replacement> kReplacements{{1, "aab/+a", "ONE", &kEverywhere},
                                             {2, "aab/+aab", "x", &kEverywhere},
                                             {3, "b/+aaa", "longer \"\\/\xc3\xa9\n", &kEverywhere},
                                             {4, "1f2e3d", "4", &kEverywhere}};

std::string substituted(BodyKind kind, std::string_view text, std::size_t longest, std::size_t& count) {
  BodySubstitution body(kind, kReplacements);
  WipedText out;
  std::size_t given = 0, cut = longest;
  while (given < text.size()) {
    const std::size_t size = std::min(text.size() - given, longest == 0 ? text.size() : cut % (longest + 1));
    if (!body.feed(std::string(text.substr(given, size)), false, out)) std::abort();
    given += size;
    cut = cut * 7 + 1;
    if (body.replaced() == 0 && (text.substr(0, out.size()) != out.view() || given - out.size() > 6 * 8)) std::abort();
  }
  if (!body.feed("", true, out)) std::abort();
  count = body.replaced();
  return std::string(out.view());
}

void look_at_head(std::string_view text) {
  DraftRequest draft;
  const std::string basic = "Basic " + std::string(text);
  draft.query = draft.path = text;
  draft.headers = {{"A", text}, {"Authorization", basic}};
  const auto needed = placeholders_in(draft, kReplacements);
  const auto replaced = replace_in_head(draft, kReplacements);
  if (replaced && (*replaced == 0) != needed.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const auto kind = static_cast<BodyKind>(data[0] % 4);
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::size_t whole_count = 0, cut_count = 0;
  const std::string whole = substituted(kind, text, 0, whole_count),
                    cut = substituted(kind, text, 1 + data[1] % 24, cut_count);
  if (whole != cut || whole_count != cut_count) std::abort();
  if (whole_count == 0 && whole != text) std::abort();
  if (kind == BodyKind::text)
    for (const auto& replacement : kReplacements)
      if (whole_count == 0 && text.find(replacement.placeholder) != std::string_view::npos) std::abort();
  look_at_head(text);
  return 0;
}
