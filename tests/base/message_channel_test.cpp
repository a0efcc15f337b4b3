#include "base/message_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace weir {
namespace {

TEST(MessageChannel, KeepsBoundariesAndPassesDescriptors) {
  auto ends = make_channel().value();
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const int give[] = {pipe_ends[1]};
  ASSERT_TRUE(send_message(ends.first.get(), "one", give));
  ASSERT_TRUE(send_message(ends.first.get(), "two"));
  auto one = receive_message(ends.second.get()).value();
  EXPECT_EQ(one.bytes, "one");
  ASSERT_EQ(one.descriptors.size(), 1U);
  EXPECT_EQ(write(one.descriptors[0].get(), "x", 1), 1);
  char c = 0;
  EXPECT_EQ(read(pipe_ends[0], &c, 1), 1);
  EXPECT_EQ(receive_message(ends.second.get()).value().bytes, "two");
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(MessageChannel, SaysWhenThePeerIsGone) {
  auto ends = make_channel().value();
  ends.first.reset();
  EXPECT_EQ(receive_message(ends.second.get()).error().code, "channel_closed");
  EXPECT_EQ(send_message(ends.second.get(), "x").error().code, "channel_closed");
}

TEST(MessageChannel, RefusesWhatIsTooLarge) {
  auto ends = make_channel().value();
  EXPECT_EQ(send_message(ends.first.get(), std::string(kMaxMessage + 1, 'x')).error().code, "message_too_large");
  ASSERT_TRUE(send_message(ends.first.get(), std::string(kMaxMessage, 'x')));
  EXPECT_EQ(receive_message(ends.second.get()).value().bytes.size(), kMaxMessage);
}

}  // namespace
}  // namespace weir
