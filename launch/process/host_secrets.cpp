#include "launch/process/host_secrets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/paths.h"

namespace weir::launch {
namespace {

// Hidden whatever their mode says: some installers leave such files readable for all.
constexpr std::array<std::string_view, 12> kSecretFolders{"/etc/kubernetes",
                                                          "/etc/docker",
                                                          "/etc/rancher",
                                                          "/etc/wireguard",
                                                          "/etc/ssl/private",
                                                          "/etc/pki/tls/private",
                                                          "/etc/NetworkManager/system-connections",
                                                          "/etc/sudoers.d",
                                                          "/etc/openvpn",
                                                          "/etc/ipsec.d",
                                                          "/etc/credstore",
                                                          "/etc/credstore.encrypted"};
constexpr std::array<std::string_view, 9> kSecretFiles{"/etc/shadow",        "/etc/shadow-",          "/etc/gshadow",
                                                       "/etc/gshadow-",      "/etc/sudoers",          "/etc/krb5.keytab",
                                                       "/etc/ipsec.secrets", "/etc/security/opasswd", "/etc/environment"};

bool is_secret(const std::string& path) {
  return std::find(kSecretFolders.begin(), kSecretFolders.end(), path) != kSecretFolders.end() ||
         std::find(kSecretFiles.begin(), kSecretFiles.end(), path) != kSecretFiles.end();
}

}  // namespace

void hide_private_files(const std::string& folder, int depth, std::vector<Layer>& layers) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entry->d_type == DT_LNK) continue;  // its target is looked at where it lies, or is not visible at all
    struct stat status{};
    if (::fstatat(::dirfd(open.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::string path = folder + "/" + entry->d_name;
    const bool named = is_secret(path);
    if (S_ISDIR(status.st_mode)) {
      const bool for_all = (status.st_mode & S_IXOTH) != 0;
      if (named || (!for_all && ::access(path.c_str(), X_OK) == 0))
        layers.push_back({Layer::Kind::hidden_folder, path});
      else if (for_all && depth > 1)
        hide_private_files(path, depth - 1, layers);
    } else if (S_ISREG(status.st_mode)) {
      const bool for_all = (status.st_mode & S_IROTH) != 0;
      if (named || (!for_all && ::access(path.c_str(), R_OK) == 0)) layers.push_back({Layer::Kind::hidden_file, path});
    }
  }
}

void hide_system_secrets(std::vector<Layer>& layers) { hide_private_files("/etc", 5, layers); }

void hide_own_folders(const std::vector<Shown>& shown, std::vector<Layer>& layers) {
  for (const std::string& own : {config_directory(), state_directory(), data_directory(), runtime_directory()}) {
    struct stat status{};
    if (::stat(own.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    const std::string path = resolved(own);
    for (const Shown& folder : shown)
      if (is_within(path, folder.source))
        layers.push_back({Layer::Kind::hidden_folder, folder.target + path.substr(folder.source.size())});
  }
}

}  // namespace weir::launch
