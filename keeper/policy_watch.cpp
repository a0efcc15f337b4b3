#include "keeper/policy_watch.h"

#include <sys/stat.h>

#include <filesystem>

namespace weir::keeper {
namespace {

constexpr std::uint64_t kSettleMs = 50;  // an editor writes in several steps

}  // namespace

PolicyWatch::PolicyWatch(uv_loop_t* loop, std::string file, std::function<void()> changed)
    : loop_(loop), file_(std::move(file)), changed_(std::move(changed)) {
  uv_timer_init(loop_, &settle_);
  settle_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&settle_));
  for (auto& event : events_) {
    uv_fs_event_init(loop_, &event);
    event.data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(&event));
  }
  if (file_.empty()) return;
  watch_folders();
  seen_ = stamp();
}

void PolicyWatch::watch_folders() {
  std::error_code error;
  const std::filesystem::path path(file_);
  const auto target = std::filesystem::weakly_canonical(path, error);
  const std::array<std::string, 2> wanted{path.parent_path().string(), error ? std::string() : target.parent_path().string()};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == folders_[i]) continue;
    uv_fs_event_stop(&events_[i]);
    folders_[i] = wanted[i];
    if (wanted[i].empty() || (i == 1 && wanted[1] == wanted[0])) continue;
    uv_fs_event_start(
        &events_[i],
        [](uv_fs_event_t* event, const char*, int, int) {
          // Other files of the folder change too: whether it was ours is seen when it is quiet.
          auto& self = *static_cast<PolicyWatch*>(event->data);
          uv_timer_start(
              &self.settle_, [](uv_timer_t* timer) { static_cast<PolicyWatch*>(timer->data)->look(); }, kSettleMs, 0);
        },
        wanted[i].c_str(), 0);
  }
}

void PolicyWatch::close() {
  for (auto& event : events_) uv_close(reinterpret_cast<uv_handle_t*>(&event), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&settle_), nullptr);
}

void PolicyWatch::look() {
  watch_folders();
  auto now = stamp();
  if (now.empty() || now == seen_) return;  // gone for a moment, or another file of the folder
  seen_ = std::move(now);
  changed_();
}

std::string PolicyWatch::stamp() const {
  struct stat status {};
  if (stat(file_.c_str(), &status) != 0) return {};
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + ":" + std::to_string(status.st_size) + ":" +
         std::to_string(status.st_ctim.tv_sec) + "." + std::to_string(status.st_ctim.tv_nsec);
}

}  // namespace weir::keeper
