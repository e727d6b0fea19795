#!/usr/bin/env bash
# Fuzzes the readers of outside bytes: fuzz.sh [SECONDS [READER...]], 60 seconds for each of all readers.
#
# With LLVM's libFuzzer, which follows the branches that inputs reach, and the address sanitizer where the
# toolchain has both (Linux); else with excite-fuzz's own driver. A failure leaves its input in
# .build/fuzz-work/READER; copy it to Tests/CommandTests/HostileInputs/READER when it is mended.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
readers=("${@:2}")
[ ${#readers[@]} -gt 0 ] || readers=(config cifar10 cifar100 svhn safetensors weights checkpoint position tar targz
  zip encoder merges text tokens experiment result metrics experts classes timing claim)

# A trap is to end the program, not to be explained at length.
export SWIFT_BACKTRACE=enable=no
work=$PWD/.build/fuzz-work
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
library=$(find -L "$resources/clang/lib" -name 'libclang_rt.fuzzer_no_main-'"$(uname -m)"'.a' 2>/dev/null | head -n 1)

swift build -c release --product excite-fuzz
own=.build/release/excite-fuzz
guided=
if [ -n "$library" ]; then
  coverage=edge,inline-8bit-counters,pc-table,trace-cmp,indirect-calls
  swift build -c release --product excite-fuzz --scratch-path .build/fuzz --sanitize address \
    -Xswiftc -sanitize-coverage="$coverage" -Xswiftc -DLIBFUZZER \
    -Xcc -fsanitize-coverage="$coverage" \
    -Xlinker "$library" -Xlinker -lstdc++
  guided=.build/fuzz/release/excite-fuzz
fi

failed=()
for reader in "${readers[@]}"; do
  mkdir -p "$work/$reader/corpus"
  if [ -n "$guided" ]; then
    "$own" "$reader" --write-seeds "$work/$reader/corpus" --culprit "$work/$reader/culprit"
    EXCITE_FUZZ_READER=$reader ASAN_OPTIONS=detect_leaks=0 "$guided" "$work/$reader/corpus" \
      -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -artifact_prefix="$work/$reader/" \
      -verbosity=0 -print_final_stats=1 >"$work/$reader/log" 2>&1 || failed+=("$reader")
    echo "$reader: $(sed -n 's/stat::number_of_executed_units: *//p' "$work/$reader/log") inputs"
  else
    "$own" "$reader" --seconds "$seconds" --seed "$(date +%s)" --culprit "$work/$reader/culprit" ||
      failed+=("$reader")
  fi
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}; see $work" >&2; exit 1; }
