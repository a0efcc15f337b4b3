// A fixed set of field names, asked in any case. Most names are turned away by their length alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace weir::proxy {

template <std::size_t N>
class NameSet {
 public:
  // In lower case, each shorter than 64.
  constexpr explicit NameSet(const std::string_view (&names)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
      names_[i] = names[i];
      lengths_ |= std::uint64_t{1} << names[i].size();
    }
  }

  bool contains(std::string_view name) const {
    if (name.empty() || name.size() > 63 || (lengths_ >> name.size() & 1U) == 0) return false;
    const auto first = static_cast<char>(name.front() | 0x20);
    for (const auto one : names_)
      if (one.size() == name.size() && one.front() == first && equals_ignoring_case(one, name)) return true;
    return false;
  }

 private:
  std::array<std::string_view, N> names_{};
  std::uint64_t lengths_ = 0;
};

}  // namespace weir::proxy
