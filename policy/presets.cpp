#include "policy/loader.h"

namespace weir::policy {

extern const std::span<const EmbeddedFile> kPresetFiles;  // written by weir_embed() when the program is built

std::span<const EmbeddedFile> presets() { return kPresetFiles; }

}  // namespace weir::policy
