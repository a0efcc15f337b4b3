// Notices that a policy file has changed, however it is written: in place, by renaming another over it, or through a link
// that now leads elsewhere (inotify(7) on the folders of the name and of what it leads to).
#pragma once

#include <uv.h>

#include <array>
#include <functional>
#include <string>

namespace weir::keeper {

class PolicyWatch {
 public:
  // `file` absolute; empty: nothing is watched. `changed` is called from the loop once the file has been left alone for a moment. The
  // watch outlives the loop's last turn.
  PolicyWatch(uv_loop_t* loop, std::string file, std::function<void()> changed);
  PolicyWatch(const PolicyWatch&) = delete;
  PolicyWatch& operator=(const PolicyWatch&) = delete;

  // Lets go of the folders. The loop must turn once more before the watch may go.
  void close();

 private:
  void watch_folders();
  void look();
  std::string stamp() const;  // of the file as it is: another file, size or change time gives another stamp

  uv_loop_t* loop_;
  std::string file_;
  std::string seen_;
  std::function<void()> changed_;
  std::array<uv_fs_event_t, 2> events_{};
  std::array<std::string, 2> folders_;
  uv_timer_t settle_{};
};

}  // namespace weir::keeper
