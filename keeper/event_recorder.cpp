#include "keeper/event_recorder.h"

namespace weir::keeper {
namespace {
constexpr std::uint64_t kSyncMs = 100;
}

EventRecorder::EventRecorder(events::SessionLog log, std::string sandbox_id, Durability durability)
    : log_(std::move(log)), sandbox_id_(std::move(sandbox_id)), durability_(durability) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::add(std::string_view type, const nlohmann::ordered_json& data) {
  // What the keeper writes may quote the host's texts (paths, commands): invalid UTF-8 is replaced, not thrown at.
  log_.append(type, sandbox_id_, data.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  dirty_ = true;
}

bool EventRecorder::add_reported(std::string_view type, std::string_view fields) {
  if (!events::is_proxy_event(type)) return false;
  scratch_.clear();
  if (!events::append_json(fields, scratch_)) return false;
  log_.append(type, sandbox_id_, scratch_);
  dirty_ = true;
  return true;
}

Result<void> EventRecorder::commit() {
  auto written = log_.commit();
  if (failed_ && written) return fail("store_unwritable", "the disk did not take earlier events of this session");
  if (written && durability_ == Durability::sync) {
    written = log_.sync();
    if (written) {
      dirty_ = false;
    } else {
      failed_ = true;
    }
  }
  return written;
}

void EventRecorder::sync_in_background(uv_loop_t* loop) {
  loop_ = loop;
  uv_timer_init(loop, &timer_);
  timer_.data = this;
  work_.data = this;
  uv_timer_start(&timer_, on_timer, kSyncMs, kSyncMs);
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
}

void EventRecorder::on_timer(uv_timer_t* timer) {
  auto& self = *static_cast<EventRecorder*>(timer->data);
  if (!self.dirty_ || self.syncing_) return;
  self.dirty_ = false;
  self.syncing_ = true;
  uv_queue_work(self.loop_, &self.work_, on_sync, after_sync);
}

void EventRecorder::on_sync(uv_work_t* work) {
  auto& self = *static_cast<EventRecorder*>(work->data);
  self.sync_result_ = self.log_.sync();
}

void EventRecorder::after_sync(uv_work_t* work, int) {
  auto& self = *static_cast<EventRecorder*>(work->data);
  self.syncing_ = false;
  if (!self.sync_result_) self.failed_ = true;
}

Result<void> EventRecorder::finish() {
  while (syncing_) uv_run(loop_, UV_RUN_ONCE);
  auto written = log_.commit();
  if (!written) return written;
  return log_.sync();
}

}  // namespace weir::keeper
