// The libuv loop of the proxy, with the two things that coroutines wait on: descriptors (descriptor.h) and events.
// Every wait has a deadline. Deadlines are coarse (one timer, at most every 100 ms, looks through the waits): they guard
// against peers that hang, they do not measure. The timer is set for the earliest deadline, so an idle loop sleeps.
#pragma once

#include <uv.h>

#include <coroutine>
#include <cstdint>
#include <functional>

namespace weir::proxy::io {

using Deadline = std::uint64_t;  // milliseconds on the loop's clock (uv_now)
inline constexpr Deadline kNever = UINT64_MAX;

enum class Wake : std::uint8_t { ready, timeout, closed };

// One suspended coroutine. Lives in the awaiter, thus in the coroutine's frame.
struct Waiter {
  Waiter* previous = nullptr;  // in the loop's list of waits
  Waiter* next = nullptr;
  std::coroutine_handle<> handle;
  Deadline deadline = kNever;
  Wake result = Wake::ready;
  Waiter** slot = nullptr;  // where the waker holds it; cleared on wake
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* uv() { return &loop_; }
  void run();
  void stop();
  Deadline now() const { return uv_now(&loop_); }
  Deadline in(std::uint64_t milliseconds) const { return uv_now(&loop_) + milliseconds; }

  // Called once in each turn of the loop, before it blocks: what was gathered in this turn is sent in one go.
  void before_blocking(std::function<void()> callback);

  void add(Waiter& waiter);
  // Takes the waiter off the list and out of its slot, and resumes its coroutine. The waker touches nothing of the
  // waiter or its own members after this unless it knows that it still exists.
  void wake(Waiter& waiter, Wake result);
  void forget(Waiter& waiter);

 private:
  static void on_tick(uv_timer_t* timer);
  static void on_prepare(uv_prepare_t* prepare);
  uv_loop_t loop_{};
  void set_tick(Deadline at);
  uv_timer_t tick_{};
  Deadline next_tick_ = kNever;
  uv_prepare_t prepare_{};
  std::function<void()> before_blocking_;
  Waiter waits_;  // sentinel
};

// A condition that one coroutine waits for and others fire.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { fire(Wake::closed); }
  void fire(Wake result = Wake::ready) {
    if (waiter_ != nullptr) loop_.wake(*waiter_, result);
  }
  bool has_waiter() const { return waiter_ != nullptr; }

  struct Awaiter {
    Awaiter(Event& of, Deadline until) : event(of) { waiter.deadline = until; }
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (waiter.next != nullptr) event.loop_.forget(waiter);
    }
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiter.handle = handle;
      event.waiter_ = &waiter;
      waiter.slot = &event.waiter_;
      event.loop_.add(waiter);
    }
    Wake await_resume() { return waiter.result; }
    Event& event;
    Waiter waiter{};
  };
  Awaiter wait(Deadline deadline) { return {*this, deadline}; }

 private:
  Loop& loop_;
  Waiter* waiter_ = nullptr;
};

}  // namespace weir::proxy::io
