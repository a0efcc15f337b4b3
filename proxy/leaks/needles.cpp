#include "proxy/leaks/needles.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

#include "proxy/leaks/forms.h"
#include "proxy/leaks/literal_matcher.h"
#include "proxy/leaks/name_needles.h"

namespace weir::proxy::leaks {

struct Needles::State {
  LiteralMatcher literals;
  NameNeedles names;
};

Needles::Needles(Needles&&) noexcept = default;
Needles& Needles::operator=(Needles&&) noexcept = default;
Needles::Needles() = default;
Needles::~Needles() = default;

Result<Needles> Needles::make(std::span<const Needle> needles) {
  // Places in all forms together are 32 bits wide.
  constexpr std::size_t kMost = 16U << 20;
  std::size_t size = 0;
  for (const auto& needle : needles) size += needle.text.size();
  if (size > kMost) return fail("too_many_needles", "the credentials together are too long to be searched for");
  Needles made;
  try {
    auto forms = all_forms(needles);
    if (forms.list.empty()) return made;
    made.state_ = std::make_unique<State>(LiteralMatcher(std::move(forms)), NameNeedles(needles));
  } catch (const std::bad_alloc&) {
    return fail("out_of_memory", "there is no memory to search for the credentials");
  }
  return made;
}

bool Needles::empty() const { return state_ == nullptr; }

namespace {
void tell(std::vector<Hit>& hits, const std::function<bool(const Hit&)>& found) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return std::tie(a.end, a.begin, a.id, a.form) < std::tie(b.end, b.begin, b.id, b.form); });
  for (const auto& hit : hits)
    if (!found(hit)) return;
}
}  // namespace

void Needles::find(std::string_view bytes, const std::function<bool(const Hit&)>& found) const {
  if (!state_) return;
  std::vector<Hit> hits;
  state_->literals.find(bytes, hits);
  tell(hits, found);
}

std::size_t Needles::scan(std::string_view bytes, const std::function<bool(const Hit&)>& found) const {
  if (!state_) return 0;
  std::vector<Hit> hits;
  const std::size_t incomplete = state_->literals.scan(bytes, hits);
  tell(hits, found);
  return incomplete;
}

std::size_t Needles::incomplete(std::string_view bytes) const { return state_ ? state_->literals.incomplete(bytes) : 0; }

bool Needles::find_in_name(std::string_view name, std::uint32_t& id) const { return state_ && state_->names.find(name, id); }

std::size_t Needles::memory() const { return state_ ? state_->literals.memory() + state_->names.memory() : 0; }

}  // namespace weir::proxy::leaks
