// What a sandboxed command sees and may change of the host's files.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "runner.h"

namespace weir::launch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Files : public ::testing::TestWithParam<bool> {
 protected:
  Host host{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(As, Files, ::testing::Values(false, true),
                         [](const auto& user) { return user.param ? "OrdinaryUser" : "WhoeverRunsTheTests"; });

TEST_P(Files, TheProjectIsReadWriteAndItsFilesAreTheUsersOwn) {
  host.write(host.project() + "/given", "from outside");
  const Outcome outcome = run_shell(host, "cat given && echo inside > made && stat -c %U given made");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("from outside"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("nobody")));
  struct stat given{};
  struct stat made{};
  ASSERT_EQ(stat((host.project() + "/given").c_str(), &given), 0);
  ASSERT_EQ(stat((host.project() + "/made").c_str(), &made), 0);
  EXPECT_EQ(given.st_uid, made.st_uid);
}

TEST_P(Files, HomeIsEmptyAndWritableAndLeavesNothingOnTheHost) {
  host.write(host.home() + "/.netrc", "machine example.com password hunter2");
  host.make_folder(host.home() + "/.ssh", 0700);
  const Outcome outcome = run_shell(host, "ls -A ~; cat ~/.netrc ~/.ssh/id 2>&1; echo x > ~/.cache-file && ls -A ~");
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find('\n')), "project");
  EXPECT_THAT(outcome.out, Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.out, HasSubstr(".cache-file"));
  EXPECT_FALSE(std::filesystem::exists(host.home() + "/.cache-file"));
}

TEST_P(Files, TheSystemIsReadOnly) {
  for (const char* path : {"/usr/weir-test", "/etc/weir-test", "/opt/weir-test", "/weir-test", "/run/weir/weir-test",
                           "/var/lib/dpkg/weir-test"})
    EXPECT_NE(run_shell(host, std::string("touch ") + path).status, 0) << path;
}

TEST_P(Files, TemporaryFoldersAreItsOwn) {
  const std::string outside = host.home() + "-outside";
  host.write(outside, "x");
  const Outcome outcome = run_shell(host, "test ! -e " + outside + " && echo t > /tmp/t && echo t > /var/tmp/t && mktemp");
  std::filesystem::remove(outside);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists("/var/tmp/t"));
}

TEST_P(Files, UsesTheSandboxesResolverNamesAndAccounts) {
  const Outcome outcome =
      run_shell(host, "cat /etc/resolv.conf; hostname; getent hosts localhost; id -un; eval echo ~$(id -un)");
  EXPECT_THAT(outcome.out, HasSubstr("nameserver 198.18.0.1\nweir\n"));
  EXPECT_THAT(outcome.out, HasSubstr("localhost"));
  EXPECT_THAT(outcome.out, HasSubstr(host.home()));
}

TEST_P(Files, TrustsTheSandboxesCertificateAuthorityInEveryBundle) {
  const Outcome outcome =
      run_shell(host,
                "grep -l \"the sandbox's own\" /etc/ssl/certs/ca-certificates.crt $SSL_CERT_FILE $NODE_EXTRA_CA_CERTS;"
                "grep -c BEGIN $SSL_CERT_FILE; grep -c BEGIN $NODE_EXTRA_CA_CERTS");
  EXPECT_THAT(outcome.out, HasSubstr("/etc/ssl/certs/ca-certificates.crt\n/run/weir/ca-bundle.crt\n/run/weir/ca.crt\n"));
  EXPECT_TRUE(outcome.out.ends_with("\n1\n")) << outcome.out;
}

TEST_P(Files, MountsWhatItIsAskedTo) {
  host.make_folder(host.home() + "/data");
  host.write(host.home() + "/data/file", "content");
  host.make_folder(host.home() + "/cache");
  const Outcome outcome = run(
      host, {"--mount", host.home() + "/data:" + host.home() + "/data", "--mount", host.home() + "/cache:/mnt/deep/cache:rw",
             "--", "bash", "-c", "cat ~/data/file; touch ~/data/no; touch /mnt/deep/cache/yes"});
  EXPECT_EQ(outcome.out, "content") << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("Read-only"));
  EXPECT_TRUE(std::filesystem::exists(host.home() + "/cache/yes"));
}

TEST_P(Files, AMountMayLieInsideAnother) {
  host.make_folder(host.home() + "/outer/inner");
  host.make_folder(host.home() + "/other");
  host.write(host.home() + "/other/file", "of the other");
  const Outcome outcome =
      run(host, {"--mount", host.home() + "/other:" + host.home() + "/outer/inner", "--mount",
                 host.home() + "/outer:" + host.home() + "/outer", "--", "cat", host.home() + "/outer/inner/file"});
  EXPECT_EQ(outcome.out, "of the other") << outcome.err;
}

