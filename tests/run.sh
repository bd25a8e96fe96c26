#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs all tests. Last line: "N passed, N failed"; exit status 1 when a test failed.
#
#   tests/run.sh [--ci] [--fast] [--no-install]
#
#   --ci          what continuous integration runs: warnings are errors, gcc and clang, the
#                 sanitizers, the source checks; a test that can't run here is a failure
#   --fast        leave out the tests over a whole distribution
#   --no-install  install no packages
#
# Started as root, the end-to-end tests run as root and, once more, as the user "sbtest", which is
# made if it is missing. Started as a user, they run as that user, and as root too where sudo asks
# for no password. Everything is built below build*/ of this tree; the tests themselves work in a
# temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD

ci='' fast='' install=yes
for word in "$@"; do
    case $word in
    --ci) ci=yes ;;
    --fast) fast=yes ;;
    --no-install) install='' ;;
    *)
        sed -n '3,17s/^# \{0,1\}//p' "$0"
        [ "$word" = --help ] && exit 0
        exit 2
        ;;
    esac
done

# A test that is left out counts as failed.
[ -z "$ci" ] || export SB_TEST_MUST_RUN=1

test_packages=(
    libcmocka-dev python3 python3-pytest skopeo umoci mmdebstrap docker-registry zstd sudo
    slirp4netns util-linux procps libc6-dev git openssl openssh-client gpg gpg-agent python3-jsonschema strace tmux
    buildah podman curl mawk
)
# Any npm will do: it fetches the schema of SARIF.
command -v npm >/dev/null || test_packages+=(npm)
# Docker is for CI alone: where a package may start services, this one does.
ci_packages=(clang clang-format clang-tidy libclang-rt-dev shellcheck codespell docker.io)

stage=$(mktemp -d "${TMPDIR:-/tmp}/safebuild-tests.XXXXXX")
chmod 0755 "$stage"
results=$stage/results
search_path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -m 0777 "$results" "$stage/cache" "$stage/digests"
chmod 0777 "$results" "$stage/cache" "$stage/digests"
clean_up() { rm -rf "$stage"; }
trap clean_up EXIT

passed=0 failed=0
say() { printf '\n== %s\n' "$*"; }
count() { # count NAME STATUS [JUNIT_XML…]: adds what the files say; without them, one
    local name=$1 status=$2 line
    shift 2
    if [ $# -eq 0 ]; then
        line="$([ "$status" -eq 0 ] && echo '1 0' || echo '0 1')"
    else
        line=$(/usr/bin/python3 "$top/tests/count_results.py" "$status" "$@")
    fi
    passed=$((passed + ${line% *}))
    failed=$((failed + ${line#* }))
    echo "-- $name: ${line% *} passed, ${line#* } failed"
}
check() { # check NAME COMMAND…: a stage that passes or fails as a whole
    local name=$1 status=0
    shift
    say "$name"
    "$@" || status=$?
    count "$name" "$status"
}

install_packages() {
    say "Packages that the build and the tests need (apt-get; nothing if they are there)"
    local wanted=("${test_packages[@]}")
    [ -z "$ci" ] || wanted+=("${ci_packages[@]}")
    examples/quickstart.sh --install-only "${wanted[@]}"
}

build() { # build FOLDER SUFFIX CC MESON_OPTION…
    local folder=$1 cc=$2
    shift 2
    local options=("$@")
    [ -z "$ci" ] || options+=(-Dwerror=true)
    if [ -d "$folder/meson-info" ]; then
        meson configure "$folder" "${options[@]}" >/dev/null
    else
        CC=$cc meson setup "$folder" "${options[@]}" >"$stage/meson.log" || {
            cat "$stage/meson.log"
            return 1
        }
    fi
    ninja -C "$folder" --quiet
}

unit_tests() { # unit_tests NAME FOLDER
    local status=0
    say "$1 (meson test)"
    rm -f "$2/meson-logs/testlog.junit.xml"
    # Thirty seconds are too few for sanitizers on a busy machine.
    meson test -C "$2" --no-rebuild --print-errorlogs --quiet --timeout-multiplier 6 || status=$?
    count "$1" "$status" "$2/meson-logs/testlog.junit.xml"
}

# The user must be able to read what is tested, wherever this tree lies.
stage_program() { # stage_program NAME FOLDER
    mkdir -p "$stage/$1/bin"
    find "$2" -maxdepth 3 -type f -name 'safebuild*' -perm -100 -exec cp -t "$stage/$1/bin" {} +
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env -i HOME="$HOME" "$@"
    else
        sudo -n env -i HOME=/root "$@"
    fi
}
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u sbtest -- env -i HOME=/home/sbtest USER=sbtest "$@"
    else
        env -i HOME="$HOME" USER="$USER" "$@"
    fi
}

make_user() {
    [ "$(id -u)" -eq 0 ] || return 0
    if ! id sbtest >/dev/null 2>&1; then
        echo "making the user sbtest, as which the tests run unprivileged"
        useradd --create-home --shell /bin/bash sbtest
    fi
    grep -q '^sbtest:' /etc/subuid 2>/dev/null || usermod --add-subuids 200000-265535 sbtest
    grep -q '^sbtest:' /etc/subgid 2>/dev/null || usermod --add-subgids 200000-265535 sbtest
}

run_e2e() { # run_e2e WHO PROGRAM [VARIABLE=VALUE…]: its exit status goes into a file beside its XML
    local who=$1 program=$2 status=0
    shift 2
    local xml=$results/$program-$who.xml
    local variables=(
        "$search_path" LANG=C.UTF-8
        PYTHONDONTWRITEBYTECODE=1 "SAFEBUILD=$stage/$program/bin/safebuild"
        "SB_TEST_CACHE=$stage/cache" "SB_TEST_DIGESTS=$stage/digests/$program.json"
    )
    [ -z "$ci" ] || variables+=(SB_TEST_MUST_RUN=1)
    [ -z "$fast" ] || variables+=(SB_TEST_FAST=1)
    variables+=("$@")
    local options
    read -ra options <<<"$(left_out "$who" "$program" | tr '\n' ' ')"
    say "end to end, as $who, $program"
    (cd "$stage/tree" && "as_$who" "${variables[@]}" /usr/bin/pytest-3 -q -p no:cacheprovider \
        --tb=short -rfEs --durations=5 --junitxml="$xml" "${options[@]}" tests/e2e) || status=$?
    echo "$status" >"$xml.status"
}
count_e2e() { # count_e2e WHO PROGRAM
    local xml=$results/$2-$1.xml
    count "end to end, as $1, $2" "$(cat "$xml.status" 2>/dev/null || echo 1)" "$xml"
}

can_be_root() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

# Pytest's options. With the sanitizers, what goes the same ways in our code whoever runs it is run
# by one of the two, each about half; without, both run all but what only waits for two minutes.
left_out() { # left_out WHO PROGRAM
    local names='' name
    case $2-$1 in
    release-user)
        ! can_be_root || echo '--deselect=tests/e2e/test_registry.py::test_what_a_pull_gives_up_on[layer-drips]'
        ;;
    sanitizers-root) names='test_conformance test_inspect* test_cache test_push test_damage test_leak_search' ;;
    sanitizers-user)
        if can_be_root; then
            names='leaks test_cache_remote test_remote test_registry test_explore test_platforms'
        fi
        ;;
    esac
    set -f
    for name in $names; do
        echo "--ignore-glob=tests/e2e/$name" "--ignore-glob=tests/e2e/$name.py"
    done
}

