// Run by the build: compiles the anchors of all token shapes and writes them as a C++ array, so that the proxy links only the part of
// Vectorscan that scans, and starts without compiling anything.
//   make_token_database OUT.cpp
#include <hs/hs.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "proxy/leaks/token_shapes.h"

int main(int argc, char** argv) {
  using namespace weir::proxy::leaks;
  if (argc != 2) return std::fputs("usage: make_token_database OUT.cpp\n", stderr), 2;
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> flags, ids;
  for (const auto& shape : token_shapes()) {
    texts.push_back(shape.anchor.data());
    sizes.push_back(shape.anchor.size());
    flags.push_back(shape.any_case ? HS_FLAG_CASELESS : 0);
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  // For any processor that Vectorscan runs on: the database serves where the program does, not where it was built.
  hs_platform_info_t any{};
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), sizes.data(), static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, &any, &database, &error) != HS_SUCCESS)
    return std::fprintf(stderr, "cannot compile the tokens' anchors: %s\n", error->message), 1;
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) return std::fputs("cannot serialise the database\n", stderr), 1;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(argv[1], "w"), std::fclose);
  if (!out) return std::perror(argv[1]), 1;
  std::fputs("// Made by make_token_database.\n#include <span>\nnamespace weir::proxy::leaks {\nstatic const char kBytes[] = {", out.get());
  for (std::size_t i = 0; i < size; ++i) std::fprintf(out.get(), "%s%d,", i % 32 == 0 ? "\n" : "", bytes[i]);
  std::fputs("};\nextern const std::span<const char> kTokenDatabase;\nconst std::span<const char> kTokenDatabase{kBytes};\n}\n", out.get());
  std::free(bytes);
  hs_free_database(database);
  return 0;
}
