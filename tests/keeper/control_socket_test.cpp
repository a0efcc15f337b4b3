#include "keeper/control_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/ids.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

UniqueFd connect_to(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
  return fd;
}

TEST(ControlSocket, ItsFoldersAreItsUsersAlone) {
  TemporaryFolder folder;
  ASSERT_TRUE(open_socket_folder(folder / "weir"));
  for (const auto* path : {"weir", "weir/sessions"}) {
    struct stat status{};
    ASSERT_EQ(stat((folder / path).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U) << path;
  }
}

TEST(ControlSocket, RefusesAFolderThatOthersMayEnterOrThatIsALink) {
  TemporaryFolder folder;
  ASSERT_EQ(mkdir((folder / "wide").c_str(), 0700), 0);
  ASSERT_EQ(chmod((folder / "wide").c_str(), 0755), 0);
  EXPECT_EQ(open_socket_folder(folder / "wide").error().code, "runtime_directory_unusable");
  ASSERT_EQ(mkdir((folder / "real").c_str(), 0700), 0);
  ASSERT_EQ(symlink((folder / "real").c_str(), (folder / "link").c_str()), 0);
  EXPECT_FALSE(open_socket_folder(folder / "link"));
  ASSERT_EQ(symlink((folder / "real").c_str(), (folder / "real/sessions").c_str()), 0);
  EXPECT_FALSE(open_socket_folder(folder / "real"));
}

TEST(ControlSocket, RefusesAFolderOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  TemporaryFolder folder;
  ASSERT_EQ(mkdir((folder / "weir").c_str(), 0700), 0);
  ASSERT_EQ(chown((folder / "weir").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(open_socket_folder(folder / "weir"));
}

TEST(ControlSocket, RemovesWhatDeadKeepersLeftAndNothingElse) {
  TemporaryFolder folder;
  auto sockets = open_socket_folder(folder / "weir");
  ASSERT_TRUE(sockets);
  const std::string alive = make_id("ses");
  const std::string dead = make_id("ses");
  auto listener = listen_for_control(*sockets, alive);
  ASSERT_TRUE(listener);
  { ASSERT_TRUE(listen_for_control(*sockets, dead)); }
  { UniqueFd other(open((folder / "weir/sessions/notes.sock").c_str(), O_CREAT | O_WRONLY, 0600)); }
  EXPECT_EQ(reachable_sessions(*sockets), std::vector{alive});
  EXPECT_NE(access((folder / ("weir/sessions/" + dead + ".sock")).c_str(), F_OK), 0);
  EXPECT_EQ(access((folder / "weir/sessions/notes.sock").c_str(), F_OK), 0);
  struct stat status{};
  ASSERT_EQ(stat((folder / ("weir/sessions/" + alive + ".sock")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(ControlSocket, WorksInAFolderWhoseNameIsTooLongForASocketAddress) {
  TemporaryFolder folder;
  const std::string deep = folder / std::string(200, 'd');
  auto sockets = open_socket_folder(deep);
  ASSERT_TRUE(sockets);
  auto listener = listen_for_control(*sockets, "ses_1");
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(connect_to(control_socket_path(*sockets, "ses_1")));
}

struct Connected {
  Connected() : sockets(*open_socket_folder(folder / "weir")), listener(*listen_for_control(sockets, "ses_1")) {}
  UniqueFd accept() const { return UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  TemporaryFolder folder;
  UniqueFd sockets;
  UniqueFd listener;
};

TEST(ControlSocket, KnowsWhoHasConnected) {
  Connected control;
  const UniqueFd client = connect_to(control_socket_path(control.sockets, "ses_1"));
  const auto peer = accept_peer(control.accept().get(), 0);
  ASSERT_TRUE(peer) << peer.error().message;
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_NE(peer->description.find(" pid " + std::to_string(getpid())), std::string::npos);
  const UniqueFd again = connect_to(control_socket_path(control.sockets, "ses_1"));
  EXPECT_FALSE(accept_peer(control.accept().get(), getpid())) << "a process that is never let in";
}

// Runs `prepare` in a child that then connects and stays; the verdict about it.
Result<Peer> peer_after(const Connected& control, int (*prepare)()) {
  int stay[2];
  EXPECT_EQ(pipe(stay), 0);
  const std::string path = control_socket_path(control.sockets, "ses_1");
  const pid_t child = fork();
  if (child == 0) {
    close(stay[1]);
    const UniqueFd connection = prepare() == 0 ? connect_to(path) : UniqueFd();
    char byte = 0;
    if (connection) (void)!read(stay[0], &byte, 1);
    _exit(connection ? 0 : 1);
  }
  close(stay[0]);
  Result<Peer> verdict = fail("not_connected", "the child could not prepare or connect");
  // A child that fails never connects: do not wait for it for ever.
  timeval patience{5, 0};
  setsockopt(control.listener.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  fcntl(control.listener.get(), F_SETFL, 0);
  if (const UniqueFd connection = control.accept()) verdict = accept_peer(connection.get(), 0);
  close(stay[1]);
  waitpid(child, nullptr, 0);
  return verdict;
}

TEST(ControlSocket, AChildInTheSameNamespacesIsLetIn) {
  Connected control;
  EXPECT_TRUE(peer_after(control, [] { return 0; }));
}

TEST(ControlSocket, AProcessOfAnotherUserNamespaceIsRefused) {
  Connected control;
  const auto peer = peer_after(control, [] { return unshare(CLONE_NEWUSER); });
  if (!peer && peer.error().code == "not_connected") GTEST_SKIP() << "no user namespaces here";
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code, "peer_refused");
}

TEST(ControlSocket, AnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Connected control;
  ASSERT_EQ(chmod(control.folder.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod((control.folder / "weir").c_str(), 0755), 0);
  ASSERT_EQ(chmod((control.folder / "weir/sessions").c_str(), 0755), 0);
  ASSERT_EQ(chmod((control.folder / "weir/sessions/ses_1.sock").c_str(), 0666), 0);
  const auto peer = peer_after(control, [] { return setresuid(65534, 65534, 65534); });
  if (!peer && peer.error().code == "not_connected") GTEST_SKIP() << "the folder cannot be reached as another user";
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code, "peer_refused");
}

}  // namespace
}  // namespace weir::keeper
