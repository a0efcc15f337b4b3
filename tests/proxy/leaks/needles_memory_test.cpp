// No octets of a secret may lie anywhere but in memory that is kept out of core dumps and wiped. SECURITY: G2.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/unique_fd.h"
#include "proxy/leaks/needles.h"

namespace weir::proxy::leaks {
namespace {

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  bool dumped = true;
  std::string line;
};

// The writable ones (proc(5): smaps, VmFlags "dd": do not include in core dumps).
std::vector<Mapping> writable_mappings() {
  std::vector<Mapping> mappings;
  std::ifstream smaps("/proc/self/smaps");
  bool writable = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0, end = 0;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access.data()) == 3) {
      writable = access[0] == 'r' && access[1] == 'w';
      if (writable) mappings.push_back({.begin = begin, .end = end, .dumped = true, .line = line});
    } else if (writable && line.starts_with("VmFlags:") && line.find(" dd") != std::string::npos) {
      mappings.back().dumped = false;
    }
  }
  return mappings;
}

// Searches this process's memory for eight octets, which it holds only flipped; its own buffers are left out of core dumps, and so of the search.
class MemorySearch {
 public:
  MemorySearch() : memory_(open("/proc/self/mem", O_RDONLY | O_CLOEXEC)), buffer_(Secret::of_size(kPiece + kSize)) {}

  int count(const std::array<unsigned char, 8>& flipped) {
    int found = 0;
    for (const auto& mapping : writable_mappings())
      if (mapping.dumped) found += count_in(mapping, flipped);
    return found;
  }

 private:
  static constexpr std::size_t kPiece = 1 << 16, kSize = 8;

  int count_in(const Mapping& mapping, const std::array<unsigned char, 8>& flipped) {
    int found = 0;
    std::size_t kept = 0;
    for (std::uintptr_t at = mapping.begin; at < mapping.end;) {
      const auto size = pread(memory_.get(), buffer_.data() + kept, std::min<std::size_t>(kPiece, mapping.end - at), static_cast<off_t>(at));
      if (size <= 0) break;
      const std::size_t all = kept + static_cast<std::size_t>(size);
      for (std::size_t i = 0; i + kSize <= all; ++i) {
        std::size_t same = 0;
        while (same < kSize && (static_cast<unsigned char>(buffer_.data()[i + same]) ^ 0xA5U) == flipped[same]) ++same;
        if (same == kSize) ++found;
      }
      kept = std::min(all, kSize - 1);
      std::memmove(buffer_.data(), buffer_.data() + all - kept, kept);
      at += static_cast<std::uintptr_t>(size);
    }
    return found;
  }

  UniqueFd memory_;
  Secret buffer_;
};

// A text that is nowhere but in a Secret; its characters come from a generator, one by one.
Secret made_up(std::size_t size, std::uint64_t seed) {
  Secret text = Secret::of_size(size);
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    text.data()[i] = static_cast<char>(seed >> 33 & 1 ? 'a' + (seed >> 40) % 26 : '0' + (seed >> 40) % 10);
  }
  return text;
}

std::array<unsigned char, 8> flipped_at(const Secret& text, std::size_t at) {
  std::array<unsigned char, 8> flipped{};
  for (std::size_t i = 0; i < flipped.size(); ++i) flipped[i] = static_cast<unsigned char>(static_cast<unsigned char>(text.reveal()[at + i]) ^ 0xA5U);
  return flipped;
}

TEST(NeedlesMemory, TheSearchFindsWhatLiesInTheOpen) {
  const auto text = made_up(32, 1);
  MemorySearch search;
  EXPECT_EQ(search.count(flipped_at(text, 8)), 0);
  std::vector<char> open(text.reveal().begin(), text.reveal().end());
  EXPECT_GE(search.count(flipped_at(text, 8)), 1);
  wipe(open.data(), open.size());
}

TEST(NeedlesMemory, NothingOfASecretLiesOutsideOfLockedMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer keeps freed memory as it was";
#endif
  MemorySearch search;
  std::vector<Secret> texts;
  for (std::uint64_t i = 0; i < 40; ++i) texts.push_back(made_up(i % 8 == 0 ? 900 : 24 + i, 100 + i));
  {
    std::vector<Needle> needles;
    for (std::uint32_t i = 0; i < texts.size(); ++i) needles.push_back({.id = i, .text = texts[i].reveal()});
    const auto made = std::move(Needles::make(needles).value());
    // Used, too: found and all but found, and in a name.
    int hits = 0;
    for (const auto& text : texts) {
      made.find(text.reveal(), [&](const Hit&) { return ++hits > 0; });
      EXPECT_GT(made.incomplete(text.reveal().substr(0, text.size() - 1)), 0U);
    }
    EXPECT_GE(hits, 40);
    EXPECT_GT(made.memory(), 0U);
    for (std::size_t i = 0; i < texts.size(); i += 8)
      for (std::size_t k = i; k < i + 2; ++k)
        for (const std::size_t at : {std::size_t{0}, texts[k].size() / 2, texts[k].size() - 8}) EXPECT_EQ(search.count(flipped_at(texts[k], at)), 0) << k << " " << at;
  }
  for (std::size_t i = 0; i < texts.size(); i += 8) EXPECT_EQ(search.count(flipped_at(texts[i], 8)), 0);
}

}  // namespace
}  // namespace weir::proxy::leaks
