#include "vault/embedded_store.h"

#include <gmock/gmock.h>

#include "tests/vault/scratch.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

class Store : public Scratch {};

TEST_F(Store, ValueComesBackInAnotherProcessesEyes) {
  auto store = create();
  EXPECT_EQ(store.set("github-token", Secret("ghp_value")).value(), 1U);
  EXPECT_EQ(open()->get("github-token")->reveal(), "ghp_value");
}

TEST_F(Store, EveryOctetAndLengthOfAValueIsKept) {
  auto store = create();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& value : {all, std::string(1, '\0'), std::string(64U * 1024, 'x')}) {
    ASSERT_TRUE(store.set("entry", Secret(value)));
    EXPECT_EQ(open()->get("entry")->reveal(), value);
  }
  EXPECT_EQ(code_of(store.set("entry", Secret(std::string(64U * 1024 + 1, 'x')))), "vault_value_too_long");
  EXPECT_EQ(code_of(store.set("entry", Secret())), "vault_value_empty");
}

TEST_F(Store, LastFiveVersionsAreKeptAndNumbersGoOn) {
  auto store = create();
  for (int i = 1; i <= 7; ++i)
    ASSERT_EQ(store.set("entry", Secret("value " + std::to_string(i))).value(), static_cast<unsigned>(i));
  EXPECT_EQ(store.get("entry")->reveal(), "value 7");
  EXPECT_EQ(store.get("entry", 3)->reveal(), "value 3");
  const auto gone = store.get("entry", 2);
  EXPECT_EQ(code_of(gone), "vault_version_missing");
  EXPECT_THAT(message_of(gone), HasSubstr("3 to 7"));
  const auto list = store.list();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].versions.size(), kVersionsKept);
  EXPECT_EQ(list[0].versions.back().number, 7U);
}

TEST_F(Store, RemovedEntryIsGoneForEveryReader) {
  auto store = create();
  ASSERT_TRUE(store.set("a", Secret("1")));
  ASSERT_TRUE(store.set("b", Secret("2")));
  ASSERT_TRUE(store.remove("a"));
  EXPECT_EQ(code_of(open()->get("a")), "vault_entry_missing");
  EXPECT_EQ(open()->get("b")->reveal(), "2");
  EXPECT_EQ(code_of(store.remove("a")), "vault_entry_missing");
}

TEST_F(Store, OneVersionIsRemovedAndTheOthersStay) {
  auto store = create();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(store.set("a", Secret(std::to_string(i))));
  ASSERT_TRUE(store.remove("a", 2));
  EXPECT_EQ(open()->get("a", 1)->reveal(), "1");
  EXPECT_EQ(code_of(open()->get("a", 2)), "vault_version_missing");
  EXPECT_THAT(message_of(open()->get("a", 2)), HasSubstr("it keeps 1, 3"));
  EXPECT_EQ(code_of(store.remove("a", 2)), "vault_version_missing");
  ASSERT_TRUE(store.remove("a", 3));
  EXPECT_EQ(open()->get("a")->reveal(), "1") << "the one before is the current one again";
  ASSERT_TRUE(store.remove("a", 1));
  EXPECT_TRUE(open()->list().empty());
  EXPECT_EQ(code_of(store.remove("a", 1)), "vault_entry_missing");
}

TEST_F(Store, RotationNeedsAnEntryAndAnotherValue) {
  auto store = create();
  EXPECT_EQ(code_of(store.rotate("a", Secret("1"))), "vault_entry_missing");
  ASSERT_TRUE(store.set("a", Secret("1")));
  const std::string before = stored();
  EXPECT_EQ(code_of(store.rotate("a", Secret("1"))), "vault_value_same");
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(store.rotate("a", Secret("2")).value(), 2U);
  EXPECT_EQ(store.rotate("a", Secret("1")).value(), 3U);
  EXPECT_EQ(open()->get("a", 2)->reveal(), "2");
  EXPECT_EQ(code_of(store.rotate("a", Secret())), "vault_value_empty");
}

