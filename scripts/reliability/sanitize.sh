#!/usr/bin/env bash
# Runs the engine's tests under the sanitizers: sanitize.sh [address|undefined|thread ...], all by default.
#
# Each builds everything anew in a folder of its own, .build/SANITIZER, which takes much longer than the
# tests' own build. Optimized all the same: unoptimized kernels under a sanitizer take hours.
set -euo pipefail
cd "$(dirname "$0")/../.."

export SWIFT_BACKTRACE=enable=no
# Leaks: Foundation keeps what it makes once. Undefined behaviour ends the test.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

[ $# -gt 0 ] || set -- address undefined thread
for sanitizer; do
  flags=(-c release --scratch-path ".build/$sanitizer" --sanitize "$sanitizer")
  swift build --build-tests "${flags[@]}"
  swift test --skip-build "${flags[@]}" --filter 'TensorsTests|LayersTests|OptimizersTests|TrainingTests|DatasetsTests|TextTests'
  echo "$sanitizer: clean"
done
