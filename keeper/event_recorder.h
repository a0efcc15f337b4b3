// The session's record as the keeper writes it: its own events, and those that the proxy reports.
#pragma once

#include <uv.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "events/session_log.h"
#include "keeper/run_session.h"

namespace weir::keeper {

class EventRecorder {
 public:
  EventRecorder(events::SessionLog log, std::string sandbox_id, Durability durability);
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;
  ~EventRecorder();

  // Stages an event of the keeper's own.
  void add(std::string_view type, const nlohmann::ordered_json& data);
  // Stages one that the proxy reported. False when it is not one that a proxy may report, or malformed.
  bool add_reported(std::string_view type, std::string_view fields);
  // Writes what is staged; with Durability::sync also waits for the disk. SECURITY: G3, only after this is a request let out.
  Result<void> commit();

  // Group durability: syncs to the disk every 100 ms, on a thread of libuv's pool, while something is new.
  void sync_in_background(uv_loop_t* loop);
  // At the end: waits for a sync under way, then syncs the rest.
  Result<void> finish();

  events::SessionLog& log() { return log_; }

 private:
  static void on_timer(uv_timer_t* timer);
  static void on_sync(uv_work_t* work);
  static void after_sync(uv_work_t* work, int status);

  events::SessionLog log_;
  std::string sandbox_id_;
  Durability durability_;
  std::string scratch_;
  bool dirty_ = false;
  bool syncing_ = false;
  bool failed_ = false;       // the disk refused a sync: nothing is acknowledged any more
  Result<void> sync_result_;  // written on the pool's thread, read after it
  uv_timer_t timer_{};
  uv_work_t work_{};
  uv_loop_t* loop_ = nullptr;
};

}  // namespace weir::keeper
