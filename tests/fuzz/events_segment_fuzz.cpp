// Any bytes as a session's segment: reading, verifying and recovering end in good order, and what is appended after
// a recovery is a well-formed line that follows.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "events/reader.h"
#include "events/session_log.h"

using namespace weir::events;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kRoot = "/dev/shm/weir-segment-fuzz-" + std::to_string(getpid());
  static const std::string kDirectory = kRoot + "/ses_x";
  std::filesystem::create_directories(kDirectory);
  std::ofstream(kDirectory + "/00000001.jsonl", std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));

  const auto before = verify(kDirectory);
  if (!before) std::abort();
  auto log = SessionLog::open(kRoot, "ses_x");
  if (!log) return 0;
  const auto seq = log->append("a.b", "", "{}");
  if (!log->commit()) std::abort();
  std::string last;
  LineReader reader(kDirectory);
  while (auto line = reader.next()) last = *line;
  const auto event = nlohmann::json::parse(last, nullptr, false);
  if (!event.is_object() || event["seq"] != seq || event["type"] != "a.b" || event["session"] != "ses_x" ||
      event.size() != 8)
    std::abort();
  const auto after = verify(kDirectory);
  if (!after || after->events < before->events) std::abort();
  if (before->ok && (!after->ok || after->events < before->events + 1)) std::abort();
  return 0;
}
