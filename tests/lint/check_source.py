#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps by machine what the layers promise: who includes whom, which calls nobody makes, and that
the kernel is asked for files, processes and mounts only where the layer table says so.

  tests/lint/check_source.py [--self-test]
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# layer -> (own layers it may include, outside headers that are named in no other layer)
EVERYTHING = "base sys buildfile oci leak layer sandbox registry plan build"
LAYERS = {
    "base": ("", "openssl"),
    "sys": ("base", "archive"),
    "buildfile": ("base", ""),
    "oci": ("base sys", "jansson archive"),
    "leak": ("base sys", "archive hs libdeflate zlib"),
    "layer": ("base sys leak", "archive zstd libdeflate"),
    "sandbox": ("base sys", "seccomp capability"),
    "registry": ("base sys oci", "curl"),
    "plan": ("base buildfile oci", ""),
    "lint": ("base buildfile oci leak plan", ""),
    "inspect": ("base sys oci leak layer buildfile", "jansson archive"),
    "build": (EVERYTHING, ""),
    "api": (EVERYTHING + " inspect lint", ""),
    "explore": ("base", ""),
    "cli": ("base explore", "jansson curses"),
}
# Outside headers, by the word of LAYERS that allows them.
OUTSIDE = {
    "openssl": r"openssl/",
    "jansson": r"jansson\.h",
    "archive": r"archive(_entry)?\.h",
    "zstd": r"zstd(_errors)?\.h",
    "libdeflate": r"libdeflate\.h",
    "zlib": r"zlib\.h",
    "seccomp": r"seccomp\.h",
    "capability": r"sys/capability\.h",
    "curl": r"curl/",
    "hs": r"hs/",
    "curses": r"(n?curses|term)\.h",
}
ALLOWED_OUTSIDE = [
    # file, word, why
    ("runner/sys/", "capability", "sys asks libcap for nothing but the kernel's header of that name"),
    ("runner/registry/", "jansson", "error documents and tokens of registries are JSON"),
    ("runner/build/", "jansson", "the metadata file"),
]

BANNED = {
    "strcpy": "sb_strdup, or an sb_buf",
    "strcat": "an sb_buf",
    "strncpy": "an sb_buf",
    "strncat": "an sb_buf",
    "sprintf": "sb_asprintf or snprintf",
    "vsprintf": "sb_vasprintf or vsnprintf",
    "gets": "an sb_buf",
    "atoi": "strtol with its checks",
    "atol": "strtol with its checks",
    "atoll": "strtoll with its checks",
    "system": "sys/proc.h",
    "popen": "sys/proc.h",
    "mktemp": "sys/atomic.h",
    "tmpnam": "sys/atomic.h",
    "tempnam": "sys/atomic.h",
    "strtok": "strtok_r",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "ctime": "strftime",
    "alloca": "sb_malloc",
    "setenv": "an environment of the child's own",
    "putenv": "an environment of the child's own",
    "rand": "getrandom",
    "srand": "getrandom",
}

# What only sys/ and sandbox/ may call, since a missing O_CLOEXEC or RESOLVE_IN_ROOT is a hole.
RAW = "open openat openat2 open64 creat fopen freopen fork vfork clone clone3 mount umount umount2 pivot_root chroot unshare setns".split()
RAW_LAYERS = {"sys", "sandbox"}
ALLOWED_RAW = [
    # file, call, why
    ("runner/api/doctor.c", "fork", "each trial does in a child what a build will do"),
    ("runner/api/doctor.c", "unshare", "each trial does in a child what a build will do"),
    ("runner/build/destination.c", "open", "outputs are files that the user named, anywhere on the host"),
    ("runner/build/destination.c", "openat", "outputs are files that the user named, anywhere on the host"),
    ("runner/cli/terminal.c", "open", "the terminal itself, by its name; cli may not include sys"),
]
ALLOWED_BANNED = [
    ("runner/registry/curl_load.c", "setenv", "the library reads its proxy from the environment"),
]


