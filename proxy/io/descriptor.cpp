#include "proxy/io/descriptor.h"

#include <stdexcept>

namespace weir::proxy::io {

Descriptor::Descriptor(Loop& loop, UniqueFd fd) : loop_(loop), fd_(std::move(fd)), poll_(new uv_poll_t) {
  if (uv_poll_init(loop.uv(), poll_, fd_.get()) != 0) {
    delete poll_;
    throw std::runtime_error("cannot watch a descriptor");
  }
  poll_->data = this;
}

Descriptor::~Descriptor() { close(); }

void Descriptor::close() {
  if (closed_) return;
  closed_ = true;
  poll_->data = nullptr;
  uv_poll_stop(poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(poll_), [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  poll_ = nullptr;
  fd_.reset();
  // Each wake may end the owner of this object: take both out first.
  Waiter* reader = reader_;
  Waiter* writer = writer_;
  Loop& loop = loop_;
  if (writer != nullptr) loop.forget(*writer);
  if (reader != nullptr) loop.wake(*reader, Wake::closed);
  if (writer != nullptr) {
    writer->result = Wake::closed;
    writer->handle.resume();
  }
}

void Descriptor::on_hang_up(std::function<void()> callback) {
  on_hang_up_ = std::move(callback);
  if (on_hang_up_ && !closed_) arm(armed_ | UV_DISCONNECT);
}

void Descriptor::arm(int events) {
  if (events == armed_) return;
  armed_ = events;
  if (events == 0) {
    uv_poll_stop(poll_);
  } else {
    uv_poll_start(poll_, events, on_event);
  }
}

void Descriptor::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  waiter.handle = handle;
  Waiter*& slot = (events & UV_READABLE) != 0 ? descriptor.reader_ : descriptor.writer_;
  slot = &waiter;
  waiter.slot = &slot;
  descriptor.loop_.add(waiter);
  descriptor.arm(descriptor.armed_ | events);
}

void Descriptor::on_event(uv_poll_t* poll, int status, int events) {
  if (poll->data == nullptr) return;
  auto& self = *static_cast<Descriptor*>(poll->data);
  if (status < 0) {
    events = UV_READABLE | UV_WRITABLE;  // the next system call says what is wrong
    self.armed_ = 0;                     // libuv has stopped watching on EPOLLERR; a later wait must begin anew
  }
  if ((events & UV_DISCONNECT) != 0) {
    // Level-triggered: it would come again in every turn of the loop.
    self.arm(self.armed_ & ~UV_DISCONNECT);
    self.hung_up_ = true;
    if (self.on_hang_up_) {
      const auto callback = self.on_hang_up_;
      callback();
      if (poll->data == nullptr) return;
    }
  }
  if ((events & UV_WRITABLE) != 0) {
    self.arm(self.armed_ & ~UV_WRITABLE);
    if (self.writer_ != nullptr) {
      self.loop_.wake(*self.writer_, Wake::ready);
      if (poll->data == nullptr) return;
    }
  }
  if ((events & UV_READABLE) != 0) {
    self.read_event_ = true;
    if (self.reader_ != nullptr) {
      self.loop_.wake(*self.reader_, Wake::ready);
    } else {
      self.arm(self.armed_ & ~UV_READABLE);
    }
  }
}

}  // namespace weir::proxy::io
