// What lost bits, other hands and other programs may do to the file: always one clear error, never another value.
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/encoding.h"
#include "tests/vault/scratch.h"
#include "vault/store/cipher.h"
#include "vault/store/document.h"
#include "vault/store/verified_document.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
using Json = nlohmann::json;

class Damage : public Scratch {
 protected:
  Damage() {
    auto store = create();
    EXPECT_TRUE(store.set("alpha", Secret("first-value")));
    EXPECT_TRUE(store.set("alpha", Secret("other-value")));
    EXPECT_TRUE(store.set("beta", Secret("third-value")));
    whole_ = stored();
  }

  // The file with a change, and the checksum made right again: all that somebody without the key can do.
  void edit(const std::function<void(Json&)>& change) const {
    Json json = Json::parse(whole_);
    change(json);
    store(json.dump(1));
    auto document = store::parse_document(stored());
    ASSERT_TRUE(document) << message_of(document);
    document->checksum = store::checksum_of(*document);
    store(store::to_text(*document));
  }

  std::string whole_;
};

TEST_F(Damage, FileCutAtAnyOctetIsAnError) {
  for (std::size_t size = 0; size + 1 < whole_.size(); ++size) {
    store(whole_.substr(0, size));
    const auto opened = open();
    ASSERT_FALSE(opened) << size;
    ASSERT_EQ(opened.error().code, "vault_damaged") << size;
    ASSERT_THAT(opened.error().message, HasSubstr(paths_.store_file));
  }
}

TEST_F(Damage, EveryFlippedBitIsNoticed) {
  std::set<std::string> codes;
  for (std::size_t at = 0; at + 1 < whole_.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string text = whole_;
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << bit));
      const auto document = store::parse_document(text);
      if (!document) {
        codes.insert(document.error().code);
        continue;
      }
      // Read as before only if it says the same; then the checksum must object.
      ASSERT_NE(document->checksum, store::checksum_of(*document)) << "octet " << at << " bit " << bit;
    }
  for (const auto& code : codes) EXPECT_TRUE(code == "vault_damaged" || code == "vault_too_new") << code;
}

TEST_F(Damage, FlippedBitInAValueNamesTheEntryAndVersion) {
  const auto sealed = Json::parse(whole_)["entries"]["alpha"][1]["sealed"].get<std::string>();
  std::string text = whole_;
  const auto at = text.find(sealed);
  text[at] = text[at] == '0' ? '1' : '0';
  store(text);
  EXPECT_EQ(code_of(open()), "vault_damaged");
  EXPECT_THAT(message_of(open()), HasSubstr("entry `alpha` version 2"));
}

TEST_F(Damage, DamagedFileIsNotMistakenForAWrongKey) {
  std::string text = whole_;
  const auto at = text.find("key_check") + 13;
  text[at] = text[at] == '0' ? '1' : '0';
  store(text);
  EXPECT_EQ(code_of(open()), "vault_damaged");
}

TEST_F(Damage, SwappedValuesAreNoticed) {
  edit([](Json& json) { std::swap(json["entries"]["alpha"][1]["sealed"], json["entries"]["beta"][0]["sealed"]); });
  EXPECT_EQ(code_of(open()), "vault_tampered");
  EXPECT_THAT(message_of(open()), testing::AllOf(HasSubstr("`alpha` version 2"), HasSubstr("`beta` version 1")));
}

TEST_F(Damage, WholeVersionsSwappedBetweenEntriesAreNoticed) {
  edit([](Json& json) { std::swap(json["entries"]["alpha"][0], json["entries"]["beta"][0]); });
  EXPECT_EQ(code_of(open()), "vault_tampered");
}

TEST_F(Damage, RenamedEntryIsNoticed) {
  edit([](Json& json) {
    json["entries"]["gamma"] = json["entries"]["alpha"];
    json["entries"].erase("alpha");
  });
  EXPECT_EQ(code_of(open()), "vault_tampered");
  EXPECT_THAT(message_of(open()), HasSubstr("`gamma`"));
}

TEST_F(Damage, RemovedEntryAndVersionAreNoticed) {
  edit([](Json& json) { json["entries"].erase("beta"); });
  EXPECT_EQ(code_of(open()), "vault_tampered");
  edit([](Json& json) { json["entries"]["alpha"].erase(1); });
  EXPECT_EQ(code_of(open()), "vault_tampered") << "the older version would be the current one again";
}

TEST_F(Damage, EntryPutBackFromAnOlderFileIsNoticed) {
  const Json older = Json::parse(whole_);
  auto current = open();
  ASSERT_TRUE(current->set("alpha", Secret("rotated")));
  whole_ = stored();
  edit([&](Json& json) { json["entries"]["alpha"] = older["entries"]["alpha"]; });
  EXPECT_EQ(code_of(open()), "vault_tampered");
}

TEST_F(Damage, RenumberedVersionIsNoticed) {
  edit([](Json& json) {
    json["entries"]["alpha"][0]["number"] = 5;
    std::swap(json["entries"]["alpha"][0], json["entries"]["alpha"][1]);
  });
  EXPECT_EQ(code_of(open()), "vault_tampered");
}

TEST_F(Damage, EditedTimesCountsAndHeadersAreNoticed) {
  edit([](Json& json) { json["entries"]["beta"][0]["created"] = "2020-01-01T00:00:00.000000Z"; });
  EXPECT_EQ(code_of(open()), "vault_tampered");
  edit([](Json& json) { json["generation"] = 99; });
  EXPECT_EQ(code_of(open()), "vault_tampered");
  edit([](Json& json) { json["key_check"] = std::string(64, '0'); });
  EXPECT_EQ(code_of(open()), "vault_wrong_key");
}

