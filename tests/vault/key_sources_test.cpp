// The kinds of key besides the key file and the passphrase. The real keyring: tests/e2e/test_store.py.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>

#include "base/unique_fd.h"
#include "tests/vault/scratch.h"
#include "vault/store/key_text.h"
#include "vault/store/keyring.h"
#include "vault/store/random_value.h"
#include "vault/store/systemd_credential.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;

class KeySources : public Scratch {
 protected:
  KeySources() { clear(); }
  ~KeySources() override { clear(); }
  static void clear() {
    for (const char* name : {"CREDENTIALS_DIRECTORY", "WEIR_VAULT_CREDENTIAL", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
                             "DISPLAY", "WAYLAND_DISPLAY"})
      unsetenv(name);
  }

  // As systemd gives it.
  std::string credential(const std::string& name, const std::string& content, unsigned mode = 0400) const {
    std::filesystem::create_directories(folder_ + "/credentials");
    setenv("CREDENTIALS_DIRECTORY", (folder_ + "/credentials").c_str(), 1);
    std::filesystem::remove(folder_ + "/credentials/" + name);
    return write("credentials/" + name, content, mode);
  }
  Result<EmbeddedStore> create_for_systemd(const std::string& file = {}) const {
    return EmbeddedStore::create(paths_, Protection::kSystemdCredential, no_passphrase, file);
  }
};

TEST_F(KeySources, SystemdCredentialOpensTheStore) {
  credential("weir-vault-key", std::string(64, 'a') + "\n");
  auto store = create_for_systemd();
  ASSERT_TRUE(store) << message_of(store);
  ASSERT_TRUE(store->set("entry", Secret("v")));
  EXPECT_FALSE(std::filesystem::exists(paths_.key_file));
  EXPECT_EQ(open()->get("entry")->reveal(), "v");
  EXPECT_EQ(open()->protection(), Protection::kSystemdCredential);
  EXPECT_EQ(EmbeddedStore::peek(paths_)->protection, Protection::kSystemdCredential);
  EXPECT_THAT(stored(), HasSubstr("\"systemd-credential\""));
}

TEST_F(KeySources, SystemdCredentialMayHaveAnotherName) {
  setenv("WEIR_VAULT_CREDENTIAL", "team.key", 1);
  credential("team.key", std::string(64, 'B'));
  ASSERT_TRUE(create_for_systemd());
  EXPECT_TRUE(open());
  unsetenv("WEIR_VAULT_CREDENTIAL");
  EXPECT_EQ(code_of(open()), "credential_missing");
  for (const char* name : {"../config/vault.key", "/etc/passwd", ".", ".."}) {
    setenv("WEIR_VAULT_CREDENTIAL", name, 1);
    EXPECT_EQ(code_of(open()), "credential_name") << name;
  }
}

TEST_F(KeySources, SystemdCredentialThatIsNotThereIsAskedForInTheUnit) {
  credential("weir-vault-key", std::string(64, 'a'));
  ASSERT_TRUE(create_for_systemd());
  std::filesystem::remove(folder_ + "/credentials/weir-vault-key");
  EXPECT_EQ(code_of(open()), "credential_missing");
  EXPECT_THAT(message_of(open()), HasSubstr("LoadCredential=weir-vault-key:"));
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(code_of(open()), "credential_directory_unset");
  EXPECT_THAT(message_of(open()), HasSubstr("systemd-run -p LoadCredential=weir-vault-key:"));
  setenv("CREDENTIALS_DIRECTORY", "credentials", 1);
  EXPECT_EQ(code_of(open()), "credential_directory_unset");
}

TEST_F(KeySources, SystemdCredentialThatOthersCouldReadOrThatIsNoFileIsRefused) {
  for (const unsigned mode : {0444U, 0404U, 0620U, 0602U, 0777U}) {
    credential("weir-vault-key", std::string(64, 'a'), mode);
    EXPECT_EQ(code_of(store::read_systemd_credential()), "credential_mode") << std::oct << mode;
  }
  // An access list for the service's user shows in the group's bits; it is root who writes such a list.
  credential("weir-vault-key", std::string(64, 'a'), 0440);
  EXPECT_EQ(code_of(store::read_systemd_credential()), geteuid() == 0 ? "" : "credential_mode");
  const auto path = credential("weir-vault-key", "x");
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(code_of(store::read_systemd_credential()), "credential_mode") << "and nobody waits for its other end";
  std::filesystem::remove(path);
  std::filesystem::create_symlink(write("elsewhere", std::string(64, 'a')), path);
  EXPECT_EQ(code_of(store::read_systemd_credential()), "credential_missing");
}

TEST_F(KeySources, SystemdCredentialThatIsNoKeyIsNamedAndNotShown) {
  for (const std::string& content : {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
                                     std::string(64, 'a') + "\n\n", std::string(5000, 'a'), std::string(32, '\1')}) {
    credential("weir-vault-key", content);
    const auto read = store::read_systemd_credential();
    EXPECT_EQ(code_of(read), "vault_key_invalid");
    EXPECT_THAT(message_of(read), testing::Not(HasSubstr("aaaa")));
  }
}

TEST_F(KeySources, AnotherCredentialIsAWrongKey) {
  credential("weir-vault-key", std::string(64, 'a'));
  ASSERT_TRUE(create_for_systemd());
  credential("weir-vault-key", std::string(64, 'b'));
  EXPECT_EQ(code_of(open()), "vault_wrong_key");
  EXPECT_THAT(message_of(open()), HasSubstr("systemd credential `weir-vault-key`"));
}

