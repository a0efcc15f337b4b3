// A disk that is really full: what was acknowledged stays, nothing half written stays, and it goes on when there is room.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/file.h"
#include "scratch.h"

namespace weir::events {
namespace {

void put(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY);
  if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error(path);
  close(fd);
}

class FullDisk : public test::Scratch {
 protected:
  // Runs `body` in a child; what it gives is what is wrong, or nothing.
  static std::string in_child(const std::function<std::string()>& body) {
    int ends[2];
    if (pipe(ends) != 0) return "pipe";
    const pid_t child = fork();
    if (child == 0) {
      alarm(120);
      std::string text;
      try {
        text = body();
      } catch (const std::exception& error) {
        text = std::string("threw: ") + error.what();
      }
      (void)!write(ends[1], text.data(), text.size());
      _exit(0);
    }
    close(ends[1]);
    std::string text;
    char block[4096];
    for (ssize_t got = 0; (got = read(ends[0], block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(got));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : text + " (the child died)";
  }

  // The same on a small file system of its own at root_.
  std::string on_small_disk(const char* size, const std::function<std::string()>& body) const {
    return in_child([&]() -> std::string {
      const auto uid = geteuid();
      const auto gid = getegid();
      if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return "skip";
      put("/proc/self/setgroups", "deny");
      put("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
      put("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
      if (mount("tmpfs", root_.c_str(), "tmpfs", 0, size) != 0) return "skip";
      return body();
    });
  }

  // Writes until the store is full, frees room, goes on; checks at each step.
  std::string fill_and_go_on(SessionLog& log, const std::function<void()>& make_room) const {
    std::uint64_t acknowledged = 0;
    std::size_t size = 0;
    for (int round = 0; round < 3; ++round) {
      Result<void> written;
      while ((written = add(log, round))) {
        acknowledged = log.last_seq();
        size = total_size();
        if (acknowledged > 100000) return "it never became full";
      }
      if (written.error().code != "store_full")
        return "the error is " + written.error().code + ": " + written.error().message;
      if (log.last_seq() != acknowledged) return "last_seq moved";
      if (total_size() != size) return "something half written stayed";
      if (const auto verification = verified(); !verification.ok || verification.events != acknowledged)
        return "not whole: " + verification.problem;
      // It stays full, and says so each time.
      if (add(log, round)) return "a full store took an event";
      make_room();
      if (auto again = add(log, round); !again) return "after there was room: " + again.error().message;
      if (log.last_seq() != acknowledged + 3) return "numbers of refused events were not used again";
      if (const auto verification = verified(); !verification.ok) return "not whole at the end: " + verification.problem;
    }
    return {};
  }

  static Result<void> add(SessionLog& log, int round) {
    for (int i = 0; i < 3; ++i)
      log.append("egress.request", "sbx_1",
                 "{\"v\":\"" + std::string(static_cast<std::size_t>(700 + 501 * round + i), 'x') + "\"}");
    return log.commit();
  }
  std::size_t total_size() const {
    std::size_t size = 0;
    for (const unsigned number : list_segments(directory())) size += std::filesystem::file_size(segment(number));
    return size;
  }
};

TEST_F(FullDisk, ASmallFileSystemFillsUpAndIsGivenRoomAgain) {
  const std::string problem = on_small_disk("size=300k", [this] {
    auto log = create();
    int rounds = 0;
    return fill_and_go_on(log, [&] {
      const std::string size = "size=" + std::to_string(300 + 100 * ++rounds) + "k";
      if (mount("tmpfs", root_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) != 0) throw std::runtime_error("remount");
    });
  });
  if (problem == "skip") GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(problem, "");
}

TEST_F(FullDisk, AFileSystemWithNoRoomForANewSegmentLosesNothing) {
  const std::string problem = on_small_disk("size=2m,nr_inodes=6", [this]() -> std::string {
    auto log = create({.segment_bytes = 10000});
    Result<void> written;
    std::uint64_t acknowledged = 0;
    while ((written = add(log, 0))) acknowledged = log.last_seq();
    if (written.error().code != "store_full") return written.error().message;
    if (const auto verification = verified(); !verification.ok || verification.events != acknowledged)
      return "not whole: " + verification.problem;
    if (mount("tmpfs", root_.c_str(), "tmpfs", MS_REMOUNT, "size=2m,nr_inodes=50") != 0) return "remount";
    if (auto again = add(log, 0); !again) return again.error().message;
    if (const auto verification = verified(); !verification.ok || verification.events != acknowledged + 3)
      return "not whole: " + verification.problem;
    return {};
  });
  if (problem == "skip") GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(problem, "");
}

TEST_F(FullDisk, ASessionThatCannotBeMadeLeavesNothingBehind) {
  const std::string problem = on_small_disk("size=1m,nr_inodes=3", [this]() -> std::string {
    const auto log = SessionLog::create(root_, kSession);
    if (log) return "it was made";
    if (log.error().code != "store_full") return log.error().code;
    return std::filesystem::exists(directory()) ? "its folder is there" : "";
  });
  if (problem == "skip") GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(problem, "");
}

TEST_F(FullDisk, AReadOnlyFileSystemIsUnwritableAndNotFull) {
  const std::string problem = on_small_disk("size=1m", [this]() -> std::string {
    if (mount("tmpfs", root_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) return "remount";
    const auto log = SessionLog::create(root_, kSession);
    return log ? "it was made" : log.error().code;
  });
  if (problem == "skip") GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(problem, "store_unwritable");
}

TEST_F(FullDisk, AWriteThatIsCutShortInTheMiddleOfALineIsTakenBack) {
  // A limit on a file's size makes write(2) short first and fail then, at an exact byte.
  for (rlim_t limit = 20000; limit < 20400; limit += 13) {
    const std::string problem = in_child([&]() -> std::string {
      signal(SIGXFSZ, SIG_IGN);
      std::filesystem::remove_all(directory());
      auto log = create();
      rlimit now{limit, RLIM_INFINITY};
      if (setrlimit(RLIMIT_FSIZE, &now) != 0) return "setrlimit";
      return fill_and_go_on(log, [&] {
        now.rlim_cur += 20000;
        if (setrlimit(RLIMIT_FSIZE, &now) != 0) throw std::runtime_error("setrlimit");
      });
    });
    ASSERT_EQ(problem, "") << limit;
  }
}

TEST_F(FullDisk, AFollowerSeesNothingTwiceAndNothingTorn) {
  const std::string problem = in_child([this]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    auto log = create();
    LineReader reader(directory());
    rlimit now{20000, RLIM_INFINITY};
    std::uint64_t seen = 0;
    for (int round = 0; round < 40; ++round) {
      setrlimit(RLIMIT_FSIZE, &now);
      if (!add(log, 0)) now.rlim_cur += 7777;
      for (auto line = reader.next(); line; line = reader.next()) {
        const auto event = nlohmann::json::parse(*line, nullptr, false);
        if (event.is_discarded() || event["seq"] != ++seen)
          return "after event " + std::to_string(seen) + " came " + line->substr(0, 100);
      }
    }
    return seen == log.last_seq() ? "" : "not all were seen";
  });
  EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace weir::events
