// What a sandbox's first request to a host pays for its certificate. The goal is less than 100 µs for a new leaf.
#include <benchmark/benchmark.h>

#include "proxy/tls/certificate_authority.h"

namespace {

using weir::proxy::CertificateAuthority;
using weir::proxy::LeafCertificates;

void new_authority(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(CertificateAuthority::create("sbx_bench"));
}
BENCHMARK(new_authority)->Unit(benchmark::kMicrosecond);

void new_leaf(benchmark::State& state) {
  const auto authority = CertificateAuthority::create("sbx_bench");
  auto leaves = LeafCertificates::load(*authority);
  std::size_t count = 0;
  for (auto _ : state) benchmark::DoNotOptimize(leaves->leaf("h" + std::to_string(count++) + ".example"));
}
BENCHMARK(new_leaf)->Unit(benchmark::kMicrosecond);

void cached_leaf(benchmark::State& state) {
  const auto authority = CertificateAuthority::create("sbx_bench");
  auto leaves = LeafCertificates::load(*authority);
  for (auto _ : state) benchmark::DoNotOptimize(leaves->leaf("api.example.com"));
}
BENCHMARK(cached_leaf)->Unit(benchmark::kMicrosecond);

}  // namespace
