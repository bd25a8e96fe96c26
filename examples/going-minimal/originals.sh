#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The four Dockerfiles of the talk, unchanged, from a checkout of
# https://github.com/patrickpichler/vulnerable-awk-playground: builds each, runs it, and asks
# it what the README there asks. Nothing comes from the registries that they name: a docker-registry on loopback, which
# registries.conf makes their mirror, serves stand-ins, made of Debian's packages by mmdebstrap. The Go of these has the
# modules from packages too (GO111MODULE=off), so that the build needs no network.
#
#   examples/going-minimal/originals.sh CHECKOUT [SAFEBUILD]     default: build/runner/safebuild of this tree
#
# Needs mmdebstrap, docker-registry, slirp4netns, busybox-static and curl; a package mirror; some 3 GB of $TMPDIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(realpath "$1")
safebuild=$(realpath "${2-$here/../../build/runner/safebuild}")
work=$(mktemp -d "${TMPDIR:-/tmp}/going-minimal.XXXXXX")
registry='' server=''
clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$registry" ] || kill "$registry" 2>/dev/null || true
    remove "$work"
}
# What layers hold belongs to subordinate ids.
remove() {
    if [ "$(id -u)" -eq 0 ]; then rm -rf "$1"; else unshare --user --map-auto --map-root-user rm -rf "$1"; fi
}
trap clean_up EXIT
export SAFEBUILD_ROOT=$work/store CONTAINERS_REGISTRIES_CONF=$work/registries.conf

# shellcheck source=examples/going-minimal/ask.sh
. "$here/ask.sh"
# The server listens on 8080. Without a network of its own, it does so on this host.
port=$(free_port 10000)
network=(-p "$port:8080")
{ : >/dev/net/tun; } 2>/dev/null || {
    port=8080
    network=(--network host)
}
mirror=127.0.0.1:$(free_port 20000)

echo "== A registry on $mirror"
cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: $mirror}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
for name in docker.io cgr.dev; do
    printf '[[registry]]\nlocation = "%s"\n[[registry.mirror]]\nlocation = "%s"\ninsecure = true\n' "$name" "$mirror"
done >"$CONTAINERS_REGISTRIES_CONF"

echo "== Stand-ins for the bases, of Debian's packages"
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
distribution() { mmdebstrap --quiet --variant=minbase "$@" "$suite" "$work/rootfs.tar"; }
serve() { # serve NAME CHANGE…: what is in rootfs.tar
    local name=$1 changes=()
    shift
    for change in "$@"; do changes+=(-c "$change"); done
    "$safebuild" import "${changes[@]}" "$work/rootfs.tar" "$mirror/$name" >/dev/null
    "$safebuild" push --progress=quiet "$mirror/$name" >/dev/null
}
# shellcheck disable=SC2016 # the $1 is mmdebstrap's
distribution --include=golang-go,golang-github-labstack-echo-dev \
    --customize-hook='ln -s . "$1/usr/share/gocode/src/github.com/labstack/echo/v4"'
for tag in 1.21.3-bookworm 1.21.3-alpine3.18; do
    serve "library/golang:$tag" "ENV GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0"
done
distribution
serve library/ubuntu:23.10
mkdir -p "$work/alpine/bin"
cp /bin/busybox "$work/alpine/bin/"
for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$work/alpine/bin/$applet"
done
tar -C "$work/alpine" --owner=0 --group=0 --numeric-owner -cf "$work/rootfs.tar" .
serve library/alpine:3.18
serve chainguard/busybox:latest
remove "$work/store"

for file in all-in-one multi-stage-ubuntu multi-stage-alpine multi-stage-chainguard; do
    echo "== Dockerfile.$file"
    image=vulnerable-awk-playground:$file
    "$safebuild" --progress=quiet -f "$checkout/dockerfiles/Dockerfile.$file" -t "$image" "$checkout" >/dev/null
    "$safebuild" run -q "${network[@]}" "$image" >/dev/null &
    server=$!
    ask "$port" "$file"
    kill "$server"
    wait "$server" || true
    server=
done

echo "== What is left of it"
"$safebuild" images vulnerable-awk-playground
