#!/usr/bin/env bash
# Installs what excite needs beside Swift: OpenBLAS (loaded at run time) and zlib's headers.
# Does nothing where both are there already.
set -euo pipefail

least_swift=6.1

fail() { echo "setup: $*" >&2; exit 1; }

command -v swift >/dev/null || fail "Swift is missing; get $least_swift or newer from https://www.swift.org/install"
found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
[ "$(printf '%s\n%s\n' "$least_swift" "$found" | sort -V | head -n 1)" = "$least_swift" ] ||
  fail "Swift $found is here; excite needs $least_swift or newer, from https://www.swift.org/install"

case $(uname -s) in
Darwin)
  command -v brew >/dev/null || fail "Homebrew is missing: https://brew.sh"
  brew list openblas >/dev/null 2>&1 || brew install openblas
  exit 0
  ;;
Linux) ;;
*) fail "this script knows Linux and macOS; elsewhere install OpenBLAS and zlib yourself" ;;
esac

missing=()
# Read to its end: a reader that stops early would fail the pipe, as if nothing were there.
ldconfig -p 2>/dev/null | grep 'libopenblas\.so\.0' >/dev/null || missing+=(libopenblas0)
[ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || fail "install these with your package manager: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
