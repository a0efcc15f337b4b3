#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weir {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-file-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(Files, SecretFileThatOthersCanReadIsRefusedWithTheMend) {
  const auto path = folder_ + "/key";
  std::ofstream(path) << "value\n";
  chmod(path.c_str(), 0644);
  const auto refused = read_secret_file(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "secret_file_mode");
  EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
  chmod(path.c_str(), 0600);
  const auto read = read_secret_file(path);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->reveal(), "value");
}

TEST_F(Files, ReplaceLeavesNothingElseBehind) {
  const auto path = folder_ + "/a";
  ASSERT_TRUE(replace_file(path, "one", 0600));
  ASSERT_TRUE(replace_file(path, "two", 0600));
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, MissingFileNamesThePath) {
  const auto missing = read_file(folder_ + "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "file_missing");
  EXPECT_NE(missing.error().message.find("/none"), std::string::npos);
}

TEST_F(Files, MakesEveryFolderOnTheWay) {
  ASSERT_TRUE(make_directories(folder_ + "/a/b/c", 0700));
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/a/b/c"));
}

}  // namespace
}  // namespace weir
