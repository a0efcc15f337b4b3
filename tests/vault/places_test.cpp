// What may be in the way of the store's files, and disks that are full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/vault/scratch.h"
#include "vault/store/place.h"

namespace weir::vault {
namespace {

using namespace test;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Places : public Scratch {
 protected:
  static int in_a_process(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
  }
  static std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
  }
};

TEST_F(Places, LinkedStoreStaysALinkAndItsFileIsWritten) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("1")));
  fs::create_directories(folder_ + "/synced");
  fs::rename(paths_.store_file, folder_ + "/synced/weir.json");
  fs::create_symlink(folder_ + "/synced/weir.json", paths_.store_file);
  ASSERT_TRUE(open()->set("entry", Secret("2")));
  EXPECT_TRUE(fs::is_symlink(paths_.store_file));
  EXPECT_EQ(open()->get("entry")->reveal(), "2");
  EXPECT_TRUE(fs::exists(folder_ + "/synced/weir.json.lock")) << "whoever opens it by another name takes turns too";
}

TEST_F(Places, LinkedKeyFileStaysALinkWhenItIsReplaced) {
  auto store = create();
  fs::create_directories(folder_ + "/stick");
  fs::rename(paths_.key_file, folder_ + "/stick/key");
  fs::create_symlink(folder_ + "/stick/key", paths_.key_file);
  ASSERT_TRUE(open()->rekey(Protection::kKeyFile, no_passphrase));
  EXPECT_TRUE(fs::is_symlink(paths_.key_file));
  EXPECT_TRUE(open());
  fs::remove(folder_ + "/stick/key");
  EXPECT_EQ(code_of(open()), "vault_key_missing");
}

TEST_F(Places, LinkToNothingIsNamedAndNothingIsMadeThere) {
  create();
  fs::remove(paths_.store_file);
  fs::create_symlink(folder_ + "/nowhere", paths_.store_file);
  EXPECT_EQ(code_of(open()), "vault_link");
  EXPECT_EQ(code_of(EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase)), "vault_link");
  fs::remove(paths_.store_file);
  fs::create_symlink(paths_.store_file, paths_.store_file);
  EXPECT_EQ(code_of(open()), "vault_link");
}

TEST_F(Places, FoldersAndPipesInTheWayAreNamed) {
  create();
  fs::rename(paths_.store_file, folder_ + "/kept");
  fs::create_directory(paths_.store_file);
  EXPECT_EQ(code_of(open()), "vault_place");
  EXPECT_THAT(message_of(open()), HasSubstr(paths_.store_file + " is a folder"));
  EXPECT_EQ(code_of(EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase)), "vault_exists");
  fs::remove(paths_.store_file);
  ASSERT_EQ(mkfifo(paths_.store_file.c_str(), 0600), 0);
  EXPECT_EQ(code_of(open()), "vault_place");
  fs::remove(paths_.store_file);
  fs::rename(folder_ + "/kept", paths_.store_file);
  fs::remove(paths_.key_file);
  ASSERT_EQ(mkfifo(paths_.key_file.c_str(), 0600), 0);
  EXPECT_EQ(code_of(open()), "vault_place");
  EXPECT_THAT(message_of(open()), HasSubstr(paths_.key_file));
}

TEST_F(Places, FolderInTheLocksPlaceIsNamed) {
  auto store = create();
  fs::remove(paths_.store_file + ".lock");
  fs::create_directory(paths_.store_file + ".lock");
  EXPECT_THAT(message_of(store.set("entry", Secret("v"))), HasSubstr(paths_.store_file + ".lock"));
  fs::remove(paths_.store_file + ".lock");
  fs::create_symlink("/etc/passwd", paths_.store_file + ".lock");
  EXPECT_THAT(message_of(store.set("entry", Secret("v"))), HasSubstr(paths_.store_file + ".lock"));
}

TEST_F(Places, WhatKilledWritersLeftIsTakenAwayAfterAMinute) {
  auto store = create();
  const std::vector<std::string> old = {paths_.store_file + ".0123456789ab.tmp", paths_.key_file + ".0123456789ab.tmp",
                                        paths_.key_file + ".next.0123456789ab.tmp",
                                        paths_.key_file + ".0123456789ab.tmp.ba9876543210.tmp"};
  const std::vector<std::string> others = {paths_.store_file + ".0123456789ac.tmp", paths_.store_file + ".backup.tmp",
                                           paths_.store_file + ".0123456789ag.tmp", paths_.store_file + ".0123456789ab",
                                           folder_ + "/data/other.json.0123456789ab.tmp"};
  for (const auto& paths : {old, others})
    for (const auto& path : paths) std::ofstream(path) << "x";
  const auto before = fs::file_time_type::clock::now() - std::chrono::minutes(2);
  for (const auto& path : old) fs::last_write_time(path, before);
  for (std::size_t i = 1; i < others.size(); ++i) fs::last_write_time(others[i], before);
  ASSERT_TRUE(store.set("entry", Secret("v")));
  for (const auto& path : old) EXPECT_FALSE(fs::exists(path)) << path;
  for (const auto& path : others) EXPECT_TRUE(fs::exists(path)) << path;
}

TEST_F(Places, FileThatMayNotGrowLeavesTheOldOneWhole) {
  auto store = create();
  ASSERT_TRUE(store.set("entry", Secret("1")));
  const std::string before = stored();
  const auto files = files_in(folder_ + "/data");
  EXPECT_EQ(in_a_process([&] {
              (void)std::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{500, 500};
              setrlimit(RLIMIT_FSIZE, &limit);
              const auto set = store.set("entry", Secret("2"));
              const auto removed = store.rekey(Protection::kKeyFile, no_passphrase);
              return (set.has_value() ? 1 : 0) + (removed.has_value() ? 2 : 0) +
                     (set.error().message.find("File too large") == std::string::npos ? 4 : 0);
            }),
            0);
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(files_in(folder_ + "/data"), files) << "nothing half written is left";
  EXPECT_EQ(files_in(folder_ + "/config"), 1U);
  EXPECT_EQ(open()->get("entry")->reveal(), "1");
}

TEST_F(Places, FullDiskLeavesTheOldFileWhole) {
  const int outcome = in_a_process([&] {
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0) return 77;
    auto made = EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase);
    if (!made || !made->set("entry", Secret("1"))) return 1;
    const std::string before = stored();
    const auto full = made->set("large", Secret(std::string(60'000, 'x')));
    if (full || full.error().message.find("No space left") == std::string::npos) return 2;
    if (stored() != before || files_in(folder_ + "/data") != 2) return 3;
    auto again = open();
    if (!again || again->get("entry")->reveal() != "1") return 4;
    return again->set("entry", Secret("2")) ? 0 : 5;
  });
  if (outcome == 77) GTEST_SKIP() << "no mount namespace to be had here";
  EXPECT_EQ(outcome, 0);
}

TEST_F(Places, FolderThatMayNotBeWrittenIsNamed) {
  auto store = create();
  const int outcome = in_a_process([&] {
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 77;
    const auto set = store.set("entry", Secret("1"));
    return !set && set.error().message.find(folder_ + "/data") != std::string::npos ? 0 : 1;
  });
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  EXPECT_EQ(outcome, 0);
}

TEST(Place, FolderOfAPath) {
  EXPECT_EQ(store::folder_of("a"), ".");
  EXPECT_EQ(store::folder_of("/a"), "/");
  EXPECT_EQ(store::folder_of("/a/b"), "/a");
}

}  // namespace
}  // namespace weir::vault
