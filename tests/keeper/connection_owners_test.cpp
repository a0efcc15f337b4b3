#include "keeper/connection_owners.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/unique_fd.h"

namespace weir::keeper {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:C350 010012C6:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0000000000000000 20 4 30 10 -1\n";

proxy::Endpoints mapped(const char* source, std::uint16_t source_port, const char* destination, std::uint16_t destination_port) {
  proxy::Endpoints ends{};
  ends.source[10] = ends.source[11] = ends.destination[10] = ends.destination[11] = 0xff;
  inet_pton(AF_INET, source, ends.source + 12);
  inet_pton(AF_INET, destination, ends.destination + 12);
  ends.source_port = source_port;
  ends.destination_port = destination_port;
  return ends;
}

TEST(ConnectionOwners, FindsTheSocketOfAConnectionByBothEnds) {
  EXPECT_EQ(find_socket(kTable, mapped("127.0.0.1", 50000, "198.18.0.1", 443)), 222U);
  EXPECT_EQ(find_socket(kTable, mapped("127.0.0.1", 50001, "198.18.0.1", 443)), 0U);
  EXPECT_EQ(find_socket(kTable, mapped("127.0.0.1", 50000, "198.18.0.2", 443)), 0U);
  EXPECT_EQ(find_socket(kTable, mapped("127.0.0.1", 50000, "198.18.0.1", 80)), 0U);
  EXPECT_EQ(find_socket("", mapped("127.0.0.1", 50000, "198.18.0.1", 443)), 0U);
  EXPECT_EQ(find_socket("   1: 0100007F 010012C6:01BB 01 a b c d e 222\nrubbish\n", mapped("127.0.0.1", 0, "198.18.0.1", 443)), 0U);
}

TEST(ConnectionOwners, TakesAMappedAddressOfTheOtherTableForTheSame) {
  const std::string_view table =
      "   0: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF0000010012C6:01BB 01 00000000:00000000 00:00000000 00000000  1000  0 333 1\n";
  EXPECT_EQ(find_socket(table, mapped("127.0.0.1", 50000, "198.18.0.1", 443)), 333U);
}

TEST(ConnectionOwners, NamesTheProgramThatHoldsARealConnection) {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  sockaddr_in own{};
  size = sizeof own;
  ASSERT_EQ(getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  const auto ends = mapped("127.0.0.1", ntohs(own.sin_port), "127.0.0.1", ntohs(address.sin_port));
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  EXPECT_EQ(connection_owners(getpid(), ends), std::vector<std::string>{self});
  client.reset();
  EXPECT_TRUE(connection_owners(getpid(), ends).empty());
}

TEST(ConnectionOwners, KnowsNothingOfAProcessThatIsGone) {
  EXPECT_TRUE(connection_owners(0x3fffffff, mapped("127.0.0.1", 1, "127.0.0.1", 2)).empty());
}

}  // namespace
}  // namespace weir::keeper
