// A folder of its own for each test, with a vault's two paths in it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"
#include "vault/embedded_store.h"
#include "vault/vault.h"

namespace weir::vault::test {

class Scratch : public testing::Test {
 protected:
  Scratch() {
    char name[] = "/tmp/weir-vault-test-XXXXXX";
    folder_ = mkdtemp(name);
    paths_ = {.store_file = folder_ + "/data/vault.json", .key_file = folder_ + "/config/vault.key"};
    unsetenv("WEIR_VAULT_PASSPHRASE_FILE");
  }
  ~Scratch() override {
    unsetenv("WEIR_VAULT_PASSPHRASE_FILE");
    std::filesystem::remove_all(folder_);
  }

  static Result<Secret> no_passphrase() { return fail("asked", "a passphrase was asked for"); }
  static PassphraseReader passphrase(const std::string& text) {
    return [text]() -> Result<Secret> { return Secret(text); };
  }
  EmbeddedStore create() { return EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase).value(); }
  Result<EmbeddedStore> open() const { return EmbeddedStore::open(paths_, no_passphrase); }

  std::string write(const std::string& name, const std::string& content, unsigned mode = 0600) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  std::string stored() const { return read_file(paths_.store_file).value(); }
  void store(const std::string& text) const { std::ofstream(paths_.store_file, std::ios::binary | std::ios::trunc) << text; }

  std::string folder_;
  VaultPaths paths_;
};

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}
template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "" : result.error().message;
}

}  // namespace weir::vault::test
