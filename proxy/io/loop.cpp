#include "proxy/io/loop.h"

#include <algorithm>
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
  // The first turn after a stop() does nothing; the next runs the close callbacks.
  for (int turn = 0; turn < 3 && uv_loop_close(&loop_) == UV_EBUSY; ++turn) uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }
void Loop::stop() { uv_stop(&loop_); }

void Loop::before_blocking(std::function<void()> callback) { before_blocking_ = std::move(callback); }

void Loop::on_prepare(uv_prepare_t* prepare) {
  auto& loop = *static_cast<Loop*>(prepare->data);
  if (loop.before_blocking_) loop.before_blocking_();
}

void Loop::add(Waiter& waiter) {
  if (waiter.deadline < next_tick_) set_tick(waiter.deadline);
  waiter.previous = waits_.previous;
  waiter.next = &waits_;
  waits_.previous->next = &waiter;
  waits_.previous = &waiter;
}

void Loop::set_tick(Deadline at) {
  next_tick_ = std::max(at, now() + kTickMs);
  uv_timer_start(&tick_, on_tick, next_tick_ - now(), 0);
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
  loop.next_tick_ = kNever;
  Deadline earliest = kNever;
  // A wake may run much code that adds and removes waits: start over after each.
  for (bool again = true; again;) {
    again = false;
    earliest = kNever;
    for (Waiter* waiter = loop.waits_.next; waiter != &loop.waits_; waiter = waiter->next) {
      if (waiter->deadline > now) {
        earliest = std::min(earliest, waiter->deadline);
        continue;
      }
      loop.wake(*waiter, Wake::timeout);
      again = true;
      break;
    }
  }
  if (earliest < loop.next_tick_) loop.set_tick(earliest);
}

}  // namespace weir::proxy::io
