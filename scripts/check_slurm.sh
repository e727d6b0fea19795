#!/usr/bin/env bash
# Proves excite's --slurm against a real Slurm: a sweep whose tasks hit their time limit and queue
# again, one of them killed half-way and submitted anew, must leave the same bytes as the same sweep
# without Slurm.
#
#   make build && scripts/check_slurm.sh [FOLDER]
#
# As root, it starts a Slurm of this one host where there is none (scripts/slurm_one_host.sh) and
# stops it in the end. Takes some minutes. EPOCHS must be so many that a run takes about a minute:
# Slurm's shortest limit is one, and its signal may come after a quarter of that.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
excite=$here/.build/release/excite
folder=${1:-$(mktemp -d)}
epochs=${EPOCHS:-250}

fail() { echo "check_slurm: FAILED: $*" >&2; exit 1; }
say() { echo "check_slurm: $*"; }

[ -x "$excite" ] || fail "$excite is missing: make build"
if ! sinfo >/dev/null 2>&1; then
  setting=$("$here/scripts/slurm_one_host.sh" start)
  eval "$setting"
  trap '"$here/scripts/slurm_one_host.sh" stop' EXIT
fi
say "$(sbatch --version); $(sinfo --noheader --format '%D node(s), %c processors')"

mkdir -p "$folder"
cd "$folder"
[ -z "$(ls)" ] || fail "$folder is not empty"
cp "$here/configs/quickstart.yaml" .
sweep=(sweep quickstart.yaml --lr 0.1,0.05,0.02 --variants random-boost --seeds 0
  --set "epochs=$epochs" --checkpoint-seconds 5)
slurm=("${sweep[@]}" --out slurm --save slurm-weights --slurm --time 1 --max-running 2)

# Submits the sweep; sets job.
submit() {
  local said
  said=$("$excite" "${slurm[@]}")
  echo "$said"
  job=$(sed -n 's/.*Slurm job \([0-9]*\) .*/\1/p' <<<"$said")
  [ -n "$job" ] || fail "no job was submitted"
}

# Waits for the job's end.
finish() {
  while [ -n "$(squeue --noheader --jobs "$job" 2>/dev/null)" ]; do sleep 2; done
}

# How often the job's tasks were sent back to the queue, all together.
restarts() {
  scontrol show job "$job" | sed -n 's/.* Restarts=\([0-9]*\) .*/\1/p' | awk "{ n += \$1 } END { print n + 0 }"
}

submit
say "waiting for the first task to be at its tenth epoch, to kill it"
victim=
until [ -n "$victim" ]; do
  sleep 1
  [ -n "$(squeue --noheader --jobs "$job")" ] || fail "the job is over: $("$excite" status slurm)"
  victim=$("$excite" status slurm | awk -v job="Slurm job ${job}_1" \
    '$2 == "running" && $3 >= 10 && index($0, job) { print $5 }')
done
"$excite" status slurm
kill -KILL "$victim"
say "killed process $victim"
finish
"$excite" status slurm
say "tasks sent back to the queue: $(restarts)"
[ "$(restarts)" -gt 0 ] || fail "no task came near its limit; set EPOCHS higher than $epochs"
[ "$("$excite" status slurm | grep -c ' partial ')" -eq 1 ] || fail "one run should be partial"
[ "$("$excite" status slurm | grep -c ' finished ')" -eq 2 ] || fail "two runs should be finished"

say "the same command again"
submit
finish
"$excite" status slurm
say "tasks sent back to the queue: $(restarts)"
"$excite" "${slurm[@]}"

say "the same sweep without Slurm"
"$excite" "${sweep[@]}" --out plain --save plain-weights --quiet >/dev/null
count=$(find plain/runs plain-weights -type f ! -name timing.csv | wc -l)
diff -r --exclude timing.csv plain/runs slurm/runs || fail "the runs differ"
diff -r plain-weights slurm-weights || fail "the weights differ"
say "PASSED: $count files (configs, metrics, results, weights) of 3 runs have the same bytes"
