// Exact texts that must not pass: secrets and placeholders, looked for in every form in which they are likely to stand. What it
// keeps is in locked memory that no core dump has, and wiped with it; nothing of a text is left anywhere else. SECURITY: G2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::proxy::leaks {

// base64 and base64url: at each of the three alignments, the characters that the text alone decides (RFC 4648 §4, §5), from 8 on. hex: both
// cases. percent: RFC 3986 §2.1, each octet that is not unreserved, every octet, and what other encoders in use leave as it is; both cases
// of its hex digits. json: as RFC 8259 §7 would escape it, where that differs, also with what encoders escape without need, also twice.
// base32: for names in DNS, with neither case nor dots counted.
enum class Form : std::uint8_t { raw, base64, base64url, hex, percent, json, base32 };

struct Needle {
  std::uint32_t id = 0;
  std::string_view text;      // copied by make()
  bool other_forms = true;    // false: raw alone
};

struct Hit {
  std::uint32_t id = 0;
  Form form = Form::raw;
  std::size_t begin = 0, end = 0;  // where in the bytes
};

class Needles {
 public:
  // A text shorter than this is not searched for: it would be found everywhere.
  static constexpr std::size_t kShortest = 6;

  static Result<Needles> make(std::span<const Needle> needles);
  Needles();  // of nothing
  Needles(Needles&&) noexcept;
  Needles& operator=(Needles&&) noexcept;
  ~Needles();

  bool empty() const;

  // All hits, in the order of their ends; until `found` gives false. One text may be hit in several forms, and a private key in PEM form also
  // by one of its lines (then the hit is that line). Reentrant.
  void find(std::string_view bytes, const std::function<bool(const Hit&)>& found) const;

  // How many bytes at the end of `bytes` might be the start of a hit that the next piece completes: they must be held back
  // until then, so that no piece of a hit has gone before it is found. Exact: 0 where no form of any text begins there.
  std::size_t incomplete(std::string_view bytes) const;

  // Both at once, in one walk: cheaper than one after the other.
  std::size_t scan(std::string_view bytes, const std::function<bool(const Hit&)>& found) const;

  // A needle in a name of DNS (with dots, without escapes): labels may hold a part each of a longer text, in raw, hex, base32 or base64url
  // form, and case means nothing. From 24 characters of such a form on a part counts as the whole.
  bool find_in_name(std::string_view name, std::uint32_t& id) const;

  std::size_t memory() const;  // bytes, all of them locked

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::proxy::leaks
