// Nothing of a value, key or passphrase stays in this process's memory once its Secret is gone. The text looked for is never
// in memory itself: it is made from, and compared with, octets under a mask.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdio>

#include "tests/vault/scratch.h"
#include "vault/import.h"
#include "vault/passphrase.h"
#include "vault/store/key_text.h"
#include "vault/store/random_value.h"

namespace weir::vault {
namespace {

using namespace test;

constexpr unsigned char kMask = 0x5a;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // they keep freed memory as it was, and copies of their own
#else
constexpr bool kSanitized = false;
#endif

class Marker {
 public:
  static constexpr std::size_t kSize = 24;
  explicit Marker(unsigned seed) {
    for (auto& octet : masked_) {
      seed = seed * 1103515245 + 12345;
      octet = static_cast<unsigned char>(('a' + (seed >> 16U) % 26) ^ kMask);
    }
  }
  void put(char* to) const {
    for (const auto octet : masked_) *to++ = static_cast<char>(octet ^ kMask);
  }
  explicit Marker(const std::array<unsigned char, kSize>& masked) : masked_(masked) {}
  Secret secret() const {
    Secret made = Secret::of_size(kSize);
    put(made.data());
    return made;
  }
  // Between two texts.
  Secret within(std::string_view before, std::string_view after) const {
    Secret made = Secret::of_size(before.size() + kSize + after.size());
    before.copy(made.data(), before.size());
    put(made.data() + before.size());
    after.copy(made.data() + before.size() + kSize, after.size());
    return made;
  }
  bool is_at(const volatile unsigned char* at) const {
    for (std::size_t i = 0; i < kSize; ++i)
      if ((at[i] ^ kMask) != masked_[i]) return false;
    return true;
  }
  // A file that holds it.
  void write_to(const std::string& path) const {
    const Secret content = secret();
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)!::write(fd, content.reveal().data(), content.size());
    ::close(fd);
  }

 private:
  std::array<unsigned char, kSize> masked_{};
};

// How often it stands in all that this process can write.
int copies(const Marker& marker) {
  static std::array<std::pair<std::uintptr_t, std::uintptr_t>, 4096> spans;
  std::size_t count = 0;
  FILE* maps = std::fopen("/proc/self/maps", "re");
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char mode[5] = {};
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, mode) != 3) continue;
    if (mode[0] == 'r' && mode[1] == 'w' && std::string_view(line).find("[v") == std::string_view::npos &&
        count < spans.size())
      spans[count++] = {begin, end};
  }
  std::fclose(maps);
  int found = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::uintptr_t at = spans[i].first; at + Marker::kSize <= spans[i].second; ++at)
      if (marker.is_at(reinterpret_cast<const volatile unsigned char*>(at))) ++found;
  return found;
}

class Memory : public Scratch {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "sanitisers keep copies of their own";
  }
};

TEST_F(Memory, IsSearchedWell) {
  const Marker marker(1);
  EXPECT_EQ(copies(marker), 0);
  {
    const Secret held = marker.secret();
    EXPECT_EQ(copies(marker), 1);
    std::string leaked(held.reveal());
    EXPECT_EQ(copies(marker), 2);
    wipe(leaked.data(), leaked.size());
  }
  EXPECT_EQ(copies(marker), 0);
}

TEST_F(Memory, HoldsNothingAfterSetGetRotateAndRekey) {
  const Marker first(2);
  const Marker second(3);
  auto store = create();
  ASSERT_TRUE(store.set("entry", first.secret()));
  ASSERT_TRUE(store.rotate("entry", second.secret()));
  {
    const auto got = open()->get("entry", 1);
    ASSERT_TRUE(got);
    EXPECT_EQ(copies(first), 1);
  }
  ASSERT_TRUE(store.rekey(Protection::kKeyFile, no_passphrase));
  (void)store.list();
  EXPECT_EQ(copies(first), 0);
  EXPECT_EQ(copies(second), 0);
}

