#include "policy/schema.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace weir::policy {
namespace {

TEST(Schema, IsTheOneInTheDocumentation) {
  const auto written = read_file(WEIR_SOURCE_DIR "/docs/policy.schema.json");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_TRUE(*written == json_schema()) << "docs/policy.schema.json is behind the loader's tables; renew it with: weir "
                                            "policy schema > docs/policy.schema.json";
}

}  // namespace
}  // namespace weir::policy
