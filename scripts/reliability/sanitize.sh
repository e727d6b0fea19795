#!/usr/bin/env bash
# Runs the engine's tests under the sanitizers: sanitize.sh [address|thread ...], both by default.
#
# The C code is also checked for undefined behaviour, together with addresses: on Linux the Swift compiler
# offers no sanitizer for that, and Swift traps by itself. Each builds everything anew in a folder of its own,
# .build/SANITIZER, which takes much longer than the tests' own build. Optimized all the same: unoptimized
# kernels under a sanitizer take hours.
set -euo pipefail
cd "$(dirname "$0")/../.."

export SWIFT_BACKTRACE=enable=no
# Leaks: Foundation keeps what it makes once.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
# Swift's library writes the count 0 into the one empty array that all threads share.
mkdir -p .build
echo "race:_swiftEmptyArrayStorage" >.build/thread-suppressions
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/.build/thread-suppressions"
undefined=(-Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined)
tests='TensorsTests|LayersTests|OptimizersTests|TrainingTests|DatasetsTests|TextTests|ExcitationTests'

[ $# -gt 0 ] || set -- address thread
for sanitizer; do
  flags=(-c release --scratch-path ".build/$sanitizer" --sanitize "$sanitizer")
  [ "$sanitizer" != address ] || flags+=("${undefined[@]}")
  swift build --build-tests "${flags[@]}"
  swift test --skip-build "${flags[@]}" --filter "$tests"
  echo "$sanitizer: clean"
done
