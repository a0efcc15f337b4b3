// The hottest path of all costs no allocation once it is warm.
#include <atomic>
#include <cstdlib>
#include <new>

#include "scratch.h"

namespace {
std::atomic<std::size_t> allocations{0};
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace weir::events {
namespace {

class Allocation : public test::Scratch {};

TEST_F(Allocation, ReportingStagingAndCommittingAllocateNothingOnceWarm) {
  auto log = create();
  Fields fields;
  std::string json;
  const auto round = [&] {
    for (int i = 0; i < 64; ++i) {
      fields.clear();
      fields.text("host", "api.example")
          .number("port", 443)
          .text("path", "/a/path\nwith things \xff to escape")
          .flag("tls", true);
      json.clear();
      if (!append_json(fields.bytes(), json)) std::abort();
      log.append("egress.request", "sbx_01M7YJG3G48Z9C138SWQZ2EA7E", json);
    }
    if (!log.commit()) std::abort();
  };
  for (int i = 0; i < 10; ++i) round();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) round();
  // A new second's timestamp is formatted anew.
  EXPECT_LE(allocations - before, 20U) << "for 6400 events";
}

}  // namespace
}  // namespace weir::events
