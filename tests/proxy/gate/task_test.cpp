#include "proxy/io/task.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include <stdexcept>
#include <string>

#include "proxy/io/descriptor.h"

namespace weir::proxy::io {
namespace {

Task<int> three() { co_return 3; }
Task<int> twice(int value) {
  const int inner = co_await three();
  co_return value * inner;
}
Task<void> store(int& into) {
  const int value = co_await twice(5);
  into = value;
}
Task<int> failing() {
  throw std::runtime_error("no");
  co_return 1;
}
Task<void> catching(std::string& into) {
  try {
    const int value = co_await failing();
    into = std::to_string(value);
  } catch (const std::runtime_error& error) {
    into = error.what();
  }
}

TEST(Task, GivesItsValueToWhoAwaitsIt) {
  int value = 0;
  spawn(store(value));
  EXPECT_EQ(value, 15);
}

Task<void> loop_over_ready_tasks(int count, int& sum) {
  for (int i = 0; i < count; ++i) {
    const int value = co_await three();
    sum += value;
  }
}

TEST(Task, AwaitsThatCompleteAtOnceDoNotDeepenTheStack) {
  int sum = 0;
  spawn(loop_over_ready_tasks(2'000'000, sum));
  EXPECT_EQ(sum, 6'000'000);
}

TEST(Task, PassesExceptionsOn) {
  std::string what;
  spawn(catching(what));
  EXPECT_EQ(what, "no");
}

Task<void> wait_readable(Descriptor& descriptor, Deadline deadline, std::optional<Wake>& result) {
  const Wake wake = co_await descriptor.readable(deadline);
  result = wake;
  descriptor.loop().stop();
}

struct Pipe {
  Pipe() {
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  int ends[2];
};

TEST(Descriptor, WakesWhenThereIsSomethingToRead) {
  Loop loop;
  Pipe pipe;
  const UniqueFd writer(pipe.ends[1]);
  Descriptor reader(loop, UniqueFd(pipe.ends[0]));
  std::optional<Wake> result;
  spawn(wait_readable(reader, kNever, result));
  EXPECT_FALSE(result);
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  loop.run();
  EXPECT_EQ(result, Wake::ready);
}

TEST(Descriptor, WakesAtTheDeadline) {
  Loop loop;
  Pipe pipe;
  const UniqueFd writer(pipe.ends[1]);
  Descriptor reader(loop, UniqueFd(pipe.ends[0]));
  std::optional<Wake> result;
  spawn(wait_readable(reader, loop.in(20), result));
  loop.run();
  EXPECT_EQ(result, Wake::timeout);
}

TEST(Descriptor, ClosingWakesWhoWaits) {
  Loop loop;
  Pipe pipe;
  const UniqueFd writer(pipe.ends[1]);
  Descriptor reader(loop, UniqueFd(pipe.ends[0]));
  std::optional<Wake> result;
  spawn(wait_readable(reader, kNever, result));
  reader.close();
  EXPECT_EQ(result, Wake::closed);
}

TEST(Descriptor, TellsWhenThePeerIsGone) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  Descriptor watched(loop, UniqueFd(ends[0]));
  bool gone = false;
  watched.on_hang_up([&] {
    gone = true;
    loop.stop();
  });
  ::close(ends[1]);
  loop.run();
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace weir::proxy::io
