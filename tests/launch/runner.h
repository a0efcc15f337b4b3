// Runs launch_runner as a user would from a shell: its own process, environment, folder and terminal.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace weir::launch {

// Who runs weir in a test, and where. Makes a temporary home with a project in it, owned by that user; removed again.
class Host {
 public:
  explicit Host(bool ordinary_user);  // false: whoever runs the tests
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& home() const { return home_; }
  std::string project() const { return home_ + "/project"; }
  void write(const std::string& path, const std::string& content, unsigned mode = 0644) const;  // as that user
  void make_folder(const std::string& path, unsigned mode = 0755) const;
  void become() const;  // in a child
  bool as_root() const;

  std::map<std::string, std::string> environment;  // of weir; PATH and HOME are set

 private:
  unsigned user_;
  std::string home_;
};

struct Outcome {
  int status = -1;  // exit code
  std::string out;
  std::string err;
};

// launch_runner ARGUMENTS in the host's project folder.
Outcome run(const Host& host, std::vector<std::string> arguments, const std::string& folder = "");
Outcome run_shell(const Host& host, const std::string& script);      // bash -c SCRIPT in a sandbox
std::string probe(const Host& host, std::vector<std::string> what);  // launch_probe in a sandbox; its output in one line

// A program on a pseudo-terminal that it controls.
class Terminal {
 public:
  Terminal(const Host& host, std::vector<std::string> command);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& text);
  bool expect(const std::string& text, int timeout_ms = 20000);  // waits until `text` has appeared after the last expected
  void resize(int rows, int columns);
  void signal(int number, int after_ms = 0) const;        // to the program itself, not its group
  std::vector<pid_t> descendants() const;                 // of the program, at this moment
  bool stopped(int count, int timeout_ms = 10000) const;  // waits until so many descendants are stopped
  static bool all_end(const std::vector<pid_t>& processes, int timeout_ms = 10000);
  int wait();  // exit code, or 128 + signal
  const std::string& seen() const { return seen_; }

 private:
  int terminal_ = -1;
  pid_t child_ = 0;
  std::string seen_;
  std::size_t expected_ = 0;
};

extern const std::string kRunner;
extern const std::string kProbe;

}  // namespace weir::launch
