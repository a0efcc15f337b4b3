// What a proxy that was taken over may send as a question. Whatever it is, it is refused, or comes out as a subject of plain text.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "keeper/approvals_question.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  weir::keeper::QuestionFields fields;
  if (!weir::keeper::read_question_fields(input, fields) || !fields.refusal.empty()) return 0;
  for (const auto& text : {fields.subject.host, fields.subject.method, fields.subject.path, fields.subject.operation, fields.request}) {
    if (weir::valid_utf8_prefix(text) != text.size()) std::abort();
    if (text.size() > 8192) std::abort();
  }
  return 0;
}
