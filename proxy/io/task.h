// Coroutines that read top to bottom. Task<T> is lazy and owned by whoever awaits it; spawn() lets one run on its own.
// Single-threaded. No co_await stands inside a condition (if, while, ?:): g++ 12 miscompiles that; await into a local first.
// Arguments of an awaited call are locals, references or trivial values, never temporaries of class type: it destroys those twice.
// A task's arguments are copied into its frame or must outlive it; each coroutine's comment says which.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace weir::proxy::io {

template <class T = void>
class Task;

namespace detail {

// Memory for coroutine frames: a request makes a dozen, of the same few sizes each time. Blocks are kept by size and used
// again; the sanitizers' builds take each from the heap, so that a frame used after its end is seen. Single-threaded.
class FramePool {
 public:
  static void* take(std::size_t size) {
    const std::size_t slot = slot_of(size);
    if (slot < kSlots && blocks()[slot] != nullptr) {
      Block* block = blocks()[slot];
      blocks()[slot] = block->next;
      return block;
    }
    return ::operator new(slot < kSlots ? (slot + 1) * kStep : size);
  }
  static void give(void* memory, std::size_t size) {
    const std::size_t slot = slot_of(size);
    if (slot >= kSlots || !kKeep) {
      ::operator delete(memory);
      return;
    }
    auto* block = static_cast<Block*>(memory);
    block->next = blocks()[slot];
    blocks()[slot] = block;
  }

 private:
  struct Block {
    Block* next;
  };
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kSlots = 64;  // up to 4 KiB
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kKeep = false;
#else
  static constexpr bool kKeep = true;
#endif
  static std::size_t slot_of(std::size_t size) { return (size - 1) / kStep; }
  static Block** blocks() {
    thread_local Block* lists[kSlots] = {};
    return lists;
  }
};

struct PromiseBase {
  static void* operator new(std::size_t size) { return FramePool::take(size); }
  static void operator delete(void* memory, std::size_t size) { FramePool::give(memory, size); }
  std::coroutine_handle<> continuation = std::noop_coroutine();
  // True while whoever awaits this task is starting it. A task that ends in that time returns to its awaiter instead of resuming it:
  // a loop over awaits that complete at once would otherwise go one call deeper with each (a symmetric transfer is a tail
  // call only where the optimiser makes it one).
  bool starting = false;
  std::exception_ptr failure;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      if (self.promise().starting) return std::noop_coroutine();
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> waiting) {
        auto& promise = handle.promise();
        promise.continuation = waiting;
        promise.starting = true;
        handle.resume();
        promise.starting = false;
        return !handle.done();  // false: it is over already, go on at once
      }
      T await_resume() { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// A root: runs at once, frees itself at the end. What it runs must have caught its exceptions.
struct Root {
  struct promise_type {
    Root get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

// A function, not a lambda: g++ 12 loses the parameter of a coroutine lambda at its first suspension.
inline Root run_to_end(Task<void> task) { co_await task; }

}  // namespace detail

// Runs a task on its own until it ends. The task owns all it needs.
inline void spawn(Task<void> task) { detail::run_to_end(std::move(task)); }

}  // namespace weir::proxy::io
