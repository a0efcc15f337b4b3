// Text that holds a secret for a moment: every buffer that it ever had is wiped when it is let go. SECURITY: G2.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace weir::proxy {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: as std::allocator does
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    wipe(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

class WipedText {
 public:
  WipedText() = default;
  explicit WipedText(std::string_view text) { append(text); }
  WipedText(WipedText&&) noexcept = default;
  WipedText& operator=(WipedText&&) noexcept = default;
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;

  WipedText& append(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  void push_back(char c) { bytes_.push_back(c); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void clear() {
    wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
  }
  void keep_from(std::size_t at) { bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at)); }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  char* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::vector<char, WipingAllocator<char>> bytes_;
};

}  // namespace weir::proxy
