#include "launch/package_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "launch/package_sources/cargo_config.h"
#include "launch/package_sources/connect_witness.h"
#include "launch/package_sources/findings.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"
#include "policy/loader.h"
#include "policy/policy.h"
#include "policy/target.h"

namespace weir::launch {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> urls_of(const std::vector<Origin>& origins) {
  std::vector<std::string> urls;
  for (const auto& origin : origins) urls.push_back(origin.url);
  return urls;
}

// The text must load as a policy, without a warning of its own making.
policy::Policy policy_of(const std::string& text) {
  auto loaded = policy::load_text(text, "preset:test");
  for (const auto& diagnostic : loaded.diagnostics) ADD_FAILURE() << policy::format(diagnostic) << "\n" << text;
  auto compiled = policy::Policy::compile(std::move(loaded.document));
  if (!compiled) throw std::runtime_error(compiled.error().message);
  return std::move(*compiled);
}

bool allows(const policy::Policy& policy, std::string_view method, std::string_view url) {
  const auto target = policy::parse_target(url);
  if (!target) throw std::runtime_error(target.error().message);
  return policy.decide(target->request(method)).action == policy::Action::allow;
}

std::string text_of(std::vector<Origin> origins, std::vector<std::string> addresses = {}) {
  return preset_text("tool", {.asked = {"tool config"}, .origins = std::move(origins), .notes = {}},
                     [addresses](const std::string&) { return addresses; });
}

// -- What is written

TEST(PackagePresetText, AllowsReadingBelowTheUrlAndNothingElse) {
  const auto policy = policy_of(text_of({{.role = "registry", .url = "https://mirror.test.example/npm/"}}));
  EXPECT_TRUE(allows(policy, "GET", "https://mirror.test.example/npm/sample"));
  EXPECT_TRUE(allows(policy, "HEAD", "https://mirror.test.example/npm"));
  EXPECT_FALSE(allows(policy, "PUT", "https://mirror.test.example/npm/sample"));
  EXPECT_FALSE(allows(policy, "POST", "https://mirror.test.example/npm/-/npm/v1/security/audits"));
  EXPECT_FALSE(allows(policy, "GET", "https://mirror.test.example/npmx"));
  EXPECT_FALSE(allows(policy, "GET", "https://mirror.test.example/npm/../secret"));
  EXPECT_FALSE(allows(policy, "GET", "http://mirror.test.example/npm/sample"));
  EXPECT_FALSE(allows(policy, "GET", "https://other.test.example/npm/sample"));
}

TEST(PackagePresetText, AllowsEncodedSlashesOnlyWhereAskedTo) {
  const auto with = policy_of(text_of({{.role = "registry", .url = "https://npm.test.example/", .encoded_slash = true}}));
  EXPECT_TRUE(allows(with, "GET", "https://npm.test.example/@weir%2fsample"));
  const auto without = policy_of(text_of({{.role = "proxy", .url = "https://go.test.example/m/"}}));
  EXPECT_FALSE(allows(without, "GET", "https://go.test.example/m/a%2fb"));
}

TEST(PackagePresetText, KeepsThePort) {
  const auto policy = policy_of(text_of({{.role = "index", .url = "http://mirror.test.example:8081/simple/"}}));
  EXPECT_TRUE(allows(policy, "GET", "http://mirror.test.example:8081/simple/x"));
  EXPECT_FALSE(allows(policy, "GET", "https://mirror.test.example/simple/x"));
}

TEST(PackagePresetText, LetsGitFetchOneRepository) {
  const auto policy = policy_of(text_of({{.kind = Origin::Kind::git, .role = "index", .url = "https://forge.test.example/crates/index"}}));
  EXPECT_TRUE(allows(policy, "GET", "https://forge.test.example/crates/index/info/refs?service=git-upload-pack"));
  EXPECT_TRUE(allows(policy, "POST", "https://forge.test.example/crates/index/git-upload-pack"));
  EXPECT_FALSE(allows(policy, "GET", "https://forge.test.example/crates/index/info/refs?service=git-receive-pack"));
  EXPECT_FALSE(allows(policy, "POST", "https://forge.test.example/crates/index/git-receive-pack"));
  EXPECT_FALSE(allows(policy, "GET", "https://forge.test.example/crates/other/info/refs?service=git-upload-pack"));
}

TEST(PackagePresetText, NeverHoldsAPassword) {
  for (const char* url :
       {"https://user:hunter2@mirror.test.example/npm/", "https://hunter2@mirror.test.example/npm/?token=hunter2",
        "https://user:hunter2/x@mirror.test.example/npm/", "https://user:hunter2?x@mirror.test.example/npm/",
        "https://user:hunter2#x@mirror.test.example/", "ssh://hunter2@mirror.test.example/x", "user:hunter2@mirror.test.example"}) {
    const auto text = text_of({{.role = "registry", .url = url}});
    EXPECT_THAT(text, Not(HasSubstr("hunter2"))) << url;
    policy_of(text);
  }
  EXPECT_EQ(without_passwords("error: `https://u:p@a.test.example/x` and http://t@b.test.example: no"),
            "error: `https://a.test.example/x` and http://b.test.example: no");
}

TEST(PackagePresetText, SaysWhatItCannotAllow) {
  const auto text = text_of({{.role = "index", .url = "ssh://git@forge.test.example/x"}, {.role = "links", .url = "file:///srv"}});
  EXPECT_THAT(text, HasSubstr("ssh://forge.test.example/x"));
  EXPECT_THAT(text, HasSubstr("not an http or https URL"));
  EXPECT_THAT(policy_of(text).document().rules, IsEmpty());
}

TEST(PackagePresetText, IsNeverMoreThanItsRulesWhateverWasFound) {
  for (const char* url :
       {"https://a.test.example/\n  - hosts: [\"*\"]", "https://*/", "https://*.test.example/", "https://a.test.example/**", "https://",
        "https://a.test.example/x\"]\n", "https://a.test.example/%2e%2e/", "https://a.test.example/a%2Fb/", "\xff\xfe", "https://a b/",
        "https://a.test.example:99999/", "wss://a.test.example/", "tcp://a.test.example:1"})
    EXPECT_THAT(policy_of(text_of({{.role = "a\nrules: []\n\"", .url = url}})).document().rules, IsEmpty()) << url;
}

TEST(PackagePresetText, NamesTheNetworkOfAPrivateAddressAndNoOtherSpecialOne) {
  const auto found = policy_of(text_of({{.role = "registry", .url = "https://mirror.test.example/"}}, {"10.1.2.3", "fd00::1"}));
  EXPECT_THAT(found.named_addresses("mirror.test.example", 443), ElementsAre("10.0.0.0/8", "fc00::/7"));
  const auto special = policy_of(text_of({{.role = "registry", .url = "https://mirror.test.example/"}},
                                         {"127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0"}));
  EXPECT_THAT(special.named_addresses("mirror.test.example", 443), IsEmpty());
}

TEST(PackagePresetText, AServerOnTheNetworkCannotNameAPrivateAddress) {
  const auto addresses = [](const std::string& host) {
    return std::vector<std::string>{host == "public.test.example" ? "192.0.2.1" : "10.1.2.3"};
  };
  const auto text = [&](const std::string& teller) {
    return preset_text("cargo",
                       {.asked = {}, .origins = {{.role = "downloads", .url = "https://inner.test.example/", .told_by = teller}}, .notes = {}},
                       addresses);
  };
  EXPECT_THAT(policy_of(text("https://public.test.example/")).named_addresses("inner.test.example", 443), IsEmpty());
  EXPECT_THAT(policy_of(text("https://mirror.test.example/")).named_addresses("inner.test.example", 443), ElementsAre("10.0.0.0/8"));
}

// -- What the tools say

TEST(PackageTools, NpmRegistriesAndThoseOfScopesAreRead) {
  const auto found = read_npm(R"(; "default" config from default values

globalconfig = "/usr/etc/npmrc"
; registry = "https://elsewhere.test.example/" ; overridden by user
userconfig = "/home/u/.npmrc"
; "user" config from /home/u/.npmrc

@corp:registry = "https://u:***@corp.test.example/npm/"
//corp.test.example/npm/:_authToken = (protected)
registry = "https://npm.test.example/"
)");
  ASSERT_TRUE(found);
  EXPECT_THAT(urls_of(found->origins), ElementsAre("https://u:***@corp.test.example/npm/", "https://npm.test.example/"));
  EXPECT_THAT(found->files, ElementsAre("/usr/etc/npmrc", "/home/u/.npmrc"));
  EXPECT_FALSE(read_npm("nothing"));
}

TEST(PackageTools, PipUsesItsBuiltInIndexWhereNothingElseIsSaid) {
  const auto found = read_pip("global.cert='/x'\n", {"https://index.test.example/simple", "files.test.example"});
  ASSERT_TRUE(found);
  EXPECT_THAT(urls_of(found->origins), ElementsAre("https://index.test.example/", "https://files.test.example/"));
  EXPECT_FALSE(read_pip("", {}));
}

TEST(PackageTools, PipTakesEnvironmentBeforeCommandBeforeGlobal) {
  const PipBuiltIn built_in{"https://index.test.example/simple", "files.test.example"};
  const auto urls = [&](std::string_view list) { return urls_of(read_pip(list, built_in)->origins); };
  EXPECT_THAT(urls("global.index-url='https://a.test.example/x/simple/'\n"), ElementsAre("https://a.test.example/x/"));
  EXPECT_THAT(urls("global.index_url='https://a.test.example/'\ninstall.index-url='https://b.test.example/'\n"),
              ElementsAre("https://b.test.example", "https://a.test.example"));
  EXPECT_THAT(urls("global.index-url='https://a.test.example/'\n:env:.index-url='https://c.test.example/'\n"),
              ElementsAre("https://c.test.example"));
  EXPECT_THAT(urls("global.no-index='true'\nglobal.find-links='/srv/wheels\\nhttps://links.test.example/w/'\n"),
              ElementsAre("https://links.test.example/w/"));
  EXPECT_THAT(urls("global.index-url='https://a.test.example/'\nglobal.extra-index-url='\\nhttps://d.test.example/\\nhttps://e.test.example/simple'\n"),
              ElementsAre("https://a.test.example", "https://d.test.example", "https://e.test.example/"));
}

TEST(PackageTools, PipTellsItsFiles) {
  EXPECT_THAT(read_pip_files("env_var:\n  PIP_X='1'\nglobal:\n  /etc/pip.conf, exists: True\n    global.x: y\nuser:\n  /home/u/.pip/pip.conf, exists: False\n"),
              ElementsAre("/etc/pip.conf", "/home/u/.pip/pip.conf"));
}

TEST(PackageTools, GoProxiesUpToDirectAndTheChecksumDatabaseAreRead) {
  const auto found = read_go(
      R"({"GOPROXY":"https://p.test.example/go|q.test.example,direct,https://never.test.example","GOSUMDB":"sum.test.example+033de0ae+Ac4","GOPRIVATE":"corp.test.example/*","GOENV":"/home/u/.config/go/env","GOROOT":"/usr/lib/go"})");
  ASSERT_TRUE(found);
  EXPECT_THAT(urls_of(found->findings.origins),
              ElementsAre("https://p.test.example/go", "https://q.test.example", "https://sum.test.example/"));
  EXPECT_THAT(found->findings.notes, ElementsAre(HasSubstr("direct"), HasSubstr("corp.test.example/*")));
  EXPECT_THAT(found->files, ElementsAre("/home/u/.config/go/env", "/usr/lib/go/go.env"));
  EXPECT_THAT(urls_of(read_go(R"({"GOPROXY":"off","GOSUMDB":"off"})")->findings.origins), IsEmpty());
  EXPECT_THAT(urls_of(read_go(R"({"GOPROXY":"off","GOSUMDB":"sum.test.example https://db.test.example/x"})")->findings.origins),
              ElementsAre("https://db.test.example/x"));
  EXPECT_FALSE(read_go("[]"));
}

TEST(PackageTools, AptRepositoriesOnTheNetworkAreReadOnce) {
  const auto found = read_apt(
      "http://apt.test.example/debian/ /etc/apt/sources.list:1\nhttp://apt.test.example/debian/ /etc/apt/sources.list:2\n"
      "file:/srv/repository/ /etc/apt/sources.list:3\nhttps://u:p@apt.test.example/own/ /etc/apt/sources.list.d/own.sources:1\n");
  EXPECT_THAT(urls_of(found.findings.origins), ElementsAre("http://apt.test.example/debian/", "https://u:p@apt.test.example/own/"));
  EXPECT_THAT(found.files, ElementsAre("/etc/apt/sources.list", "/etc/apt/sources.list.d/own.sources"));
}

TEST(PackageTools, CargoFollowsWhatReplacesItsRegistry) {
  const auto found = read_cargo(R"(
[source.crates-io]
replace-with = "corp"
[source.corp]
replace-with = "mirror"
[registries]
mirror = { index = "sparse+https://mirror.test.example/index/" }
own-crates = { index = "https://forge.test.example/own.git" }
)",
                                {{"CARGO_REGISTRIES_OWN_CRATES_INDEX", "sparse+https://own.test.example/"}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->replaced);
  EXPECT_EQ(found->index, "sparse+https://mirror.test.example/index/");
  EXPECT_EQ(found->registries.at("own-crates"), "sparse+https://own.test.example/");
}

TEST(PackageTools, CargoWithoutReplacementKeepsItsOwnRegistry) {
  EXPECT_FALSE(read_cargo("", {})->replaced);
  EXPECT_EQ(read_cargo("[registries.crates-io]\nprotocol = \"git\"\n", {})->protocol, "git");
  const auto vendored = read_cargo("[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n", {});
  EXPECT_TRUE(vendored->replaced);
  EXPECT_EQ(vendored->index, "");
  EXPECT_THAT(vendored->notes, ElementsAre(HasSubstr("not a registry on the network")));
  const auto circle = read_cargo("[source.crates-io]\nreplace-with = \"a\"\n[source.a]\nreplace-with = \"crates-io\"\n", {});
  EXPECT_TRUE(circle->replaced);
  EXPECT_EQ(circle->index, "");
  EXPECT_EQ(read_cargo("[source\n", {}).error().code, "tool_failed");
  EXPECT_TRUE(read_cargo("source = 3\nregistries = []\n", {}));
}

TEST(PackageTools, CargoIndexesAreFilesOrRepositories) {
  EXPECT_EQ(index_origin("index", "sparse+https://a.test.example/i/").kind, Origin::Kind::files);
  EXPECT_EQ(index_origin("index", "https://a.test.example/i").kind, Origin::Kind::git);
  EXPECT_EQ(read_download_url(R"({"dl":"https://dl.test.example/crates"})"), "https://dl.test.example/crates");
  EXPECT_EQ(read_download_url(R"({"dl":"https://dl.test.example/c/x-{crate}/{version}.crate"})"), "https://dl.test.example/c/");
  EXPECT_FALSE(read_download_url("{}"));
  EXPECT_FALSE(read_download_url("x"));
}

TEST(PackageTools, AskedForPlacesAreReadFromProxyRequests) {
  EXPECT_EQ(place_asked_for("CONNECT Index.Test.example:443 HTTP/1.1"), "index.test.example:443");
  EXPECT_EQ(place_asked_for("GET http://index.test.example/config.json HTTP/1.1"), "index.test.example:80");
  for (const char* line : {"", "GET / HTTP/1.1", "CONNECT x", "CONNECT a b HTTP/1.1", "CONNECT a:1 SMTP"}) EXPECT_EQ(place_asked_for(line), "") << line;
}

// -- How they are asked

class PackagePreset : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/package-sources-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = fs::canonical(name).string();
    for (const char* folder : {"/bin", "/home", "/project"}) fs::create_directory(root_ + folder);
    path_ = std::getenv("PATH");
    home_ = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "/";
    here_ = fs::current_path();
    fs::current_path(root_ + "/project");
    ::setenv("PATH", (root_ + "/bin:/usr/bin:/bin").c_str(), 1);
    ::setenv("HOME", (root_ + "/home").c_str(), 1);
  }
  void TearDown() override {
    fs::current_path(here_);
    ::setenv("PATH", path_.c_str(), 1);
    ::setenv("HOME", home_.c_str(), 1);
    for (const char* name : {"npm_config_registry", "NPM_CONFIG_USERCONFIG", "npm_lifecycle_event", "NODE_OPTIONS"}) ::unsetenv(name);
    fs::remove_all(root_);
  }
  void program(const std::string& path, const std::string& script) {
    std::ofstream(root_ + path) << "#!/bin/sh\n" << script;
    fs::permissions(root_ + path, fs::perms::owner_all);
  }
  static std::string problem_with(std::string_view name, const std::vector<std::string>& writable = {}) {
    const auto text = package_preset(name, writable);
    return text ? *text : text.error().code;
  }
  static constexpr const char* kSays = "echo 'registry = \"https://npm.test.example/\"'\n";

  std::string root_, path_, home_;
  fs::path here_;
};

TEST_F(PackagePreset, AsksTheToolInANeutralFolderWithTheUsersEnvironment) {
  program("/bin/npm", "echo \"registry = \\\"https://$(pwd | tr -d /)x.test.example$HOME/$npm_config_registry\\\"\"\n");
  ::setenv("npm_config_registry", "mine", 1);
  const auto text = package_preset("npm");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("https://x.test.example" + root_ + "/home/mine"));
}

TEST_F(PackagePreset, SaysThatAToolIsNotThere) {
  ::setenv("PATH", (root_ + "/bin").c_str(), 1);
  const auto text = package_preset("cargo");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "cargo is not installed on this host (install it, or write rules for its hosts)");
}

TEST_F(PackagePreset, NeverRunsAProgramThatASandboxOrAnybodyCanWrite) {
  program("/bin/npm", kSays);
  fs::create_directories(root_ + "/project/bin");
  program("/project/bin/npm", "echo 'registry = \"https://evil.test.example/\"'\n");
  fs::create_directory(root_ + "/open");
  program("/open/npm", "echo 'registry = \"https://evil.test.example/\"'\n");
  fs::permissions(root_ + "/open", fs::perms::all);
  fs::create_directory(root_ + "/links");
  fs::create_symlink(root_ + "/project/bin/npm", root_ + "/links/npm");
  const std::string start = root_ + "/project/bin:" + root_ + "/open:" + root_ + "/links:bin:.:";
  ::setenv("PATH", (start + root_ + "/bin:/usr/bin:/bin").c_str(), 1);
  EXPECT_THAT(package_preset("npm").value_or(""), testing::AllOf(HasSubstr("npm.test.example"), Not(HasSubstr("evil"))));
  ::setenv("PATH", start.c_str(), 1);
  EXPECT_EQ(problem_with("npm"), "tool_untrusted");
  // A folder that is mounted for writing counts like the project.
  ::setenv("PATH", (root_ + "/bin").c_str(), 1);
  EXPECT_EQ(problem_with("npm", {root_ + "/bin"}), "tool_untrusted");
}

TEST_F(PackagePreset, DropsVariablesThatPointIntoTheProject) {
  program("/bin/npm", "echo \"registry = \\\"https://npm.test.example/$NPM_CONFIG_USERCONFIG$NODE_OPTIONS\\\"\"\n");
  ::setenv("NPM_CONFIG_USERCONFIG", (root_ + "/project/.npmrc").c_str(), 1);
  ::setenv("NODE_OPTIONS", ("--require=" + root_ + "/home/../project/x.js").c_str(), 1);
  const auto text = package_preset("npm");
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("  # https://npm.test.example/\n"));
  EXPECT_THAT(*text, HasSubstr("NPM_CONFIG_USERCONFIG"));
}

TEST_F(PackagePreset, DropsWhatNpmPassesOnOfAProject) {
  program("/bin/npm", "echo \"registry = \\\"https://npm.test.example/$npm_config_registry\\\"\"\n");
  ::setenv("npm_lifecycle_event", "agent", 1);
  ::setenv("npm_config_registry", "evil", 1);
  EXPECT_THAT(package_preset("npm").value_or("evil"), Not(HasSubstr("evil")));
}

TEST_F(PackagePreset, RefusesConfigurationThatASandboxCanWrite) {
  program("/bin/npm", std::string(kSays) + "echo 'userconfig = \"" + root_ + "/home/.npmrc\"'\n");
  EXPECT_TRUE(package_preset("npm"));
  fs::create_symlink(root_ + "/project/npmrc", root_ + "/home/.npmrc");
  EXPECT_EQ(problem_with("npm"), "tool_untrusted");
  fs::remove(root_ + "/home/.npmrc");
  EXPECT_EQ(problem_with("npm", {root_ + "/home"}), "tool_untrusted");
}

TEST_F(PackagePreset, QuotesAFailureWithoutItsPasswords) {
  program("/bin/npm", "echo 'bad URL https://u:hunter2@npm.test.example/' >&2; exit 3\n");
  const auto text = package_preset("npm");
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, testing::AllOf(HasSubstr("status 3"), HasSubstr("https://npm.test.example/"), Not(HasSubstr("hunter2"))));
}

TEST_F(PackagePreset, EndsAToolThatTakesTooLongWithAllThatItStarted) {
  program("/bin/slow", "sleep 1000 & echo $! > " + root_ + "/pid; sleep 1000\n");
  const auto answer = run_tool({.program = root_ + "/bin/slow", .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}},
                                .time_limit = std::chrono::milliseconds(700)});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("did not end within"));
  const auto pid = read_file(root_ + "/pid");
  ASSERT_TRUE(pid);
  // Its parent is gone, so nobody here can wait for it: it is dead once the kernel knows it no more, or as a zombie.
  const auto dead = [&] {
    const auto stat = read_file("/proc/" + std::to_string(std::stoi(*pid)) + "/stat");
    return !stat || stat->find(") Z") != std::string::npos;
  };
  for (int i = 0; i < 1000 && !dead(); ++i) ::usleep(10'000);
  EXPECT_TRUE(dead());
}

TEST_F(PackagePreset, IsNotHeldUpByWhatAToolLeavesBehind) {
  program("/bin/leaves", "sleep 1000 & echo said\n");
  const auto answer = run_tool({.program = root_ + "/bin/leaves", .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->out, "said\n");
}

TEST_F(PackagePreset, BoundsWhatAToolSays) {
  program("/bin/loud", "while :; do echo loudloudloudloudloudloudloudloudloudloudloud; done\n");
  const auto answer = run_tool({.program = root_ + "/bin/loud", .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}}});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("more than 4 MiB"));
}

}  // namespace
}  // namespace weir::launch