def without_comments_and_texts(source):
    """The code alone, with as many lines as before."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, lambda m: m.group(0) if is_include(source, m) else blank(m), source, flags=re.S)


def is_include(source, match):
    line = source[source.rfind("\n", 0, match.start()) + 1 : match.start()]
    return line.lstrip().startswith("#") and "include" in line


def allowed(table, name, word):
    return any(name.startswith(path) and word == what for path, what, _ in table)


def check_includes(name, layer, code):
    may_include, may_link = LAYERS[layer]
    for number, line in enumerate(code.splitlines(), 1):
        own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if own:
            target = own.group(1).split("/")[0]
            if target.startswith("safebuild"):
                continue
            if "/" not in own.group(1):
                if not (TOP / "runner" / layer / own.group(1)).exists():
                    continue  # made by the build
                yield number, f'include "{own.group(1)}" by its layer: "{layer}/{own.group(1)}"'
            elif target != layer and target not in may_include.split():
                yield number, f"{layer} may not include {target}"
        other = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        for word, pattern in OUTSIDE.items():
            if other and re.match(pattern, other.group(1)) and word not in may_link.split():
                if not allowed(ALLOWED_OUTSIDE, name, word):
                    yield number, f"{layer} may not use <{other.group(1)}>"


def check_calls(name, layer, code):
    words = "|".join(sorted([*BANNED, *RAW, "realloc"], key=len, reverse=True))
    for number, line in enumerate(code.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for match in re.finditer(rf"(?<![\w.>])({words})\s*\(", line):
            call = match.group(1)
            if call in BANNED and not allowed(ALLOWED_BANNED, name, call):
                yield number, f"{call} is not used here: {BANNED[call]}"
            elif call in RAW and layer not in RAW_LAYERS and not allowed(ALLOWED_RAW, name, call):
                yield number, f"raw {call} outside sys/ and sandbox/"
            elif call == "realloc" and layer != "base":
                yield number, "raw realloc outside base/: sb_realloc or an array"


def check_file(name, source):
    layer = name.split("/")[1]
    code = without_comments_and_texts(source)
    problems = []
    if not source.startswith("/* SPDX-License-Identifier: MIT */"):
        problems.append((1, "the first line is the licence"))
    if layer in LAYERS:
        problems += check_includes(name, layer, code)
    problems += check_calls(name, layer, code)
    if len(source.splitlines()) > 800:
        problems.append((800, "more than 800 lines: two concepts?"))
    return [f"{name}:{number}: {text}" for number, text in sorted(problems)]


def check_unit_test_links():
    """Each layer's meson.build names no dependency on a layer above it."""
    for layer, (may_include, _) in LAYERS.items():
        path = TOP / "runner" / layer / "meson.build"
        if not path.exists():
            continue
        for found in re.findall(r"\b(\w+)_dep\b", path.read_text(encoding="utf-8")):
            if found in LAYERS and found != layer and found not in may_include.split():
                yield f"runner/{layer}/meson.build: links {found}"


SELF_TESTS = [
    ("runner/base/x.c", '#include "sys/fd.h"\n', "base may not include sys"),
    ("runner/base/x.c", "#include <archive.h>\n", "may not use <archive.h>"),
    ("runner/build/x.c", "int f(void) { return open(p, 0); }\n", "raw open"),
    ("runner/sys/x.c", 'int f(void) { strcpy(a, b); }\n', "strcpy"),
    ("runner/sys/x.c", 'int f(void) { /* strcpy(a, b) */ g("system(x)"); self->system(x); }\n', None),
    ("runner/sys/x.c", "int f(void) { return open(p, 0); }\n", None),
    ("runner/cli/x.c", '#include "safebuild.h"\n#include "base/buf.h"\n', None),
    ("runner/explore/x.c", "#include <curses.h>\n", "may not use <curses.h>"),
    ("runner/cli/x.c", "char *p = realloc(p, 3);\n", "raw realloc"),
]


def self_test():
    for name, source, wanted in SELF_TESTS:
        found = "\n".join(check_file(name, "/* SPDX-License-Identifier: MIT */\n" + source))
        if (wanted is None) != (not found) or (wanted and wanted not in found):
            sys.exit(f"self-test: {source!r} gave {found!r}, not {wanted!r}")


def main():
    self_test()
    if "--self-test" in sys.argv:
        return
    problems = list(check_unit_test_links())
    files = sorted([*TOP.glob("runner/**/*.[ch]")])
    for path in files:
        problems += check_file(path.relative_to(TOP).as_posix(), path.read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
