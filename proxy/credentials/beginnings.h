// Where one of several texts may begin: by its first two octets, 16 places a step where the processor can. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::proxy {

class Beginnings {
 public:
  // `text` is not empty.
  void add(std::string_view text);
  // An octet with which any of the texts may begin or go on, in disguise.
  void set_escape(char escape);

  // The first place from `at` on where one of the texts, or an escape, may begin (also the last octet, if it is the first of
  // one); the size of `in` when there is none.
  std::size_t find(std::string_view in, std::size_t at) const;

 private:
  static constexpr std::size_t kPairs = 8;  // more different ones are looked for one place a step
  struct Pair {
    char first, second;
    bool operator==(const Pair&) const = default;
  };
  bool may_begin(char first, char second) const {
    return (firsts_[static_cast<unsigned char>(first)] & seconds_[static_cast<unsigned char>(second)]) != 0;
  }
  std::array<Pair, kPairs> pairs_{};
  std::size_t count_ = 0;  // of different pairs, kPairs at most
  bool all_pairs_ = true;  // pairs_ has them all
  bool has_escape_ = false;
  char escape_ = 0;
  // A bit for each pair (several share one where there are many).
  std::array<std::uint8_t, 256> firsts_{}, seconds_{};
};

}  // namespace weir::proxy
