// Vault::fetch: where a credential's `from` leads.
#include <gmock/gmock.h>

#include <fstream>

#include "base/encoding.h"
#include "tests/vault/scratch.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

class Sources : public Scratch {
 protected:
  ~Sources() override {
    unsetenv("WEIR_TEST_TOKEN");
    if (!home_.empty()) setenv("HOME", home_.c_str(), 1);
  }
  Result<Secret> fetch(const std::string& from) const { return Vault(paths_).fetch(from); }
  std::string home_;
};

TEST_F(Sources, EnvironmentVariableGivesItsValue) {
  setenv("WEIR_TEST_TOKEN", "ghp_x", 1);
  EXPECT_EQ(fetch("env:WEIR_TEST_TOKEN")->reveal(), "ghp_x");
}

TEST_F(Sources, UnsetAndEmptyVariablesSayHowToSetThem) {
  const auto unset = fetch("env:WEIR_TEST_TOKEN");
  EXPECT_EQ(code_of(unset), "vault_env_unset");
  EXPECT_THAT(message_of(unset), HasSubstr("export WEIR_TEST_TOKEN="));
  setenv("WEIR_TEST_TOKEN", "", 1);
  EXPECT_EQ(code_of(fetch("env:WEIR_TEST_TOKEN")), "vault_env_unset");
  for (const std::string from : {"env:", "env:A B", "env:1A", "env:A=B", "env:A-B"})
    EXPECT_EQ(code_of(fetch(from)), "vault_source_invalid") << from;
}

TEST_F(Sources, FileGivesItsContentWithoutTheLastNewline) {
  EXPECT_EQ(fetch("file:" + write("token", "abc\n"))->reveal(), "abc");
  EXPECT_EQ(fetch("file:" + write("token", "abc"))->reveal(), "abc");
}

TEST_F(Sources, FileUnderTheHomeFolderIsFoundByTilde) {
  home_ = getenv("HOME") == nullptr ? "/" : getenv("HOME");
  setenv("HOME", folder_.c_str(), 1);
  write("token", "abc\n");
  EXPECT_EQ(fetch("file:~/token")->reveal(), "abc");
}

TEST_F(Sources, FileThatOthersCanReadIsRefused) {
  const auto refused = fetch("file:" + write("token", "abc\n", 0644));
  EXPECT_EQ(code_of(refused), "secret_file_mode");
  EXPECT_THAT(message_of(refused), testing::AllOf(HasSubstr("chmod 600"), Not(HasSubstr("abc"))));
}

TEST_F(Sources, FilesThatCannotHoldAValueAreErrors) {
  EXPECT_EQ(code_of(fetch("file:" + folder_ + "/none")), "vault_file_missing");
  EXPECT_EQ(code_of(fetch("file:" + folder_)), "secret_file_kind");
  EXPECT_EQ(code_of(fetch("file:/dev/zero")), "secret_file_kind");
  EXPECT_EQ(code_of(fetch("file:")), "vault_source_invalid");
  EXPECT_EQ(code_of(fetch("file:" + write("empty", ""))), "vault_value_empty");
  EXPECT_EQ(code_of(fetch("file:" + write("newline", "\n"))), "vault_value_empty");
}

TEST_F(Sources, StoreGivesTheNewestValueOrTheVersionAskedFor) {
  auto store = create();
  ASSERT_TRUE(store.set("team/token", Secret("one")));
  ASSERT_TRUE(store.set("team/token", Secret("two")));
  EXPECT_EQ(fetch("store:team/token")->reveal(), "two");
  EXPECT_EQ(fetch("store:team/token@1")->reveal(), "one");
  EXPECT_EQ(code_of(fetch("store:team/token@9")), "vault_version_missing");
  EXPECT_EQ(code_of(fetch("store:team/token@x")), "vault_source_invalid");
  EXPECT_EQ(code_of(fetch("store:team/token@")), "vault_source_invalid");
  EXPECT_EQ(code_of(fetch("store:")), "vault_entry_name");
}

TEST_F(Sources, ValueSetMeanwhileIsSeen) {
  auto store = create();
  const Vault vault(paths_);
  EXPECT_EQ(code_of(vault.fetch("store:token")), "vault_entry_missing");
  ASSERT_TRUE(store.set("token", Secret("one")));
  EXPECT_EQ(vault.fetch("store:token")->reveal(), "one");
  ASSERT_TRUE(store.set("token", Secret("two")));
  EXPECT_EQ(vault.fetch("store:token")->reveal(), "two");
}

TEST_F(Sources, MissingVaultAndEntrySayHowToMakeThem) {
  EXPECT_EQ(code_of(fetch("store:github-token")), "vault_missing");
  EXPECT_THAT(message_of(fetch("store:github-token")), HasSubstr("weir vault set github-token"));
  create();
  EXPECT_THAT(message_of(fetch("store:github-token")),
              HasSubstr("the vault has no entry `github-token`; run: weir vault set github-token"));
}

