#include "proxy/io/loop.h"

#include <stdexcept>

namespace weir::proxy::io {
namespace {
constexpr std::uint64_t kTickMs = 100;
}

Loop::Loop() {
  if (uv_loop_init(&loop_) != 0) throw std::runtime_error("cannot make an event loop");
  waits_.next = waits_.previous = &waits_;
  uv_timer_init(&loop_, &tick_);
  tick_.data = this;
  uv_prepare_init(&loop_, &prepare_);
  prepare_.data = this;
  uv_prepare_start(&prepare_, on_prepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&tick_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);
  uv_loop_close(&loop_);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }
void Loop::stop() { uv_stop(&loop_); }

void Loop::before_blocking(std::function<void()> callback) { before_blocking_ = std::move(callback); }

void Loop::on_prepare(uv_prepare_t* prepare) {
  auto& loop = *static_cast<Loop*>(prepare->data);
  if (loop.before_blocking_) loop.before_blocking_();
}

void Loop::add(Waiter& waiter) {
  // The timer runs only while somebody waits with a deadline: an idle sandbox causes no wake-ups.
  if (waiter.deadline != kNever && uv_is_active(reinterpret_cast<uv_handle_t*>(&tick_)) == 0)
    uv_timer_start(&tick_, on_tick, kTickMs, kTickMs);
  waiter.previous = waits_.previous;
  waiter.next = &waits_;
  waits_.previous->next = &waiter;
  waits_.previous = &waiter;
}

void Loop::forget(Waiter& waiter) {
  if (waiter.next == nullptr) return;
  waiter.previous->next = waiter.next;
  waiter.next->previous = waiter.previous;
  waiter.next = waiter.previous = nullptr;
  if (waiter.slot != nullptr) *waiter.slot = nullptr;
}

void Loop::wake(Waiter& waiter, Wake result) {
  forget(waiter);
  waiter.result = result;
  waiter.handle.resume();
}

void Loop::on_tick(uv_timer_t* timer) {
  auto& loop = *static_cast<Loop*>(timer->data);
  const Deadline now = loop.now();
  bool any_deadline = false;
  // A wake may run much code that adds and removes waits: start over after each.
  for (bool again = true; again;) {
    again = false;
    any_deadline = false;
    for (Waiter* waiter = loop.waits_.next; waiter != &loop.waits_; waiter = waiter->next) {
      if (waiter->deadline == kNever) continue;
      any_deadline = true;
      if (waiter->deadline > now) continue;
      loop.wake(*waiter, Wake::timeout);
      again = true;
      break;
    }
  }
  if (!any_deadline) uv_timer_stop(timer);
}

}  // namespace weir::proxy::io
