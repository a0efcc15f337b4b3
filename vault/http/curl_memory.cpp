#include "vault/http/curl_memory.h"

#include <curl/curl.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/secret.h"

namespace weir::vault::http {
namespace {

// SECURITY: G2, curl's buffers held tokens and answers.
void free_wiped(void* memory) {
  if (memory != nullptr) wipe(memory, malloc_usable_size(memory));
  std::free(memory);
}
void* resize_wiped(void* memory, std::size_t size) {
  if (memory == nullptr) return std::malloc(size);
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, std::min(size, malloc_usable_size(memory)));
  free_wiped(memory);
  return larger;
}

}  // namespace

void start_curl() {
  static std::once_flag once;
  std::call_once(
      once, [] { curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, free_wiped, resize_wiped, strdup, std::calloc); });
}

}  // namespace weir::vault::http
