#include "events/segment_name.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace weir::events {

std::string segment_name(unsigned number) {
  char name[32];
  std::snprintf(name, sizeof name, "%08u.jsonl", number);
  return name;
}

std::vector<unsigned> list_segments(const std::string& directory) {
  std::vector<unsigned> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    unsigned number = 0;
    if (name.size() == 14 && std::sscanf(name.c_str(), "%8u.jsonl", &number) == 1 && segment_name(number) == name)
      numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace weir::events