TEST_F(Store, ManyValuesAreSetTogetherOrNotAtAll) {
  auto store = create();
  ASSERT_TRUE(store.set("b", Secret("2")));
  const std::string before = stored();
  const auto values = [](std::initializer_list<std::pair<std::string, std::string>> given) {
    std::vector<std::pair<std::string, Secret>> made;
    for (const auto& [name, value] : given) made.emplace_back(name, Secret(value));
    return made;
  };
  EXPECT_EQ(code_of(store.set_all(values({{"a", "1"}, {"b c", "2"}}))), "vault_entry_name");
  EXPECT_EQ(code_of(store.set_all(values({{"a", "1"}, {"b", ""}}))), "vault_value_empty");
  EXPECT_EQ(code_of(store.set_all(values({{"a", "1"}, {"b", std::string(65'537, 'x')}}))), "vault_value_too_long");
  EXPECT_EQ(stored(), before);
  const auto stored_values = store.set_all(values({{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  ASSERT_TRUE(stored_values) << message_of(stored_values);
  ASSERT_EQ(stored_values->size(), 3U);
  EXPECT_TRUE((*stored_values)[0].changed);
  EXPECT_FALSE((*stored_values)[1].changed) << "it has this value already, and keeps its older ones";
  EXPECT_EQ((*stored_values)[1].version, 1U);
  EXPECT_EQ(store.generation(), 3U) << "one write for all";
  ASSERT_TRUE(store.set_all(values({{"a", "1"}, {"b", "2"}})));
  EXPECT_EQ(store.generation(), 3U) << "nothing to write";
}

TEST_F(Store, HeaderIsSeenWithoutAKey) {
  EXPECT_EQ(code_of(EmbeddedStore::peek(paths_)), "vault_missing");
  auto store = create();
  ASSERT_TRUE(store.set("a", Secret("1")));
  std::filesystem::remove(paths_.key_file);
  const auto header = EmbeddedStore::peek(paths_);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->protection, Protection::kKeyFile);
  EXPECT_EQ(header->entries, 1U);
  EXPECT_EQ(header->generation, 2U);
}

TEST_F(Store, OpenedWithAKeyFileThatWasReplacedSinceSaysSo) {
  auto store = create();
  ASSERT_TRUE(open()->rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_EQ(code_of(store.set("a", Secret("1"))), "vault_rekeyed");
}

TEST_F(Store, MissingEntrySaysHowToSetIt) {
  create();
  EXPECT_THAT(message_of(open()->get("github-token")), HasSubstr("weir vault set github-token"));
}

TEST_F(Store, EntryNamesThatCouldMisleadAreRefused) {
  auto store = create();
  for (const std::string name : {"", ".", "..", "../x", "/x", "x/", "a b", "a\nb", "a@1", "ü", "a:b", "a\"b", "a\x1b[2J"})
    EXPECT_EQ(code_of(store.set(name, Secret("v"))), "vault_entry_name") << name;
  EXPECT_EQ(code_of(store.set(std::string("a\0b", 3), Secret("v"))), "vault_entry_name");
  EXPECT_EQ(code_of(store.set(std::string(129, 'a'), Secret("v"))), "vault_entry_name");
  for (const std::string name : {"a", "GITHUB_TOKEN", "team/service.key-2", "0"})
    EXPECT_TRUE(store.set(name, Secret("v"))) << name;
}

TEST_F(Store, FilesHoldNoPlaintextAndAreForTheirOwnerOnly) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("correct-horse-battery-staple")));
  EXPECT_THAT(stored(), Not(HasSubstr("correct-horse")));
  EXPECT_THAT(stored(), Not(HasSubstr("636f72726563742d686f727365")));
  for (const auto& path : {paths_.store_file, paths_.key_file, paths_.store_file + ".lock"}) {
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << path;
  }
  for (const auto& path : {folder_ + "/data", folder_ + "/config"}) {
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 07777U, 0700U) << path;
  }
}

TEST_F(Store, NothingIsLeftBesideTheFiles) {
  auto store = create();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.set("entry", Secret("v")));
  ASSERT_TRUE(store.rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ + "/data"), {}), 2);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ + "/config"), {}), 1);
}

TEST_F(Store, KeyFileThatOthersCanReadIsRefusedWithTheMend) {
  create();
  for (const unsigned mode : {0644U, 0640U, 0604U, 0660U, 0610U}) {
    chmod(paths_.key_file.c_str(), mode);
    EXPECT_EQ(code_of(open()), "secret_file_mode");
    EXPECT_THAT(message_of(open()), HasSubstr("chmod 600"));
  }
  chmod(paths_.key_file.c_str(), 0400);
  EXPECT_TRUE(open());
}

TEST_F(Store, MissingKeyFileIsNotMadeAnewForAnExistingVault) {
  create();
  std::filesystem::remove(paths_.key_file);
  EXPECT_EQ(code_of(open()), "vault_key_missing");
  EXPECT_FALSE(std::filesystem::exists(paths_.key_file));
}

TEST_F(Store, KeyFileThatHoldsNoKeyIsNamed) {
  create();
  for (const std::string& content :
       {std::string(), std::string("short"), std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g')}) {
    std::ofstream(paths_.key_file, std::ios::trunc) << content;
    EXPECT_EQ(code_of(open()), "vault_key_invalid") << content;
    EXPECT_THAT(message_of(open()), HasSubstr(paths_.key_file));
  }
}

TEST_F(Store, CreateNeverReplacesAVaultNorAKey) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("v")));
  EXPECT_EQ(code_of(EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase)), "vault_exists");
  EXPECT_EQ(code_of(EmbeddedStore::create(paths_, Protection::kPassphrase, no_passphrase)), "vault_exists");
  EXPECT_EQ(open()->get("entry")->reveal(), "v");
  const std::string key = read_file(paths_.key_file).value();
  std::filesystem::remove(paths_.store_file);
  EXPECT_TRUE(EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase));
  EXPECT_EQ(read_file(paths_.key_file).value(), key);
}

