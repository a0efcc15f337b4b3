// The bytes of a credential. They live in memory that is locked (not swapped), left out of core dumps, and wiped
// when the owner lets go. There is no implicit way out: no operator<<, no conversion, no copy.
// SECURITY: G2, a secret that cannot be copied by accident cannot be logged by accident.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);  // copies; the caller wipes its own copy (see wipe())
  static Secret of_size(std::size_t size);  // zero-filled, to be written through data()
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const;  // a copy on purpose
  std::string_view reveal() const { return {data_, size_}; }
  char* data() { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void shrink(std::size_t size);  // size <= this->size(); the rest is wiped

 private:
  void release() noexcept;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
};

// Overwrites memory in a way that the compiler keeps (OPENSSL_cleanse).
void wipe(void* data, std::size_t size);

}  // namespace weir
