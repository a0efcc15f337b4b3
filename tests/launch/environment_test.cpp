// What of the host's environment a command gets to see. SECURITY: G2.
#include "launch/process/environment.h"

#include <gmock/gmock.h>

#include "runner.h"

namespace weir::launch {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

SandboxSpec spec_with(std::vector<std::string> pass, std::map<std::string, std::string> set) {
  SandboxSpec spec;
  spec.working_directory = "/work";
  spec.sandbox_id = "sbx_1";
  spec.pass_environment = std::move(pass);
  spec.environment = std::move(set);
  return spec;
}
const Account kAccount{.user = 1000, .group = 1000, .name = "ann", .home = "/home/ann", .shell = "/bin/sh"};

TEST(Environment, PassesOnlyWhatIsOnTheList) {
  const auto out = environment_for(spec_with({}, {}), kAccount,
                                   {{"TERM", "xterm"},
                                    {"LC_TIME", "C"},
                                    {"AWS_SECRET_ACCESS_KEY", "k"},
                                    {"SSH_AUTH_SOCK", "/s"},
                                    {"LD_PRELOAD", "/x.so"},
                                    {"HTTPS_PROXY", "http://p"},
                                    {"DBUS_SESSION_BUS_ADDRESS", "d"},
                                    {"XDG_RUNTIME_DIR", "/r"},
                                    {"NODE_OPTIONS", "--require=x"}});
  EXPECT_THAT(out, Contains(Pair("TERM", "xterm")));
  EXPECT_THAT(out, Contains(Pair("LC_TIME", "C")));
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "LD_PRELOAD", "HTTPS_PROXY", "DBUS_SESSION_BUS_ADDRESS",
                           "XDG_RUNTIME_DIR", "NODE_OPTIONS"})
    EXPECT_THAT(out, Not(Contains(Key(name))));
}

TEST(Environment, NamesTheSandboxItsUserAndItsFolder) {
  const auto out = environment_for(spec_with({}, {}), kAccount,
                                   {{"HOME", "/root"}, {"USER", "root"}, {"PWD", "/elsewhere"}, {"TMPDIR", "/scratch"}});
  EXPECT_THAT(out, Contains(Pair("HOME", "/home/ann")));
  EXPECT_THAT(out, Contains(Pair("USER", "ann")));
  EXPECT_THAT(out, Contains(Pair("PWD", "/work")));
  EXPECT_THAT(out, Contains(Pair("TMPDIR", "/tmp")));
  EXPECT_THAT(out, Contains(Pair("WEIR_SANDBOX", "sbx_1")));
}

TEST(Environment, TheHostCannotReplaceTheTrustVariablesByAccident) {
  const auto out =
      environment_for(spec_with({}, {}), kAccount, {{"SSL_CERT_FILE", "/corp.pem"}, {"NODE_EXTRA_CA_CERTS", "/corp.pem"}});
  EXPECT_THAT(out, Contains(Pair("SSL_CERT_FILE", kBundlePath)));
  EXPECT_THAT(out, Contains(Pair("NODE_EXTRA_CA_CERTS", kCertificatePath)));
}

TEST(Environment, WhatIsAskedForWinsAndWhatIsSetWinsOverThat) {
  const auto out = environment_for(spec_with({"A", "B", "MISSING"}, {{"B", "set"}, {"TERM", "dumb"}}), kAccount,
                                   {{"A", "host"}, {"B", "host"}, {"TERM", "xterm"}});
  EXPECT_THAT(out, Contains(Pair("A", "host")));
  EXPECT_THAT(out, Contains(Pair("B", "set")));
  EXPECT_THAT(out, Contains(Pair("TERM", "dumb")));
  EXPECT_THAT(out, Not(Contains(Key("MISSING"))));
}

TEST(Environment, HostSecretsDoNotPassInARealSandbox) {
  Host host(true);
  host.environment["ANTHROPIC_API_KEY"] = "sk-hunter2";
  host.environment["GITHUB_TOKEN"] = "ghp_hunter2";
  host.environment["PASSED"] = "on purpose";
  const Outcome outcome =
      run(host, {"--env", "PASSED", "--env", "SET=a=b c", "--", "bash", "-c",
                 "env; cat /proc/1/environ /proc/self/environ /proc/*/environ /proc/*/cmdline 2>/dev/null"});
  EXPECT_THAT(outcome.out, Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.out, HasSubstr("PASSED=on purpose\n"));
  EXPECT_THAT(outcome.out, HasSubstr("SET=a=b c\n"));
}

}  // namespace
}  // namespace weir::launch
