#include "keeper/policy_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_folder.h"

namespace weir::keeper {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

class PolicyWatchTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(uv_loop_init(&loop_), 0); }

  void TearDown() override {
    watch_->close();
    uv_close(reinterpret_cast<uv_handle_t*>(&limit_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  void start(const fs::path& file) {
    watch_ = std::make_unique<PolicyWatch>(&loop_, file.string(), [this] { ++changes_; });
    uv_timer_init(&loop_, &limit_);
    limit_.data = this;
  }
  // Turns the loop until there has been another change; false when none comes.
  bool changed() {
    const int before = changes_;
    over_ = false;
    uv_timer_start(
        &limit_, [](uv_timer_t* timer) { static_cast<PolicyWatchTest*>(timer->data)->over_ = true; }, 10'000, 0);
    while (changes_ == before && !over_) uv_run(&loop_, UV_RUN_ONCE);
    return changes_ != before;
  }

  uv_loop_t loop_{};
  uv_timer_t limit_{};
  bool over_ = false;
  int changes_ = 0;
  TemporaryFolder folder_;
  std::unique_ptr<PolicyWatch> watch_;
};

TEST_F(PolicyWatchTest, NoticesAFileWrittenInPlace) {
  const auto file = fs::path(folder_.path()) / "policy.yaml";
  write(file, "one");
  start(file);
  write(file, "two!");
  EXPECT_TRUE(changed());
}

TEST_F(PolicyWatchTest, NoticesAFileRenamedOverIt) {
  const auto file = fs::path(folder_.path()) / "policy.yaml";
  write(file, "one");
  start(file);
  write(file.string() + ".new", "two");
  fs::rename(file.string() + ".new", file);
  EXPECT_TRUE(changed());
  write(file.string() + ".new", "six");
  fs::rename(file.string() + ".new", file);
  EXPECT_TRUE(changed());
}

// As deployments mount configuration: the name is a link through a link to a folder, and that is swapped.
TEST_F(PolicyWatchTest, NoticesALinkThatLeadsElsewhere) {
  const fs::path root = folder_.path();
  fs::create_directory(root / "first");
  fs::create_directory(root / "second");
  write(root / "first/policy.yaml", "one");
  write(root / "second/policy.yaml", "two");
  fs::create_directory_symlink("first", root / "..data");
  fs::create_symlink("..data/policy.yaml", root / "policy.yaml");
  start(root / "policy.yaml");
  fs::create_directory_symlink("second", root / "..data.new");
  fs::rename(root / "..data.new", root / "..data");
  EXPECT_TRUE(changed());
  write(root / "second/policy.yaml", "in place, where it leads now");
  EXPECT_TRUE(changed());
}

TEST_F(PolicyWatchTest, SaysNothingOfOtherFilesOrOfOneThatIsGoneForAMoment) {
  const auto file = fs::path(folder_.path()) / "policy.yaml";
  write(file, "one");
  start(file);
  write(fs::path(folder_.path()) / "other", "x");
  fs::remove(file);
  write(file, "two");  // another file of the same name: one change
  EXPECT_TRUE(changed());
  EXPECT_EQ(changes_, 1);
}

}  // namespace
}  // namespace weir::keeper
