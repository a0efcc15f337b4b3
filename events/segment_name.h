// Names of a session's segment files: 00000001.jsonl and so on.
#pragma once

#include <string>
#include <vector>

namespace weir::events {

std::string segment_name(unsigned number);
// The numbers of the segments in a session's folder, in order.
std::vector<unsigned> list_segments(const std::string& directory);

}  // namespace weir::events
