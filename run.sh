#!/usr/bin/env bash
# Builds RetailPulse and runs it.
#
#   ./run.sh               the demo: a simulated shop, no Kafka needed
#   ./run.sh ARGUMENTS...  build/release/retailpulse ARGUMENTS...  (try: ./run.sh --help)
#
# The first run installs missing Debian packages (named before) and compiles; later runs start at once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(
  cd "$root"
  third_party/install.sh build
  [[ -f build/release/build.ninja ]] || cmake --preset release
  cmake --build --preset release --target retailpulse
) >&2  # standard output belongs to the program

[[ $# -gt 0 ]] || set -- demo
exec "$root/build/release/retailpulse" "$@"
