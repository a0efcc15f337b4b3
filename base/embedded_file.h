// A text file that was compiled into the program (presets, profiles). Made by weir_embed() in cmake/.
#pragma once

#include <span>
#include <string_view>

namespace weir {

struct EmbeddedFile {
  std::string_view name;  // the file's name without its extension
  std::string_view text;
};

}  // namespace weir
