#!/usr/bin/env bash
# g++ 12 miscompiles a coroutine that awaits inside a condition (proxy/io/task.h): none may come back.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
found=$(grep -rnE '\b(if|while|switch) \([^)]*co_await|co_await[^;]*\?|\?[^;:]*co_await' --include='*.cpp' --include='*.h' proxy keeper cli launch |
  grep -vE '(if|while|for) \(([^()]|\([^()]*(\([^()]*\))?[^()]*\))*\) *(\{ *)?(co_return )?([a-z_]+ = )?co_await' | grep -v '//.*co_await' || true)
[ -z "$found" ] && exit 0
printf 'co_await inside a condition; await into a local first:\n%s\n' "$found"
exit 1
