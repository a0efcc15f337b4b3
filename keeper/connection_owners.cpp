#include "keeper/connection_owners.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"

namespace weir::keeper {
namespace {

constexpr std::size_t kMaxTable = 16U << 20;

std::string link_of(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size <= 0 || size == sizeof target ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

// An address in the table: 32-bit words of the network-order bytes, each printed as the machine reads it.
bool parse_end(std::string_view text, std::uint8_t (&address)[16], std::uint16_t& port) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return false;
  std::uint8_t bytes[16] = {};
  for (std::size_t word = 0; word < colon / 8; ++word) {
    std::uint32_t value = 0;
    const auto digits = text.substr(word * 8, 8);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value, 16).ec != std::errc{}) return false;
    std::memcpy(bytes + word * 4, &value, 4);
  }
  std::memset(address, 0, 16);
  if (colon == 8) {
    address[10] = address[11] = 0xff;
    std::memcpy(address + 12, bytes, 4);
  } else {
    std::memcpy(address, bytes, 16);
  }
  const auto digits = text.substr(colon + 1);
  return std::from_chars(digits.data(), digits.data() + digits.size(), port, 16).ec == std::errc{};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto word : split(line, ' '))
    if (!word.empty()) words.push_back(word);
  return words;
}

bool holds(const std::string& process, const std::string& socket) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(process + "/fd", error), end; !error && entry != end; entry.increment(error))
    if (link_of(entry->path().string()) == socket) return true;
  return false;
}

}  // namespace

std::uint64_t find_socket(std::string_view table, const proxy::Endpoints& connection) {
  for (const auto line : split(table, '\n')) {
    const auto words = words_of(line);  // sl local remote state queues timer retransmits uid timeout inode …
    if (words.size() < 10) continue;
    proxy::Endpoints ends{};
    if (!parse_end(words[1], ends.source, ends.source_port) || !parse_end(words[2], ends.destination, ends.destination_port)) continue;
    if (ends.source_port != connection.source_port || ends.destination_port != connection.destination_port) continue;
    if (std::memcmp(ends.source, connection.source, 16) != 0 || std::memcmp(ends.destination, connection.destination, 16) != 0) continue;
    std::uint64_t inode = 0;
    std::from_chars(words[9].data(), words[9].data() + words[9].size(), inode);
    return inode;
  }
  return 0;
}

std::vector<std::string> connection_owners(pid_t process, const proxy::Endpoints& connection) {
  const std::string any = "/proc/" + std::to_string(process);
  const std::string network = link_of(any + "/ns/net");
  if (network.empty()) return {};
  std::uint64_t inode = 0;
  for (const char* table : {"/net/tcp", "/net/tcp6"}) {
    const auto text = read_file(any + table, kMaxTable);
    if (text && inode == 0) inode = find_socket(*text, connection);
  }
  if (inode == 0) return {};
  const std::string socket = "socket:[" + std::to_string(inode) + "]";
  std::vector<std::string> executables;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string path = entry->path().string();
    if (path.find_first_not_of("0123456789", 6) != std::string::npos || link_of(path + "/ns/net") != network) continue;
    if (!holds(path, socket)) continue;
    auto executable = link_of(path + "/exe");
    // SECURITY: G4, a holder that cannot be named must not count as one that is allowed.
    executables.push_back(executable.empty() ? "(unknown)" : std::move(executable));
  }
  std::ranges::sort(executables);
  executables.erase(std::ranges::unique(executables).begin(), executables.end());
  return executables;
}

}  // namespace weir::keeper