TEST_F(Damage, HeaderThatNamesAnotherKindOfKeyDoesNotOpen) {
  // Somebody without the key would have the owner asked for another: it is not the right one, and so nothing opens.
  setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  const std::string credential = write("weir-vault-key", std::string(64, 'a'));
  edit([](Json& json) { json["kdf"] = {{"name", "systemd-credential"}}; });
  EXPECT_EQ(code_of(open()), "vault_wrong_key");
  std::filesystem::copy_file(paths_.key_file, credential, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(code_of(open()), "vault_tampered") << "even with the same key";
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(Damage, ReformattedFileIsStillTheSameFile) {
  store(Json::parse(whole_).dump());
  EXPECT_EQ(open()->get("alpha")->reveal(), "other-value");
}

TEST_F(Damage, WriterRefusesToBuildOnADamagedFile) {
  auto writer = open();
  std::string text = whole_;
  text.resize(text.size() / 2);
  store(text);
  EXPECT_EQ(code_of(writer->set("alpha", Secret("v"))), "vault_damaged");
  EXPECT_EQ(code_of(writer->remove("alpha")), "vault_damaged");
  EXPECT_EQ(code_of(writer->rekey(Protection::kKeyFile, no_passphrase)), "vault_damaged");
  EXPECT_EQ(stored(), text);
}

TEST_F(Damage, FilesOfAnotherKindAreNamedAsSuch) {
  for (const std::string text :
       {"", "{}", "[]", "null", "true", "1", "\"x\"", "hello", "{\"format\":\"other\"}", "{\"format\":1}"}) {
    store(text);
    EXPECT_EQ(code_of(open()), "vault_damaged") << text;
  }
  store(std::string(200'000, '['));
  EXPECT_EQ(code_of(open()), "vault_damaged");
  std::string deep = whole_;
  deep.insert(deep.find("\"entries\": {") + 12, "\"x\": " + std::string(100'000, '[') + std::string(100'000, ']') + ",");
  store(deep);
  EXPECT_EQ(code_of(open()), "vault_damaged");
}

TEST_F(Damage, NewerFormatAsksForANewerWeir) {
  Json json = Json::parse(whole_);
  json["version"] = 2;
  json["novelty"] = true;
  store(json.dump());
  EXPECT_EQ(code_of(open()), "vault_too_new");
}

TEST_F(Damage, KeyDerivationThatWouldTakeTooMuchIsRefusedUnspent) {
  for (const Json& kdf : std::initializer_list<Json>{
           {{"name", "scrypt"}, {"n", std::uint64_t{1} << 40U}, {"r", 8}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 32768}, {"r", 4096}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 32768}, {"r", 8}, {"p", 100000}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 2}, {"r", 8}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 40000}, {"r", 8}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", -1}, {"r", 8}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 32768.5}, {"r", 8}, {"p", 1}, {"salt", std::string(32, '0')}},
           {{"name", "scrypt"}, {"n", 32768}, {"r", 8}, {"p", 1}, {"salt", ""}},
           {{"name", "none"}},
           {{"name", "key-file"}, {"path", "/etc/passwd"}},
           {{"name", "keyring"}, {"item", "x"}},
           {{"name", "systemd-credential"}, {"name2", "x"}},
           {{"name", "passphrase"}},
           {{"name", 1}},
           Json::object(),
           Json::array(),
           nullptr}) {
    Json json = Json::parse(whole_);
    json["kdf"] = kdf;
    store(json.dump());
    EXPECT_EQ(code_of(open()), "vault_damaged") << kdf;
  }
}

TEST(Cipher, SealedValueOpensNowhereButInItsPlace) {
  const auto keys = store::derive_keys(Secret(std::string(32, 'k')), "0123456789abcdef");
  store::Version version{.number = 1, .created = "2026-01-05T10:11:12.345678Z", .nonce = {}, .sealed = {}};
  store::seal_value(keys, "0123456789abcdef", "entry", version, Secret("value"));
  ASSERT_EQ(store::open_value(keys, "0123456789abcdef", "entry", version)->reveal(), "value");
  EXPECT_FALSE(store::open_value(keys, "0123456789abcdef", "entry2", version));
  EXPECT_FALSE(store::open_value(keys, "0123456789abcdeF", "entry", version));
  auto moved = version;
  moved.number = 2;
  EXPECT_FALSE(store::open_value(keys, "0123456789abcdef", "entry", moved));
  moved = version;
  moved.created = "2026-01-05T10:11:12.345679Z";
  EXPECT_FALSE(store::open_value(keys, "0123456789abcdef", "entry", moved));
  const auto others = store::derive_keys(Secret(std::string(32, 'K')), "0123456789abcdef");
  EXPECT_FALSE(store::open_value(others, "0123456789abcdef", "entry", version));
}

TEST(Cipher, EachSealingHasItsOwnNonce) {
  const auto keys = store::derive_keys(Secret(std::string(32, 'k')), "0123456789abcdef");
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    store::Version version{.number = 1, .created = {}, .nonce = {}, .sealed = {}};
    store::seal_value(keys, "0123456789abcdef", "entry", version, Secret("value"));
    nonces.insert(version.nonce);
  }
  EXPECT_EQ(nonces.size(), 1000U);
}

TEST(Cipher, ScryptGivesWhatRfc7914Says) {
  // RFC 7914 §12, the vector with N=16384, r=8, p=1 (the first 32 of its 64 octets).
  const auto key = store::derive_master_key(Secret("pleaseletmein"), {.n = 16384, .r = 8, .p = 1, .salt = "SodiumChloride"});
  ASSERT_TRUE(key);
  EXPECT_EQ(hex_encode(key->reveal()), "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

}  // namespace
}  // namespace weir::vault
