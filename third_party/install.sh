#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing, after naming them. Touches neither network nor
# system when nothing is missing.
#
#   install.sh build     what run.sh and every preset's configure step need
#   install.sh test      also what test.sh needs
#
# The reason for each library stands at its line in CMakeLists.txt.
set -euo pipefail

build=(
  g++ make cmake ninja-build ccache pkg-config git ca-certificates tzdata
  libssl-dev libsasl2-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev
  libfmt-dev nlohmann-json3-dev libsimdjson-dev libcli11-dev libhowardhinnant-date-dev
  libcpp-httplib-dev libbrotli-dev libxxhash-dev libgoogle-perftools-dev
  catch2 libbenchmark-dev
)
test=(
  clang-14 libclang-rt-14-dev llvm-14  # sanitizers, fuzzing, symbols in their reports
  python3                              # integration tests
  faketime                             # clocks that step
)

java_is_new_enough() {
  command -v java >/dev/null &&
    [[ $(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') -ge 17 ]]
}

case ${1:-} in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
# Tools that count wherever they come from. Node embeds the pages; npm only downloads three tarballs.
command -v node >/dev/null || wanted+=(nodejs)
command -v npm >/dev/null || wanted+=(npm)
if [[ $1 == test ]]; then
  java_is_new_enough || wanted+=(openjdk-17-jre-headless)  # a real Kafka broker
  command -v mvn >/dev/null || wanted+=(maven)             # its jars
  command -v chromium >/dev/null || wanted+=(chromium)     # browser tests
  command -v systemd-analyze >/dev/null || wanted+=(systemd)  # judges config/retailpulse.service
  command -v readelf >/dev/null || wanted+=(binutils)      # reads how the program was hardened
fi

if ! command -v dpkg-query >/dev/null; then
  echo "This is not Debian: make sure that you have the like of: ${wanted[*]}" >&2
  exit 0
fi
missing=()
for package in "${wanted[@]}"; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
    missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "Installing from Debian: ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "Please install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}"
