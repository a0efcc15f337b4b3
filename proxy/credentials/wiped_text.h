// Text that holds a secret for a moment: every buffer that it ever had is wiped when it is let go. SECURITY: G2.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/secret.h"

namespace weir::proxy {

class WipedText {
 public:
  WipedText() = default;
  explicit WipedText(std::string_view text) { append(text); }
  WipedText(WipedText&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  WipedText& operator=(WipedText&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    WipedText(std::move(other)).clear();
    return *this;
  }
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { clear(); }

  // `text` is not a view of this one.
  WipedText& append(std::string_view text) {
    if (text.empty()) return *this;
    std::memcpy(room_for(text.size()), text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  void push_back(char c) {
    *room_for(1) = c;
    ++size_;
  }
  void reserve(std::size_t size) {
    if (size > capacity_) move_to(size);
  }
  // `count` more octets, zero; gives where they begin.
  char* grow(std::size_t count) {
    char* const at = room_for(count);
    if (count != 0) std::memset(at, 0, count);
    size_ += count;
    return at;
  }
  void clear() { shrink(0); }
  // size <= this->size(); the rest is wiped.
  void shrink(std::size_t size) {
    if (size < size_) wipe(bytes_.get() + size, size_ - size);
    size_ = size;
  }
  // What stands before `at` is dropped; nothing of it stays.
  void keep_from(std::size_t at) {
    if (at == 0) return;
    if (at < size_) std::memmove(bytes_.get(), bytes_.get() + at, size_ - at);
    shrink(size_ - at);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  char* room_for(std::size_t count) {
    if (count > capacity_ - size_) move_to(std::max(size_ + count, 2 * capacity_));
    return bytes_.get() + size_;
  }
  void move_to(std::size_t capacity) {
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (size_ != 0) {
      std::memcpy(larger.get(), bytes_.get(), size_);
      wipe(bytes_.get(), size_);
    }
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;  // behind size_, nothing was ever written or all was wiped
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::proxy
