// Paths as a session recorded them. The learned policy compiles, its text loads, and it allows each or says that it does not.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "policy/formatting.h"
#include "policy/learning.h"
#include "policy/learning/observed_path.h"
#include "policy/loader.h"
#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::policy;
  static constexpr const char* kMethods[] = {"GET", "POST", "HEAD", "X-Y"};
  if (size > 4096) return 0;
  std::vector<Observation> observations;
  for (const auto line : weir::split({reinterpret_cast<const char*>(data), size}, '\n')) {
    if (line.empty()) continue;
    Observation one{.scheme = "https", .host = "a.test", .port = 443};
    one.method = kMethods[static_cast<unsigned char>(line.front()) % 4];
    one.path = line.substr(1);
    observations.push_back(std::move(one));
  }
  const auto learned = learn({}, observations);
  const auto policy = Policy::compile(learned.document);
  if (!policy || !load_text(to_yaml(learned.document, learned.comments), "/fuzz/learned.yaml").ok()) std::abort();
  for (const auto& one : observations) {
    bool left_out = false;
    for (const auto& other : learned.left_out) left_out = left_out || (other.seen.path == one.path && other.seen.method == one.method);
    const auto path = observed_path(one.path);
    const Request request{.scheme = "https", .host = "a.test", .port = 443, .method = one.method, .path = &path};
    if (!left_out && policy->decide(request).action != Action::allow) std::abort();
  }
  return 0;
}
