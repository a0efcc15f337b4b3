// The checks of `weir doctor`, on machines that lack something.
#include "netns/host_checks.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace weir::netns {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Status = HostCheck::Status;

class InAFolder : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/weir-host-checks-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override { (void)!std::system(("chmod -R u+rwx " + folder + "; rm -rf " + folder).c_str()); }
  void put(const std::string& path, const std::string& text) {
    (void)!std::system(("mkdir -p $(dirname " + folder + path + ")").c_str());
    std::ofstream(folder + path) << text;
  }
  std::string folder;
};

TEST(HostChecks, ThisMachineHasAllThatIsNeeded) {
  char state[] = "/tmp/weir-state-XXXXXX";
  ASSERT_NE(mkdtemp(state), nullptr);
  const auto checks = check_host(state);
  EXPECT_THAT(checks, Each(Field(&HostCheck::status, Not(Status::missing))));
  EXPECT_TRUE(all_needed_is_there(checks));
  rmdir(state);
}

TEST(HostChecks, WarningsDoNotStopWeir) {
  EXPECT_TRUE(all_needed_is_there({{"a", Status::ok, "", ""}, {"b", Status::warning, "", ""}}));
  EXPECT_FALSE(all_needed_is_there({{"a", Status::ok, "", ""}, {"b", Status::missing, "", ""}}));
}

TEST(HostChecks, OldKernelsAreMissing) {
  for (const char* release : {"5.15.0-91-generic", "6.1.0-18-amd64", "6.18.44", "5.15", "10.0-rc1"})
    EXPECT_EQ(check_kernel(release).status, Status::ok) << release;
  for (const char* release : {"5.14.0-503.el9.x86_64", "4.18.0", "3.10", "", "linux", "999999999999999999"}) {
    EXPECT_EQ(check_kernel(release).status, Status::missing) << release;
    EXPECT_THAT(check_kernel(release).remedy, HasSubstr("5.15"));
  }
}

TEST(HostChecks, OldBubblewrapIsMissing) {
  EXPECT_EQ(check_bubblewrap_version("bubblewrap 0.8.0\n").status, Status::ok);
  EXPECT_EQ(check_bubblewrap_version("bubblewrap 0.11.0\n").status, Status::ok);
  EXPECT_EQ(check_bubblewrap_version("bubblewrap 0.4.1\n").status, Status::missing);
  EXPECT_EQ(check_bubblewrap_version("").status, Status::missing);
  EXPECT_THAT(check_bubblewrap_version("bubblewrap 0.4.1\n").remedy, HasSubstr("apt install bubblewrap"));
}

TEST_F(InAFolder, NoBubblewrapInPathIsMissing) {
  const std::string path = getenv("PATH");
  setenv("PATH", folder.c_str(), 1);
  EXPECT_EQ(check_bubblewrap().status, Status::missing);
  setenv("PATH", path.c_str(), 1);
}

TEST(HostChecks, NoLandlockIsAWarning) {
  EXPECT_EQ(check_landlock(0).status, Status::warning);
  EXPECT_EQ(check_landlock(4).found, "ABI 4");
}

TEST_F(InAFolder, NamesTheSettingThatForbidsUserNamespaces) {
  EXPECT_THAT(user_namespace_refusal(folder, false), HasSubstr("container"));
  put("/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  EXPECT_THAT(user_namespace_refusal(folder, false), HasSubstr("apparmor_restrict_unprivileged_userns"));
  EXPECT_THAT(user_namespace_refusal(folder, true), Not(HasSubstr("apparmor_restrict"))) << "root is not concerned";
  put("/kernel/unprivileged_userns_clone", "0\n");
  EXPECT_THAT(user_namespace_refusal(folder, false), HasSubstr("sudo sysctl kernel.unprivileged_userns_clone=1"));
  put("/user/max_user_namespaces", "0\n");
  EXPECT_THAT(user_namespace_refusal(folder, true), HasSubstr("sudo sysctl user.max_user_namespaces="));
}

TEST_F(InAFolder, SettingsThatAllowAreNotBlamed) {
  put("/kernel/apparmor_restrict_unprivileged_userns", "0\n");
  put("/kernel/unprivileged_userns_clone", "1\n");
  put("/user/max_user_namespaces", "96365\n");
  EXPECT_THAT(user_namespace_refusal(folder, false), HasSubstr("no setting in /proc/sys forbids"));
}

TEST_F(InAFolder, AStateDirectoryThatIsNotThereYetIsFine) {
  const HostCheck check = check_state_directory(folder + "/a/b/weir");
  EXPECT_EQ(check.status, Status::ok) << check.found;
  EXPECT_NE(access((folder + "/a").c_str(), F_OK), 0) << "nothing is made";
}

TEST_F(InAFolder, AStateDirectoryThatOthersCanWriteIsMissing) {
  chmod(folder.c_str(), 0777);
  EXPECT_EQ(check_state_directory(folder).status, Status::missing);
  EXPECT_THAT(check_state_directory(folder).remedy, HasSubstr("chmod go-w"));
}

TEST_F(InAFolder, AStateDirectoryThatIsAFileIsMissing) {
  put("/weir", "");
  EXPECT_THAT(check_state_directory(folder + "/weir").found, HasSubstr("not a folder"));
  EXPECT_EQ(check_state_directory(folder + "/weir/below").status, Status::missing);
}

TEST_F(InAFolder, AStateDirectoryOfAnotherUserIsMissing) {
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder.c_str(), 12345, 12345), 0);
    EXPECT_THAT(check_state_directory(folder).found, HasSubstr("another user"));
  } else {
    EXPECT_EQ(check_state_directory("/root/.local/state/weir").status, Status::missing);
  }
}

TEST(HostChecks, NoTunDeviceIsAWarning) {
  EXPECT_EQ(check_tun("/dev/null").status, Status::ok);
  const HostCheck check = check_tun("/dev/net/no-such-device");
  EXPECT_EQ(check.status, Status::warning);
  EXPECT_THAT(check.remedy, Not(IsEmpty()));
}

}  // namespace
}  // namespace weir::netns
