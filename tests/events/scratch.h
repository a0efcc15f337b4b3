// A folder of its own for each test, with a session's files in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "events/reader.h"
#include "events/segment_name.h"
#include "events/session_log.h"

namespace weir::events::test {

class Scratch : public testing::Test {
 protected:
  Scratch() {
    const char* shared = "/dev/shm";
    std::string name = std::string(std::filesystem::is_directory(shared) ? shared : "/tmp") + "/weir-events-test-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~Scratch() override { std::filesystem::remove_all(root_); }

  std::string directory() const { return root_ + "/" + kSession; }
  std::string segment(unsigned number = 1) const { return directory() + "/" + segment_name(number); }
  SessionLog create(LogOptions options = {}) const {
    auto log = SessionLog::create(root_, kSession, options);
    if (!log) throw std::runtime_error(log.error().message);
    return std::move(*log);
  }
  Result<SessionLog> open(LogOptions options = {}) const { return SessionLog::open(root_, kSession, options); }

  // A session of `count` committed events, closed.
  void write_session(int count, LogOptions options = {}) const {
    auto log = create(options);
    for (int i = 1; i <= count; ++i) {
      log.append("egress.request", "sbx_test", "{\"n\":" + std::to_string(i) + "}");
      ASSERT_TRUE(log.commit());
    }
  }

  std::string content(unsigned number = 1) const {
    std::ifstream file(segment(number), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void replace(const std::string& text, unsigned number = 1) const {
    std::ofstream(segment(number), std::ios::binary | std::ios::trunc) << text;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    LineReader reader(directory());
    while (auto line = reader.next()) all.push_back(*line);
    return all;
  }
  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> all;
    for (const auto& line : lines()) all.push_back(nlohmann::json::parse(line));
    return all;
  }
  Verification verified() const {
    auto verification = verify(directory());
    if (!verification) throw std::runtime_error(verification.error().message);
    return *verification;
  }

  static constexpr const char* kSession = "ses_test";
  std::string root_;
};

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}

}  // namespace weir::events::test
