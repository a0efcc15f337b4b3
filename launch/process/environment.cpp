#include "launch/process/environment.h"

#include <unistd.h>

#include <array>
#include <string_view>

namespace weir::launch {
namespace {

constexpr std::array<std::string_view, 25> kPassed{
    "PATH",         "SHELL",       "TERM",     "COLORTERM",      "TERM_PROGRAM", "TERM_PROGRAM_VERSION",
    "LANG",         "LANGUAGE",    "TZ",       "EDITOR",         "VISUAL",       "PAGER",
    "NO_COLOR",     "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS",      "LINES",
    "LS_COLORS",    "LESS",        "MANPAGER", "USER",           "LOGNAME",      "HOME",
    "TERMINFO_DIRS"};

// Each of these makes some client trust the roots in the file it names, instead of its own. All name the merged bundle.
constexpr std::array<std::string_view, 17> kBundleVariables{"SSL_CERT_FILE",  // OpenSSL, Go, Bun, rustls-native-certs
                                                            "CURL_CA_BUNDLE",
                                                            "REQUESTS_CA_BUNDLE",
                                                            "GIT_SSL_CAINFO",
                                                            "PIP_CERT",
                                                            "CARGO_HTTP_CAINFO",
                                                            "AWS_CA_BUNDLE",
                                                            "DENO_CERT",
                                                            "NIX_SSL_CERT_FILE",
                                                            "HTTPLIB2_CA_CERTS",
                                                            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                                                            "npm_config_cafile",
                                                            "YARN_HTTPS_CA_FILE_PATH",
                                                            "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
                                                            "UV_SSL_CERT_FILE",
                                                            "BUNDLE_SSL_CA_CERT",
                                                            "HEX_CACERTS_PATH"};

}  // namespace

std::map<std::string, std::string> host_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::map<std::string, std::string> environment_for(const SandboxSpec& spec, const Account& account,
                                                   const std::map<std::string, std::string>& host) {
  std::map<std::string, std::string> out;
  for (const auto name : kPassed)
    if (const auto found = host.find(std::string(name)); found != host.end()) out.insert(*found);
  for (const auto& [name, value] : host)
    if (name.starts_with("LC_")) out.emplace(name, value);
  out.try_emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  out["HOME"] = account.home;
  out["USER"] = account.name;
  out["LOGNAME"] = account.name;
  out["PWD"] = spec.working_directory;
  out["TMPDIR"] = "/tmp";
  for (const auto name : kBundleVariables) out[std::string(name)] = kBundlePath;
  out["NODE_EXTRA_CA_CERTS"] = kCertificatePath;
  out["WEIR_SANDBOX"] = spec.sandbox_id;
  for (const std::string& name : spec.pass_environment)
    if (const auto found = host.find(name); found != host.end()) out[name] = found->second;
  for (const auto& [name, value] : spec.environment) out[name] = value;
  return out;
}

}  // namespace weir::launch