TEST_P(Files, CoversWhatIsHidden) {
  host.make_folder(host.home() + "/agent/keys");
  host.write(host.home() + "/agent/credentials.json", "hunter2");
  host.write(host.home() + "/agent/keys/one", "hunter2");
  const std::string folder = host.home() + "/agent";
  const Outcome outcome = run(
      host, {"--mount", folder + ":" + folder + ":rw", "--hide", folder + "/credentials.json", "--hide", folder + "/keys",
             "--hide", folder + "/not-there", "--", "bash", "-c",
             "cd ~/agent; cat credentials.json keys/one; ls keys; mv credentials.json x; rm -f credentials.json;"
             "unshare -Urm bash -c 'umount credentials.json; umount -l .; umount -l keys; cat credentials.json keys/one'"});
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.err, HasSubstr("Permission denied"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/not-there"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/credentials.json"));
}

TEST_P(Files, WritesAFileOfItsOwnForEachSandbox) {
  const std::string file = host.home() + "/.agent.json";
  host.write(file, "the host's");
  const Outcome outcome = run(host, {"--content", file, "{\"fresh\":1}", "--", "bash", "-c",
                                     "cat ~/.agent.json; echo x > ~/t && mv ~/t ~/.agent.json && cat ~/.agent.json"});
  EXPECT_EQ(outcome.out, "{\"fresh\":1}x\n") << outcome.err;
  std::string line;
  std::getline(std::ifstream(file), line);
  EXPECT_EQ(line, "the host's");
}

TEST_P(Files, HidesWeirsOwnFoldersInAWiderMount) {
  host.make_folder(host.home() + "/.local/share/weir", 0700);
  host.write(host.home() + "/.local/share/weir/vault", "hunter2");
  const std::string folder = host.home() + "/.local";
  const Outcome outcome = run(host, {"--mount", folder + ":" + folder, "--mount", folder + ":/mnt/elsewhere", "--", "bash",
                                     "-c", "cat ~/.local/share/weir/vault /mnt/elsewhere/share/weir/vault"});
  EXPECT_THAT(outcome.out, Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.err, HasSubstr("/mnt/elsewhere/share/weir/vault: Permission denied"));
}

TEST_P(Files, ShowsTheInstallationOfACommandUnderHome) {
  host.make_folder(host.home() + "/.tools/v1/bin");
  host.make_folder(host.home() + "/.tools/v1/lib");
  host.write(host.home() + "/.tools/v1/lib/part", "the library's part");
  host.write(host.home() + "/.tools/v1/lib/token", "hunter2", 0600);
  host.write(host.home() + "/.tools/v1/lib/main",
             "#!/usr/bin/env bash\ncat ~/.tools/v1/lib/part ~/.tools/v1/lib/token\ntouch ~/.tools/v1/no\n", 0755);
  std::filesystem::create_symlink("../lib/main", host.home() + "/.tools/v1/bin/tool");
  host.environment["PATH"] = host.home() + "/.tools/v1/bin:/usr/bin:/bin";
  const Outcome outcome = run(host, {"--", "tool"});
  EXPECT_EQ(outcome.out, "the library's part") << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("Read-only"));
  EXPECT_THAT(outcome.err, HasSubstr("token: Permission denied"));
}

TEST_P(Files, FindsACommandThatIsALinkInALinkedFolder) {
  host.make_folder(host.home() + "/.tools/v1/links");
  host.make_folder(host.home() + "/.tools/v1/package");
  host.write(host.home() + "/.tools/v1/package/main", "#!/bin/sh\necho it ran\n", 0755);
  std::filesystem::create_symlink("../package/main", host.home() + "/.tools/v1/links/tool");
  std::filesystem::create_symlink("v1", host.home() + "/.tools/current");
  host.environment["PATH"] = host.home() + "/.tools/current/links:/usr/bin:/bin";
  const Outcome outcome = run(host, {"--", "tool"});
  EXPECT_EQ(outcome.out, "it ran\n") << outcome.err;
}

TEST_P(Files, RefusesFoldersThatAreNotFitForAProject) {
  for (const std::string& folder :
       {std::string("/"), host.home(), std::string("/tmp"), std::string("/usr/lib"), std::string("/etc")}) {
    const Outcome outcome = run(host, {"--", "true"}, folder);
    EXPECT_EQ(outcome.status, 2) << folder;
    EXPECT_THAT(outcome.err, HasSubstr("folder_unfit")) << folder;
    EXPECT_THAT(outcome.err, HasSubstr("mkdir project")) << folder;
  }
}

TEST_P(Files, RefusesMountsThatCannotBe) {
  const auto error = [&](const std::string& mount) { return run(host, {"--mount", mount, "--", "true"}).err; };
  EXPECT_THAT(error("/no/such/thing:/mnt/x"), HasSubstr("mount_missing"));
  EXPECT_THAT(error("/usr:relative"), HasSubstr("mount_invalid"));
  EXPECT_THAT(error("/usr:/mnt/../etc"), HasSubstr("mount_invalid"));
  EXPECT_THAT(error("/usr:/proc/sys"), HasSubstr("nothing can be mounted in /proc"));
  EXPECT_THAT(error("/:/mnt/host"), HasSubstr("the host's whole tree"));
  EXPECT_THAT(error("/dev/null:/mnt/x"), HasSubstr("only folders and regular files"));
}

}  // namespace
}  // namespace weir::launch
