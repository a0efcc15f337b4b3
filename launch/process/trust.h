// Makes the sandbox's certificate authority trusted by whatever looks for roots in a file.
#pragma once

#include <string>
#include <vector>

#include "launch/process/layers.h"

namespace weir::launch {

// One merged bundle in /run/weir and over each bundle that the distribution has. Costs one read of the host's bundle.
void add_trust(const std::string& ca_certificate_pem, std::vector<Layer>& layers);

}  // namespace weir::launch
