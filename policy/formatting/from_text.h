// A parsed file as a Layout: keys in their usual order, each comment at the node it belongs to.
#pragma once

#include "policy/formatting/comments.h"
#include "policy/formatting/layout.h"
#include "policy/loading/yaml_tree.h"

namespace weir::policy {

// `tree` has a root that is a map and has loaded without errors; `lines` and `scan` are of the text it came from.
Layout layout_of(const YamlTree& tree, const Lines& lines, const Scan& scan);

}  // namespace weir::policy
