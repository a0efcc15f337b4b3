// SECURITY: G2. When all is dropped, the process's memory holds no octet run of a secret. It needs `-z now`, as all of weir
// is linked: the lazy resolver of symbols saves vector registers to the stack, and what was last copied stands in them.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "proxy/credentials/base64_text.h"
#include "proxy/credentials/injection.h"
#include "proxy/credentials/token_answer.h"
#include "tests/proxy/credentials/credentials_testing.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEIR_MEMORY_IS_WATCHED 1  // its own memory is mapped, huge, and keeps what was freed
#else
#define WEIR_MEMORY_IS_WATCHED 0
#endif

namespace weir::proxy {
namespace {

using namespace test;

constexpr char kMask = '\x5a';

std::string masked(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c ^ kMask);
  return out;
}

// 48 letters, made only here.
Secret make_secret(unsigned seed) {
  Secret secret = Secret::of_size(48);
  for (std::size_t i = 0; i < secret.size(); ++i) {
    seed = seed * 1103515245U + 12345U;
    secret.data()[i] = static_cast<char>('a' + (seed >> 16) % 26);
  }
  return secret;
}

// How often a text stands in the memory that this process can write. It is given masked, so that it does not find itself.
std::size_t found_in_memory(const std::string& masked_text) {
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> areas;
  {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t begin = 0, end = 0;
      char access[5] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) == 3 && access[0] == 'r' && access[1] == 'w')
        areas.emplace_back(begin, end);
    }
  }
  std::size_t count = 0;
  for (const auto& [begin, end] : areas) {
    const auto* const memory = reinterpret_cast<const volatile char*>(begin);
    for (std::size_t at = 0; at + masked_text.size() <= end - begin; ++at) {
      std::size_t same = 0;
      while (same < masked_text.size() && static_cast<char>(memory[at + same] ^ kMask) == masked_text[same]) ++same;
      count += same == masked_text.size();
    }
  }
  return count;
}

// The 24 octets from the middle: what a freed buffer keeps, whatever the allocator writes into its beginning.
std::string middle(const Secret& secret) { return masked(secret.reveal().substr(20, 24)); }

struct Traces {
  std::string raw, in_base64;
};

Traces use_everywhere(unsigned seed) {
  const Secret secret = make_secret(seed);
  Traces traces{middle(secret), ""};
  {
    WipedText encoded;
    append_base64(secret.reveal().substr(18, 24),
                  encoded);  // behind a user that has six octets with its colon, a group of three begins here
    traces.in_base64 = masked(encoded.view());
  }
  const auto header = injection(Kind::header, "X-Key", "a {secret} b {secret}"), cookie = injection(Kind::cookie, "sid"),
             query = injection(Kind::query, "key"), basic_auth = injection(Kind::basic, "", "{secret}", "user1");
  const std::string placeholder = "pl-0123456789abcdef", other = "pl-fedcba9876543210", value = "Bearer " + placeholder,
                    inside = basic("us3r5:" + placeholder), path = "/x/" + placeholder, text(3000, 'x');
  const std::vector<Replacement> replacements{{1, placeholder, secret.reveal(), &kEverywhere}};
  {
    DraftRequest draft;
    draft.headers = {{"A", value}, {"B", inside}};
    draft.query = draft.path = path;
    for (const auto* kind : {&header, &cookie, &query, &basic_auth}) EXPECT_TRUE(inject(*kind, secret.reveal(), draft));
    EXPECT_EQ(replace_in_head(draft, replacements).value(), 4U);
    EXPECT_GE(found_in_memory(traces.raw), 6U);
    EXPECT_GE(found_in_memory(traces.in_base64), 2U);
    DraftRequest moved = std::move(draft);
  }
  for (const auto kind : {BodyKind::json, BodyKind::form, BodyKind::text}) {
    BodySubstitution body(kind, replacements);
    WipedText out;
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(body.feed(i % 2 == 0 ? std::string_view(text) : std::string_view(placeholder).substr(0, 9), false, out));
      EXPECT_TRUE(body.feed(std::string_view(placeholder), false, out));
    }
    EXPECT_TRUE(body.feed("", true, out));
    EXPECT_GE(body.replaced(), 49U);
  }
  const std::vector<TokenPlace> token_places{{"access_token", 1, placeholder}, {"refresh_token", 2, other}};
  for (const bool form : {false, true}) {
    WipedText answer(form ? "access_token=" : R"({"access_token":")");
    answer.append(secret.reveal())
        .append(form ? "&refresh_token=" : R"(","refresh_token":"\u0061)")
        .append(secret.reveal())
        .append(form ? "" : "\"}");
    const auto caught =
        catch_tokens(form ? "application/x-www-form-urlencoded" : "application/json", answer.view(), token_places);
    EXPECT_TRUE(caught);
    if (caught) {
      EXPECT_EQ(caught->tokens.size(), 2U);
    }
    answer.append("x");
    EXPECT_FALSE(catch_tokens("application/json", answer.view(), token_places));
  }
  return traces;
}

TEST(CredentialMemory, NothingOfASecretStaysWhenAllIsDropped) {
  if (WEIR_MEMORY_IS_WATCHED) GTEST_SKIP() << "a sanitizer keeps what was freed";
  const Traces traces = use_everywhere(7);
  EXPECT_EQ(found_in_memory(traces.raw), 0U);
  EXPECT_EQ(found_in_memory(traces.in_base64), 0U);
}

// The search finds what it is meant to find: text in a buffer that was freed without being wiped.
TEST(CredentialMemory, TheSearchFindsWhatAPlainStringLeaves) {
  if (WEIR_MEMORY_IS_WATCHED) GTEST_SKIP() << "a sanitizer keeps what was freed";
  std::string trace;
  {
    const Secret secret = make_secret(8);
    trace = middle(secret);
    std::optional<std::string> copy(std::in_place, secret.reveal());
    copy.reset();
  }
  EXPECT_GE(found_in_memory(trace), 1U);
}

}  // namespace
}  // namespace weir::proxy
