#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# One small server as four images, each with less in it than the one before: builds them, runs each
# and asks it something over loopback, and prints how large they are. Needs gcc, libc6-dev, mawk,
# busybox-static and curl on this Debian; the bases are made of these packages, so that no registry is asked.
#
#   examples/going-minimal/run.sh [SAFEBUILD]      default: build/runner/safebuild of this tree
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
safebuild=$(realpath "${1-$here/../../build/runner/safebuild}")
work=$(mktemp -d "${TMPDIR:-/tmp}/going-minimal.XXXXXX")
server=
clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
export SAFEBUILD_ROOT=${SAFEBUILD_ROOT:-$here/../../build/going-minimal}
names=(all-in-one debian alpine distroless)

# shellcheck source=examples/going-minimal/ask.sh
. "$here/ask.sh"
port=$(free_port 10000)

echo "== Bases from this Debian's packages"
"$here/bases.sh" "$safebuild" "$work/bases" >/dev/null

for name in "${names[@]}"; do
    echo "== $name"
    "$safebuild" --progress=quiet -f "$here/$name.Buildfile" -t "going-minimal/$name:1" "$here" >/dev/null
    command=(server)
    [ "$name" != distroless ] || command=()
    # On this host's network, it listens on this host's port.
    "$safebuild" run -q --network host "going-minimal/$name:1" "${command[@]}" "$port" &
    server=$!
    ask "$port" "$name"
    kill "$server"
    wait "$server" || true
    server=
done

echo "== What is left of it"
"$safebuild" images going-minimal/
