#!/usr/bin/env bash
# Builds and runs all tests. The last lines are ctest's own summary.
#
#   ./test.sh                       everything, in this order: asan fuzz tsan release
#   ./test.sh release               only these steps (any of the four)
#   FUZZ_SECONDS=600 ./test.sh fuzz
#
#   asan     unit tests with the address and undefined behaviour sanitizers (clang)
#   fuzz     every fuzz target for FUZZ_SECONDS (default 60), all at once
#   tsan     unit tests of the modules that have threads, with the thread sanitizer (clang)
#   release  all tests as users run the program: unit, integration (a real Kafka broker), browser
#
# The first failing step ends the run. A test that lacks Java, the broker's jars or a browser says so
# and is skipped; with CI=true it fails instead.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
steps=("$@")
[[ ${#steps[@]} -gt 0 ]] || steps=(asan fuzz tsan release)
for step in "${steps[@]}"; do
  [[ $step =~ ^(asan|fuzz|tsan|release)$ ]] || { sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 64; }
done
if [[ ${CI:-} == true ]]; then export RETAILPULSE_REQUIRE_ALL=1; fi

say() { printf '\n== %s (%d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

# clang 14's sanitizers cannot place their shadow memory when the kernel randomises more than 28 bits.
fixed_addresses=()
if [[ $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) -gt 28 ]] && setarch -R true 2>/dev/null; then
  fixed_addresses=(setarch -R)
fi

configure() {  # PRESET
  "${fixed_addresses[@]}" cmake --preset "$1" >"$(log "$1")" || { cat "$(log "$1")"; exit 1; }
}

compiler() { sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "build/$1/CMakeCache.txt" 2>/dev/null || true; }  # PRESET

build() {  # PRESET
  local before
  before=$(compiler "$1")
  say "$1: build"
  configure "$1"
  # CMake forgets a preset's settings, sanitizers and tests among them, when the compiler's path has changed (ccache).
  [[ -z $before || $before == "$(compiler "$1")" ]] || configure "$1"
  "${fixed_addresses[@]}" cmake --build --preset "$1"
}

log() { mkdir -p build; printf 'build/configure-%s.log' "$1"; }

unit_tests() {  # PRESET
  build "$1"
  say "$1: unit tests"
  "${fixed_addresses[@]}" ctest --preset "$1"
}

fuzz_one() {  # PROGRAM: new inputs go to the build folder, failing ones too
  local name seeds
  name=$(basename "$1" _fuzz)
  seeds=tests/fuzz/corpus/$name
  mkdir -p "build/asan/fuzz/found/$name" "build/asan/fuzz/failed"
  [[ -d $seeds ]] || seeds=
  # shellcheck disable=SC2086  # no seeds, no argument
  if "$1" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=20 -rss_limit_mb=3072 -print_final_stats=1 \
      -artifact_prefix="build/asan/fuzz/failed/$name-" "build/asan/fuzz/found/$name" $seeds \
      >"build/asan/fuzz/$name.log" 2>&1; then
    printf 'fuzz %-20s ok, %s inputs\n' "$name" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "build/asan/fuzz/$name.log")"
  else
    tail -n 60 "build/asan/fuzz/$name.log"
    printf 'fuzz %-20s FAILED: input kept in build/asan/fuzz/failed\n' "$name"
    return 1
  fi
}

fuzz() {
  build asan
  say "fuzz: ${FUZZ_SECONDS:-60} s for all targets at once"
  mkdir -p build/asan/fuzz
  export -f fuzz_one
  find build/asan/fuzz -maxdepth 1 -name '*_fuzz' -type f -print0 | sort -z |
    "${fixed_addresses[@]}" xargs -0 -r -P 0 -n 1 bash -c 'fuzz_one "$1"' _
}

release() {
  build release
  say "release: all tests"
  ctest --preset release
}

third_party/install.sh test
for step in "${steps[@]}"; do
  case $step in
    asan | tsan) unit_tests "$step" ;;
    *) "$step" ;;
  esac
done
