// libcurl, started with memory functions that wipe what they free.
#pragma once

namespace weir::vault::http {

void start_curl();  // once for the process; from any thread

}  // namespace weir::vault::http
