// What the JSON Schema of a policy file says of its values. The loader says the same and more, with better words; the schema
// is for editors, which complete and check while somebody writes.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

namespace weir::policy {

using Schema = nlohmann::ordered_json;
using Shape = Schema (*)();

struct ShapedKey {
  std::string_view name;
  std::string_view about;
  Shape shape = nullptr;
  bool required = false;
};
Schema map_of(std::span<const ShapedKey> keys);  // and no others

namespace shape {

Schema version();
Schema text();   // a word that may look like a number
Schema words();  // a list of them
Schema flag();
Schema action();
Schema default_action();
Schema hosts();
Schema destinations();  // host:port
Schema ports();
Schema methods();
Schema paths();
Schema executables();
Schema networks();
Schema slash();
Schema parameters();  // query
Schema fields();      // headers
Schema media_types();
Schema size();
Schema inspected_size();
Schema duration();
Schema rate();
Schema windows();
Schema globs();
Schema operations();
Schema passthrough();
Schema source();
Schema header();
Schema format();
Schema proxy();
Schema resolve();
Schema connections();
Schema requests();

}  // namespace shape

}  // namespace weir::policy