TEST_F(KeySources, KeyForSystemdIsMadeInAFileOfItsOwnerAndNotMadeAnew) {
  const std::string file = folder_ + "/out/the.key";
  ASSERT_TRUE(create_for_systemd(file));
  struct stat status{};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  const std::string key = read_file(file).value();
  EXPECT_EQ(code_of(open()), "credential_directory_unset");
  credential("weir-vault-key", key);
  EXPECT_TRUE(open());
  std::filesystem::remove(paths_.store_file);
  ASSERT_TRUE(create_for_systemd(file));
  EXPECT_EQ(read_file(file).value(), key);
}

TEST_F(KeySources, RekeyGoesFromEachKindToEachOther) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("v")));
  ASSERT_TRUE(store.rekey(Protection::kSystemdCredential, no_passphrase, folder_ + "/k1"));
  credential("weir-vault-key", read_file(folder_ + "/k1").value());
  EXPECT_EQ(open()->get("entry")->reveal(), "v");
  EXPECT_EQ(code_of(store.rekey(Protection::kSystemdCredential, no_passphrase)), "vault_same_key");
  EXPECT_EQ(code_of(store.rekey(Protection::kSystemdCredential, no_passphrase, folder_ + "/k1")), "vault_same_key");
  EXPECT_TRUE(open()) << "nothing was changed";
  ASSERT_TRUE(store.rekey(Protection::kSystemdCredential, no_passphrase, folder_ + "/k2"));
  EXPECT_EQ(code_of(open()), "vault_wrong_key");
  ASSERT_TRUE(store.rekey(Protection::kPassphrase, passphrase("correct horse")));
  ASSERT_TRUE(store.rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_EQ(open()->get("entry")->reveal(), "v");
}

TEST_F(KeySources, RekeyToAKeyringThatIsNotThereChangesNothing) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("v")));
  const std::string before = stored();
  EXPECT_EQ(code_of(store.rekey(Protection::kKeyring, no_passphrase)), "keyring_unavailable");
  EXPECT_EQ(stored(), before);
  EXPECT_TRUE(open());
}

TEST_F(KeySources, KeyringWithoutASessionBusIsAnErrorAtOnce) {
  const auto made = EmbeddedStore::create(paths_, Protection::kKeyring, no_passphrase);
  EXPECT_EQ(code_of(made), "keyring_unavailable");
  EXPECT_THAT(message_of(made), HasSubstr("DBUS_SESSION_BUS_ADDRESS"));
  EXPECT_FALSE(std::filesystem::exists(paths_.store_file));
}

TEST_F(KeySources, KeyringBehindABusThatIsGoneIsAnError) {
  setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + folder_ + "/bus").c_str(), 1);
  EXPECT_EQ(code_of(store::keyring_read("00")), "keyring_unavailable");
}

TEST_F(KeySources, KeyringThatDoesNotAnswerIsGivenUp) {
  setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + folder_ + "/bus").c_str(), 1);
  const UniqueFd silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder_ + "/bus").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent.get(), 5), 0);
  const auto begin = std::chrono::steady_clock::now();
  const auto read = store::keyring_read("00");
  // Where libsecret is not installed that is said instead.
  EXPECT_THAT(code_of(read), testing::AnyOf("keyring_slow", "keyring_unavailable"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(KeyText, IsReadAndWrittenAlike) {
  const Secret key = store::new_master_key();
  const Secret text = store::key_text(key);
  EXPECT_EQ(store::parse_key_text(text.reveal())->reveal(), key.reveal());
  EXPECT_NE(key.reveal(), store::new_master_key().reveal());
  EXPECT_EQ(store::key_text(*store::parse_key_text(std::string(60, '0') + "AbFf")).reveal(), std::string(60, '0') + "abff");
}

TEST(RandomValue, HasItsShapeAndIsNeverTheSame) {
  const auto value = store::random_value("sk_{random:24}-{random:8}");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->size(), 36U);
  EXPECT_EQ(value->reveal().substr(0, 3), "sk_");
  EXPECT_EQ(value->reveal()[27], '-');
  EXPECT_EQ(value->reveal().substr(28).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
            std::string_view::npos);
  EXPECT_NE(value->reveal(), store::random_value("sk_{random:24}-{random:8}")->reveal());
  EXPECT_EQ(store::random_value("{random:4096}")->size(), 4096U);
}

TEST(RandomValue, UsesEveryCharacterAboutAsOften) {
  std::map<char, int> seen;
  for (int i = 0; i < 20; ++i) {
    const auto drawn = store::random_value("{random:4096}");
    for (const char c : drawn->reveal()) ++seen[c];
  }
  EXPECT_EQ(seen.size(), 62U);
  for (const auto& [c, count] : seen) EXPECT_NEAR(count, 20 * 4096 / 62, 250) << c;
}

TEST(RandomValue, ShapesThatAreNoneAreRefused) {
  for (const char* shape : {"", "password", "{random:15}", "{random:8}{random:7}", "{random:}", "{random:x}", "{random:16",
                            "{random:-16}", "{random:4097}", "{random:4096}{random:1}", "{random:0}{random:16}",
                            "a b{random:16}", "}{random:16}", "{rnd:16}", "{random:99999999999999999999}", "a\n{random:16}"})
    EXPECT_EQ(code_of(store::random_value(shape)), "shape_invalid") << shape;
}

}  // namespace
}  // namespace weir::vault
