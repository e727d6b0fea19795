#!/usr/bin/env bash
# Builds and runs the example package, which uses the library Excitation as another project would.
# Fails where it does not build, or where what it computes is not as it claims.
set -euo pipefail
cd "$(dirname "$0")/.."
exec swift run --package-path Tests/LibraryExample --scratch-path .build/library-example
