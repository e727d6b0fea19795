#!/usr/bin/env bash
# Copies the finished runs of a store into reproduction/, the store behind REPRODUCTION.md: what its
# tables, figures and claims are made from, and no more.
#
#   scripts/keep_runs.sh STORE
set -euo pipefail
store=${1:?usage: scripts/keep_runs.sh STORE}
target=$(cd "$(dirname "$0")/.." && pwd)/reproduction

for run in "$store"/runs/*/; do
  [ -f "$run/result.json" ] || continue
  into=$target/runs/$(basename "$run")
  mkdir -p "$into"
  cp "$run"/{config.yaml,result.json,metrics.csv,timing.csv} "$into"
  # Only Figures 4 and 5, of deep models, are about expert layers; elsewhere this is most of the bytes.
  if grep -qE '"hidden_layers" : ([6-9]|[0-9]{2})' "$run/result.json"; then
    cp "$run/experts.csv" "$into"
  fi
done
for experiment in "$store"/experiments/*/; do
  into=$target/experiments/$(basename "$experiment")
  mkdir -p "$into"
  cp "$experiment/experiment.json" "$into"
done
du -sh "$target"