# Both at once. What root's say comes when they have ended.
everyone() { # everyone PROGRAM [VARIABLE=VALUE…]
    local root_log=$stage/root.log root_tests=''
    if can_be_root; then
        run_e2e root "$@" >"$root_log" 2>&1 &
        root_tests=$!
    else
        echo "not run as root: sudo asks for a password"
    fi
    run_e2e user "$@"
    if [ -n "$root_tests" ]; then
        wait "$root_tests"
        cat "$root_log"
        count_e2e root "$1"
    fi
    count_e2e user "$1"
}

# The files of this tree, also those that no commit has yet.
sources() { git ls-files --cached --others --exclude-standard -- "$@"; }
format_check() { sources '*.c' '*.h' | xargs clang-format --dry-run -Werror; }
shell_check() { shellcheck .ci/run tests/run.sh examples/quickstart.sh examples/going-minimal/*.sh tests/bench/step tests/bench/leak; }
spelling() {
    sources | grep -v -e '^tests/fuzz/' -e '^tests/data/' |
        xargs codespell --ignore-words-list=alph,eror,stap,trun,buidl,inh,larget,cpoy,taget,tpye,froms,inout,nd,targte,ue,valu
}
headers_alone() {
    local header status=0
    while read -r header; do
        echo "#include \"${header#*/}\"" |
            gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -iquote runner -Iinclude -x c - || {
            echo "$header does not compile alone"
            status=1
        }
    done < <(sources '*.h' | grep -E '^(runner|include)/')
    return $status
}
quickstart_in_a_fresh_copy() { # as the unprivileged user; the packages are there by now
    local copy=$stage/copy
    mkdir "$copy"
    sources | xargs cp --parents -t "$copy"
    [ "$(id -u)" -ne 0 ] || chown -R sbtest: "$copy"
    as_user "$search_path" "$copy/examples/quickstart.sh"
}
tidy() { # what parses text and talks to the kernel on behalf of a step
    sources '*.c' | grep -E '^runner/(sandbox|leak|sys|base)/' |
        xargs -P2 -n4 clang-tidy --quiet -p "$top/build-clang" >"$stage/tidy.log" 2>/dev/null || {
        tail -n 40 "$stage/tidy.log"
        return 1
    }
}

[ -z "$install" ] || install_packages
make_user
mkdir "$stage/tree" "$stage/tree/tests"
cp -r examples "$stage/tree/examples"
cp -r tests/e2e tests/data "$stage/tree/tests/"
cp README.md "$stage/tree/"

if [ -n "$ci" ]; then
    check "Format (clang-format)" format_check
    check "Includes between layers, banned and raw calls (tests/lint/check_source.py)" /usr/bin/python3 tests/lint/check_source.py
    check "Shell scripts (shellcheck)" shell_check
    check "Spelling (codespell)" spelling
    check "Every header compiles alone" headers_alone
fi

check "Build with gcc, release (build/)" build build gcc --buildtype=release
if [ "$failed" -gt 0 ] && ! [ -x build/runner/safebuild ]; then
    echo
    echo "$passed passed, $failed failed"
    exit 1
fi
stage_program release build
unit_tests "unit tests" build
everyone release

if [ -n "$ci" ]; then
    check "The README's first command, as root" examples/quickstart.sh
    check "The README's first command, as a user in a fresh copy" quickstart_in_a_fresh_copy
    check "Build with clang, address and undefined-behaviour sanitizers (build-clang/)" \
        build build-clang clang --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
    check "Static checks (clang-tidy)" tidy
    export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    unit_tests "unit tests and fuzz corpus, sanitizers" build-clang
    stage_program sanitizers build-clang
    # A leak check at the end needs ptrace, which the program's own processes do not allow.
    everyone sanitizers SB_TEST_FAST=1 ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