TEST_F(Store, PassphraseOpensItAndAWrongOneSaysSo) {
  auto store = EmbeddedStore::create(paths_, Protection::kPassphrase, passphrase("correct horse"));
  ASSERT_TRUE(store) << message_of(store);
  ASSERT_TRUE(store->set("entry", Secret("v")));
  EXPECT_FALSE(std::filesystem::exists(paths_.key_file));
  EXPECT_EQ(EmbeddedStore::open(paths_, passphrase("correct horse"))->get("entry")->reveal(), "v");
  const auto wrong = EmbeddedStore::open(paths_, passphrase("correct horsf"));
  EXPECT_EQ(code_of(wrong), "vault_wrong_key");
  EXPECT_THAT(message_of(wrong), HasSubstr("passphrase"));
  EXPECT_EQ(code_of(open()), "asked") << "the reader's own error is handed on";
}

TEST_F(Store, AnotherVaultsKeyIsAWrongKeyNotDamage) {
  create();
  std::ofstream(paths_.key_file, std::ios::trunc) << std::string(64, 'a') << "\n";
  EXPECT_EQ(code_of(open()), "vault_wrong_key");
  EXPECT_THAT(message_of(open()), HasSubstr(paths_.key_file));
}

TEST_F(Store, RekeyKeepsEveryVersionAndShutsOutTheOldKey) {
  auto store = create();
  ASSERT_TRUE(store.set("a", Secret("1")));
  ASSERT_TRUE(store.set("a", Secret("2")));
  const std::string old_key = read_file(paths_.key_file).value();
  ASSERT_TRUE(store.rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_NE(read_file(paths_.key_file).value(), old_key);
  EXPECT_EQ(open()->get("a", 1)->reveal(), "1");
  EXPECT_EQ(store.set("a", Secret("3")).value(), 3U);
  ASSERT_TRUE(store.rekey(Protection::kPassphrase, passphrase("correct horse")));
  EXPECT_EQ(EmbeddedStore::open(paths_, passphrase("correct horse"))->get("a")->reveal(), "3");
  EXPECT_EQ(code_of(open()), "asked");
}

TEST_F(Store, RekeyCutOffBetweenItsTwoFilesLosesNothing) {
  auto store = create();
  ASSERT_TRUE(store.set("a", Secret("1")));
  const std::string old_key = read_file(paths_.key_file).value();
  ASSERT_TRUE(store.rekey(Protection::kKeyFile, no_passphrase));
  // As if the last rename had not come to pass.
  std::filesystem::rename(paths_.key_file, paths_.key_file + ".next");
  std::ofstream(paths_.key_file, std::ios::trunc) << old_key;
  chmod(paths_.key_file.c_str(), 0600);
  auto again = open();
  ASSERT_TRUE(again) << message_of(again);
  EXPECT_EQ(again->get("a")->reveal(), "1");
  ASSERT_TRUE(again->set("a", Secret("2")));
  ASSERT_TRUE(open()->rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_FALSE(std::filesystem::exists(paths_.key_file + ".next"));
  EXPECT_EQ(open()->get("a")->reveal(), "2");
}

TEST_F(Store, WriterThatWasOvertakenByARekeySaysSoAndChangesNothing) {
  auto store = create();
  auto other = open();
  ASSERT_TRUE(other->rekey(Protection::kPassphrase, passphrase("correct horse")));
  EXPECT_EQ(code_of(store.set("a", Secret("1"))), "vault_rekeyed");
  EXPECT_TRUE(EmbeddedStore::open(paths_, passphrase("correct horse"))->list().empty());
}

TEST_F(Store, FolderThatCannotBeWrittenIsNamed) {
  std::ofstream(folder_ + "/data") << "a file where the folder should be";
  const auto refused = EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase);
  ASSERT_FALSE(refused);
  EXPECT_THAT(message_of(refused), HasSubstr(folder_ + "/data"));
}

}  // namespace
}  // namespace weir::vault
