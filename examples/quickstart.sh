#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# From a fresh clone to a verified image, on Debian 12 or newer, as root or as a user with sudo:
#
#   1. installs the packages that safebuild needs      (apt-get, through sudo if need be)
#   2. builds safebuild                                 (in build/ of this tree)
#   3. makes a base image from the distribution's busybox-static; no registry is asked
#   4. builds examples/secret/Buildfile with a secret   (as you, without root or a daemon)
#   5. shows the inspector's verdict on the result
#
# Can be run again at any time. The image goes to a store in build/quickstart/.
#
#   examples/quickstart.sh --install-only [PACKAGE…]    only step 1, and these packages too
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    gcc libc6-dev meson ninja-build pkg-config scdoc
    libssl-dev libseccomp-dev libcap-dev libjansson-dev libarchive-dev libcurl4-openssl-dev libzstd-dev libdeflate-dev
    libhyperscan-dev libncurses-dev zlib1g-dev
    uidmap slirp4netns busybox-static ca-certificates
)
say() { printf '\n== %s\n' "$*"; }
run() {
    printf '+ %s\n' "$*"
    "$@"
}
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        run "$@"
    else
        run sudo "$@"
    fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]; }
install_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "all ${#} packages are installed"
        return
    fi
    as_root apt-get update -q || echo "apt-get update had errors; going on with the lists that are there"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

if [ "${1-}" = --install-only ]; then
    shift
    install_packages "${packages[@]}" "$@"
    exit
fi

say "1. Packages that safebuild needs, to be built and to run"
install_packages "${packages[@]}"

say "2. Build safebuild in build/"
[ -d build/meson-info ] || run meson setup build --buildtype=release
if [ -t 1 ]; then # a minute's silence looks like a hang
    run ninja -C build
else
    run ninja -C build --quiet
fi
PATH=$PWD/build/runner:$PATH
work=$PWD/build/quickstart
mkdir -p "$work"
export SAFEBUILD_ROOT=$work/store

say "3. A base image from busybox-static: $work/rootfs.tar, imported as busybox:1"
rm -rf "$work/rootfs"
mkdir -p "$work/rootfs"/{bin,etc,proc,sys,dev,tmp,root,home/app}
chmod 1777 "$work/rootfs/tmp"
cp /bin/busybox "$work/rootfs/bin/"
for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$work/rootfs/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' >"$work/rootfs/etc/passwd"
printf 'root:x:0:\napp:x:1000:\n' >"$work/rootfs/etc/group"
tar -C "$work/rootfs" --sort=name --owner=0 --group=0 --numeric-owner -cf "$work/rootfs.tar" .
run safebuild import "$work/rootfs.tar" busybox:1

say "4. Build examples/secret/Buildfile with a secret"
[ -s "$work/token" ] || (umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$work/token")
run safebuild -f examples/secret/Buildfile --secret "id=mysecret,src=$work/token" \
    -t quickstart:1 -o "type=oci,dest=$work/image.tar" -o type=store examples/secret

say "5. The inspector's verdict: is the secret anywhere in the image?"
run safebuild inspect "$work/image.tar" --secret "id=mysecret,src=$work/token"

say "Done. The image is $work/image.tar; copy it anywhere with skopeo, or build it with type=docker for docker load."
