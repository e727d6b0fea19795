#!/usr/bin/env bash
# Proves that nothing in REPRODUCTION.md is typed: the command that the page names, run on the kept
# runs in reproduction/, must write the same page and the same pictures.
#
#   make build && scripts/check_reproduction.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$root/.build/release:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command=$(sed -n 's/.*Written by `\([^`]*\)` from the runs.*/\1/p' "$root/REPRODUCTION.md")
[ -n "$command" ] || { echo "REPRODUCTION.md names no command" >&2; exit 1; }
cp -r "$root/reproduction" "$root/configs" "$work"
(cd "$work" && $command >/dev/null 2>&1)

diff "$root/REPRODUCTION.md" "$work/REPRODUCTION.md"
pictures=("$work"/figures/*.svg)
for picture in "${pictures[@]}"; do
  cmp "$picture" "$root/figures/$(basename "$picture")"
done
echo "REPRODUCTION.md and ${#pictures[@]} pictures come out of the kept runs again"
