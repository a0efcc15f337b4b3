// Bytes read and not yet used, between a transport and a decoder. Gives its memory back when it is empty, so that an
// idle connection holds none; a few blocks are kept for the next that needs one. Single-threaded.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace weir::proxy {

class ReadBuffer {
 public:
  static constexpr std::size_t kSize = 16 * 1024;

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  char* data() { return data_.get() + begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }

  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room to read into, at least `least` bytes; grows the buffer when it must.
  std::span<char> space(std::size_t least = 1) {
    if (capacity_ - end_ < least) {
      const std::size_t held = size();
      const std::size_t wanted = capacity_ == 0 || held + least > capacity_ ? std::max({kSize, capacity_ * 2, held + least}) : capacity_;
      if (wanted != capacity_) {
        std::unique_ptr<char[]> larger = take_block(wanted);
        if (held > 0) std::memcpy(larger.get(), data_.get() + begin_, held);
        give_block();
        data_ = std::move(larger);
        capacity_ = wanted;
      } else {
        std::memmove(data_.get(), data_.get() + begin_, held);
      }
      begin_ = 0;
      end_ = held;
    }
    return {data_.get() + end_, capacity_ - end_};
  }
  void filled(std::size_t count) { end_ += count; }
  void release() {
    if (!empty()) return;
    give_block();
    capacity_ = begin_ = end_ = 0;
  }

  ReadBuffer() = default;
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;
  ~ReadBuffer() { give_block(); }

 private:
  static constexpr std::size_t kMaxSpare = 16;
  static std::vector<std::unique_ptr<char[]>>& spare() {
    thread_local std::vector<std::unique_ptr<char[]>> blocks;
    return blocks;
  }
  static std::unique_ptr<char[]> take_block(std::size_t size) {
    if (size == kSize && !spare().empty()) {
      auto block = std::move(spare().back());
      spare().pop_back();
      return block;
    }
    return std::unique_ptr<char[]>(new char[size]);
  }
  void give_block() {
    if (data_ != nullptr && capacity_ == kSize && spare().size() < kMaxSpare) spare().push_back(std::move(data_));
    data_.reset();
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weir::proxy
