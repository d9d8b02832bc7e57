#!/usr/bin/env bash
# Makes the pinned sources of pins.txt present in the cache and prints their folders.
#
#   fetch.sh            every pin; prints "NAME FOLDER" lines
#   fetch.sh NAME...    only these
#
# Cache: ${RETAILPULSE_CACHE:-~/.cache/retailpulse}. A folder there is complete or absent (unpacked
# beside, then renamed), so a killed run leaves nothing half done, and nothing is downloaded twice.
# Offline: copy the tarballs into $CACHE/tarballs under the name SHA512.tgz (first 16 digits).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RETAILPULSE_CACHE:-${HOME:?}/.cache/retailpulse}

say() { printf 'third_party: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
trim() { sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' <<<"$1"; }

# download PACKAGE SHA512 -> $cache/tarballs/…tgz, verified
download() {
  local package=$1 sha512=$2 tarball="$cache/tarballs/${2:0:16}.tgz" work
  if [[ -f $tarball ]] && sha512sum --status -c <<<"$sha512  $tarball"; then return; fi
  command -v npm >/dev/null || die "npm is needed to download $package (Debian package: npm)"
  say "downloading $package"
  work=$(mktemp -d "$cache/tarballs/.download.XXXXXX")
  (cd "$work" && npm pack --silent --ignore-scripts "$package" >/dev/null) ||
    { rm -rf "$work"; die "could not download $package"; }
  mv "$work"/*.tgz "$work/got"
  if ! sha512sum --status -c <<<"$sha512  $work/got"; then
    local got; got=$(sha512sum <"$work/got" | cut -d' ' -f1); rm -rf "$work"
    die "$package has SHA-512 $got, pinned is $sha512: refused"
  fi
  mv -f "$work/got" "$tarball"
  rm -rf "$work"
}

# unpack TARBALL STRIP TARGET PATH...
unpack() {
  local tarball=$1 strip=$2 target=$3 work; shift 3
  work=$(mktemp -d "$cache/.unpack.XXXXXX")
  tar -xzf "$tarball" -C "$work" --strip-components="$strip" --no-same-owner "${@/#/package/}" ||
    { rm -rf "$work"; die "$tarball lacks one of: $*"; }
  chmod -R u+rwX,go+rX "$work"
  mv -T "$work" "$target" 2>/dev/null || rm -rf "$work"  # lost a race: the other copy is as good
  [[ -d $target ]] || die "cannot write $target"
}

mkdir -p "$cache/tarballs"
wanted=" $* "
while IFS='|' read -r name version package sha512 _licence strip paths; do
  name=$(trim "$name")
  [[ -z $name || $name == \#* ]] && continue
  [[ $# -gt 0 && $wanted != *" $name "* ]] && continue
  version=$(trim "$version") package=$(trim "$package") sha512=$(trim "$sha512") strip=$(trim "$strip")
  # The folder's name holds the pinned content, so a changed pin never meets an old folder.
  target="$cache/$name-$version-$(sha512sum <<<"$sha512 $strip $paths" | cut -c1-8)"
  if [[ ! -d $target ]]; then
    download "$package" "$sha512"
    read -ra list <<<"$paths"
    unpack "$cache/tarballs/${sha512:0:16}.tgz" "$strip" "$target" "${list[@]}"
  fi
  printf '%s %s\n' "$name" "$target"
done <"$here/pins.txt"