TEST_F(Memory, HoldsNothingAfterAnImport) {
  const Marker plain(4), quoted(5), json(6);
  auto store = create();
  {
    const auto env = parse_env(plain.within("# c\nexport A=", " # c\nB=x\n"));
    const auto lines = parse_env(quoted.within("A=\"line\\n", "\nmore\"\n"));
    const auto object = parse_json(json.within(R"({"a": "x\u0041\n)", R"(", "b": "y"})"));
    ASSERT_TRUE(env && lines && object);
    ASSERT_TRUE(store.set_all(*env));
    ASSERT_TRUE(store.set_all(*lines));
    ASSERT_TRUE(store.set_all(*object));
    EXPECT_EQ(copies(plain), 1);
    EXPECT_EQ(copies(quoted), 1);
    EXPECT_EQ(copies(json), 1);
  }
  EXPECT_EQ(copies(plain) + copies(quoted) + copies(json), 0);
  EXPECT_FALSE(parse_env(plain.within("A=\"", "")));
  EXPECT_FALSE(parse_env(plain.within("A b c ", "=x")));
  EXPECT_FALSE(parse_json(json.within(R"({"a": 1, "b": ")", R"("})")));
  EXPECT_FALSE(parse_json(json.within(R"({"a": ")", R"(")")));
  EXPECT_EQ(copies(plain) + copies(quoted) + copies(json), 0);
}

TEST_F(Memory, HoldsNothingOfAPassphrase) {
  const Marker marker(7);
  marker.write_to(folder_ + "/passphrase");
  setenv("WEIR_VAULT_PASSPHRASE_FILE", (folder_ + "/passphrase").c_str(), 1);
  auto store = EmbeddedStore::create(paths_, Protection::kPassphrase, passphrase_from_file);
  ASSERT_TRUE(store) << message_of(store);
  ASSERT_TRUE(store->set("entry", Secret("v")));
  ASSERT_TRUE(EmbeddedStore::open(paths_, passphrase_from_file));
  EXPECT_EQ(copies(marker), 0);
}

TEST_F(Memory, HoldsNothingOfAMasterKeyNorOfItsText) {
  // A key file whose digits are known, as the mask's own text is: letters a to f only.
  const std::string path = folder_ + "/config/vault.key";
  std::filesystem::create_directories(folder_ + "/config");
  std::array<unsigned char, 64> masked{};
  unsigned seed = 8;
  for (auto& octet : masked) {
    seed = seed * 1103515245 + 12345;
    octet = static_cast<unsigned char>(('a' + (seed >> 16U) % 6) ^ kMask);
  }
  const auto count = [&](bool binary) {
    // Looks for the digits, or the octets that they stand for.
    std::array<unsigned char, Marker::kSize> looked{};
    for (std::size_t i = 0; i < looked.size(); ++i) {
      const auto digit = [&](std::size_t at) { return static_cast<unsigned char>((masked[at] ^ kMask) - 'a' + 10); };
      looked[i] = binary ? static_cast<unsigned char>((digit(2 * i) * 16 + digit(2 * i + 1)) ^ kMask) : masked[i];
    }
    return copies(Marker(looked));
  };
  {
    Secret digits = Secret::of_size(64);
    for (std::size_t i = 0; i < 64; ++i) digits.data()[i] = static_cast<char>(masked[i] ^ kMask);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::write(fd, digits.reveal().data(), 64), 64);
    ::close(fd);
  }
  {
    auto store = EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase);
    ASSERT_TRUE(store) << message_of(store);
    EXPECT_EQ(count(true), 1) << "the store holds it, once";
    EXPECT_EQ(count(false), 0);
    ASSERT_TRUE(store->rekey(Protection::kSystemdCredential, no_passphrase, folder_ + "/other"));
    EXPECT_EQ(count(true), 0);
  }
  EXPECT_EQ(count(true) + count(false), 0);
}

}  // namespace
}  // namespace weir::vault
