#include "launch/process/trust.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "launch/process/environment.h"
#include "launch/process/system_files.h"

namespace weir::launch {
namespace {

constexpr std::array<const char*, 8> kBundles{
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same, and what Arch's link leads to
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/var/lib/ca-certificates/ca-bundle.pem",             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine
    "/etc/ssl/certs/ca-bundle.crt",                       // NixOS
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem"};  // Arch

}  // namespace

void add_trust(const std::string& ca_certificate_pem, std::vector<Layer>& layers) {
  std::string roots;
  for (const char* path : kBundles) {
    auto text = read_file(path);
    if (text && !text->empty()) {
      roots = std::move(*text);
      break;
    }
  }
  if (!roots.empty() && roots.back() != '\n') roots.push_back('\n');
  roots += ca_certificate_pem;

  std::vector<std::string> places;
  for (const char* path : kBundles) {
    if (::access(path, R_OK) != 0) continue;
    std::string place = place_of(path);
    if (!place.empty() && std::find(places.begin(), places.end(), place) == places.end()) places.push_back(std::move(place));
  }
  for (std::string& place : places) layers.push_back({Layer::Kind::generated, std::move(place), roots});
  layers.push_back({Layer::Kind::generated, kBundlePath, std::move(roots)});
  layers.push_back({Layer::Kind::generated, kCertificatePath, ca_certificate_pem});
}

}  // namespace weir::launch
