// The fields of a proxy's question as a subject. SECURITY: G5, whoever sent them may have been taken over.
#pragma once

#include <string>
#include <string_view>

#include "keeper/approvals_store.h"

namespace weir::keeper {

struct QuestionFields {
  Subject subject;        // without the rule
  std::string request;
  // Why nobody can be asked about this, though the message is sound: two different requests could look the same. Else empty.
  std::string refusal;
};

// False when it is nothing that a proxy sends.
bool read_question_fields(std::string_view encoded, QuestionFields& out);

}  // namespace weir::keeper