TEST_F(Sources, ValuesThatCouldSplitAHeaderAreRefusedAndNotShown) {
  auto store = create();
  for (const std::string& value :
       {std::string("tok\r\nX-Evil: 1"), std::string("tok\nen"), std::string("tok\ren"), std::string("to\0k", 4),
        std::string("tok\x7f"), std::string("\x1btok"), std::string("tok\ten"), std::string("tok\n\n")}) {
    const auto from_file = fetch("file:" + write("token", value));
    EXPECT_EQ(code_of(from_file), "vault_value_unusable");
    EXPECT_THAT(message_of(from_file), Not(HasSubstr("Evil")));
    ASSERT_TRUE(store.set("token", Secret(value)));
    EXPECT_EQ(code_of(fetch("store:token")), "vault_value_unusable");
    if (value.find('\0') != std::string::npos) continue;
    setenv("WEIR_TEST_TOKEN", value.c_str(), 1);
    EXPECT_EQ(code_of(fetch("env:WEIR_TEST_TOKEN")), "vault_value_unusable");
  }
}

TEST_F(Sources, UnknownSourcesAreNamedWithTheKnownOnes) {
  for (const std::string from : {"", "token", "vault:secret/data/x#y", "exec:cat", "ENV:X", "env", "http://x"}) {
    EXPECT_EQ(code_of(fetch(from)), "vault_source_unknown") << from;
    EXPECT_THAT(message_of(fetch(from)), HasSubstr("store:ENTRY"));
  }
  EXPECT_THAT(message_of(fetch("\x1b[2J:x")), Not(HasSubstr("\x1b")));
}

TEST_F(Sources, PassphraseFileOpensTheStoreWithoutAQuestion) {
  auto store = EmbeddedStore::create(paths_, Protection::kPassphrase, passphrase("correct horse"));
  ASSERT_TRUE(store->set("token", Secret("v")));
  Vault vault(paths_);
  EXPECT_EQ(code_of(vault.fetch("store:token")), "vault_locked");
  EXPECT_THAT(message_of(vault.fetch("store:token")), HasSubstr("WEIR_VAULT_PASSPHRASE_FILE"));
  setenv("WEIR_VAULT_PASSPHRASE_FILE", write("passphrase", "correct horse\n", 0644).c_str(), 1);
  EXPECT_EQ(code_of(vault.fetch("store:token")), "secret_file_mode");
  write("passphrase", "correct horse\n", 0600);
  EXPECT_EQ(vault.fetch("store:token")->reveal(), "v");
  // Unlocked once is unlocked: the passphrase is not needed again, and new values are seen.
  unsetenv("WEIR_VAULT_PASSPHRASE_FILE");
  ASSERT_TRUE(store->set("token", Secret("w")));
  EXPECT_EQ(vault.fetch("store:token")->reveal(), "w");
  write("passphrase", "wrong\n", 0600);
  setenv("WEIR_VAULT_PASSPHRASE_FILE", (folder_ + "/passphrase").c_str(), 1);
  EXPECT_EQ(code_of(Vault(paths_).fetch("store:token")), "vault_wrong_key");
}

TEST_F(Sources, UnlockIsNothingWithoutAPassphrase) {
  Vault vault(paths_);
  EXPECT_TRUE(vault.unlock());
  create();
  EXPECT_TRUE(vault.unlock());
}

TEST_F(Sources, MemoryKeepsNoCopyOfAFetchedValue) {
  // The needle is kept masked, so that the search does not find itself.
  auto store = create();
  std::string masked;
  {
    Secret value = Secret::of_size(40);
    std::string random = random_bytes(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      value.data()[i] = static_cast<char>('A' + (static_cast<unsigned char>(random[i]) & 15U));
      masked += static_cast<char>(value.data()[i] ^ 0x55);
    }
    ASSERT_TRUE(store.set("token", value));
  }
  ASSERT_EQ(fetch("store:token")->size(), masked.size());
  std::ifstream maps("/proc/self/maps");
  std::ifstream memory("/proc/self/mem", std::ios::binary);
  std::string line;
  std::size_t found = 0;
  std::size_t searched = 0;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
    if (line.find("[v") != std::string::npos || end - begin > (std::uintptr_t{256} << 20U)) continue;
    std::string bytes(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(memory.gcount()));
    searched += bytes.size();
    for (std::size_t at = 0; at + masked.size() <= bytes.size(); ++at) {
      std::size_t same = 0;
      while (same < masked.size() && static_cast<char>(bytes[at + same] ^ 0x55) == masked[same]) ++same;
      found += same == masked.size() ? 1 : 0;
    }
  }
  EXPECT_GT(searched, 100'000U);
  EXPECT_EQ(found, 0U);
}

}  // namespace
}  // namespace weir::vault
