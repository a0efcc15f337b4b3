// A non-blocking descriptor that coroutines wait on. Owns the fd and its uv_poll_t.
//
// The set of events that the kernel watches is left as it is between waits (level-triggered epoll, no epoll_ctl in
// the steady state of request and response): an event that nobody waits for is disarmed when it comes, not before.
#pragma once

#include "base/unique_fd.h"
#include "proxy/io/loop.h"

namespace weir::proxy::io {

class Descriptor {
 public:
  Descriptor(Loop& loop, UniqueFd fd);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();  // wakes its waiters with Wake::closed

  int fd() const { return fd_.get(); }
  Loop& loop() { return loop_; }

  struct Awaiter {
    Awaiter(Descriptor& of, int for_events, Deadline until) : descriptor(of), events(for_events) { waiter.deadline = until; }
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (waiter.next != nullptr) descriptor.loop_.forget(waiter);  // the coroutine was destroyed while it waited
    }
    bool await_ready() { return descriptor.closed_; }
    void await_suspend(std::coroutine_handle<> handle);
    Wake await_resume() { return waiter.handle == nullptr ? Wake::closed : waiter.result; }
    Descriptor& descriptor;
    int events;
    Waiter waiter{};
  };
  // At most one coroutine waits for each direction at a time.
  Awaiter readable(Deadline deadline) { return {*this, UV_READABLE, deadline}; }
  Awaiter writable(Deadline deadline) { return {*this, UV_WRITABLE, deadline}; }

  void close();  // wakes waiters with Wake::closed, closes the fd
  bool closed() const { return closed_; }
  // The peer closed its sending side, or the connection broke, while nobody was reading.
  bool hung_up() const { return hung_up_; }
  // Set when the kernel reported readability since it was last cleared; see Transport.
  bool read_event() const { return read_event_; }
  void clear_read_event() { read_event_ = false; }
  // Called when the peer hangs up while nobody reads. One callback; empty to take it away.
  void on_hang_up(std::function<void()> callback);

 private:
  friend struct Awaiter;
  void arm(int events);
  static void on_event(uv_poll_t* poll, int status, int events);

  Loop& loop_;
  UniqueFd fd_;
  uv_poll_t* poll_;  // freed by uv's close callback, which may come after this object is gone
  int armed_ = 0;
  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
  std::function<void()> on_hang_up_;
  bool closed_ = false;
  bool hung_up_ = false;
  bool read_event_ = true;
};

}  // namespace weir::proxy::io
