#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Makes the bases of this example from packages that are installed on this Debian, under the names
# by which a registry would serve them; nothing is fetched. Writes to the store of safebuild.
#
#   bases.sh SAFEBUILD FOLDER          FOLDER is for root file systems on their way, and is removed
set -euo pipefail
safebuild=$1 work=$2
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# These packages and all that they depend on.
closure() {
    apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces --no-enhances "$@" | grep -E '^[a-z0-9]' | sed 's/:.*//' | sort -u |
        while read -r package; do
            dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}\n' "$package" 2>/dev/null | sed -n 's/^ii *//p'
        done
}

# Their files, as a root file system; what only root may read is left out.
from_packages() { # from_packages TAR PACKAGE…
    local tar=$1
    shift
    closure "$@" | xargs dpkg -L | sort -u | grep -Ev '^/\.$|^/usr/share/(doc|man|locale|info|lintian)/' |
        while read -r path; do
            if [ -L "$path" ] || { [ -f "$path" ] && [ -r "$path" ]; }; then
                echo ".$path"
            fi
        done >"$work/files"
    # Where /bin is a link to /usr/bin, packages still name files by the old place.
    for link in /bin /sbin /lib /lib64; do
        [ ! -L "$link" ] || echo ".$link"
    done >>"$work/files"
    tar -C / --no-recursion --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$tar" -T <(sort -u "$work/files")
}

# More files, from a folder.
add_files() { tar -C "$1" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -rf "$2" .; }

users() { # users FOLDER: /etc/passwd, /etc/group and /tmp
    mkdir -p "$1/etc" "$1/tmp"
    chmod 1777 "$1/tmp"
    printf 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$1/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$1/etc/group"
}

# awk is a link that a package's installation makes, and no file of it.
distribution() { # distribution TAR PACKAGE…
    local tar=$1
    from_packages "$@"
    users "$work/etc-of"
    mkdir -p "$work/etc-of/usr/bin"
    ln -sf mawk "$work/etc-of/usr/bin/awk"
    add_files "$work/etc-of" "$tar"
}

busybox_folder() {
    mkdir -p "$1/bin"
    cp /bin/busybox "$1/bin/"
    for applet in $(/bin/busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
}

distribution "$work/gcc.tar" gcc libc6-dev bash dash coreutils mawk sed grep
"$safebuild" import "$work/gcc.tar" gcc:12-bookworm
distribution "$work/debian.tar" bash dash coreutils mawk sed grep findutils
"$safebuild" import "$work/debian.tar" debian:12-slim

busybox_folder "$work/alpine"
users "$work/alpine"
tar -C "$work/alpine" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$work/alpine.tar" .
"$safebuild" import "$work/alpine.tar" alpine:3.20

# The applet that is copied out of this one must be no link.
mkdir -p "$work/busybox/bin"
cp /bin/busybox "$work/busybox/bin/awk"
tar -C "$work/busybox" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$work/busybox.tar" .
"$safebuild" import "$work/busybox.tar" busybox:1.36-musl

users "$work/distroless"
mkdir -p "$work/distroless/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$work/distroless/etc/ssl/certs/"
tar -C "$work/distroless" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$work/distroless.tar" .
"$safebuild" import "$work/distroless.tar" gcr.io/distroless/static-debian12:nonroot
