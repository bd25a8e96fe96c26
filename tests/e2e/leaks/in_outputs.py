# SPDX-License-Identifier: MIT
"""What a step shows: nobody who reads the log, or the JSON, may find the value in it."""

from leaks import forms
from leaks.case import MOUNT, Case, Either, Nothing, environment_step, step

SHOWN = Nothing(says="[secret tok]")
FAILED = Nothing(1, says="[secret tok]")


def shown(title, script, expected=SHOWN, **more):
    return step(title, script, expected=expected, **more)


def printed(form, shift):
    """The bytes come by a bind mount and are shown."""
    text = "FROM busybox:1\nRUN --mount=type=bind,source=planted,target=/p cat /p\n"
    title = f"shown: {form.name}" + (f" at alignment {shift}" if form.is_aligned else "")
    return Case(title, text, Nothing(), value=form.of(form.name), files=lambda v: {"planted": b"key: " + form.write(v, shift) + b"\n"})


FORMS = [
    printed(form, shift)
    for form in forms.FORMS
    for shift in (range(3) if form.is_aligned else (0,))
]


def printed_in_lines(form, width, end):
    """A key of many bytes, of which no whole line is what any tool makes by itself."""
    encode = forms.BY_NAME[form].write
    return Case(
        f"shown: a long value in {form} in lines of {width} ended by {end!r}",
        "FROM busybox:1\nRUN --mount=type=bind,source=planted,target=/p cat /p\n",
        SHOWN,
        value=forms.token(f"long {form} {width}", 900),
        files=lambda v: {"planted": b"key: " + forms.wrapped(encode(v, 1), width, end) + b"\n"},
    )


LONG = [
    printed_in_lines(form, width, end)
    for form, width, end in (
        ("base64", 5, b"\n"),
        ("base64", 20, b"\r\n"),
        ("base64", 33, b"\n    "),
        ("base64url without padding", 50, b"\\n"),
        ("base64 that ends with it", 100, b'",\n  "'),
        ("hex", 31, b"\n"),
        ("raw", 40, b"\n"),
    )
]

LOGS = [
    shown("cat", "cat $S"),
    shown("cat to standard error", "cat $S >&2"),
    shown("echo of it in a line", 'echo "the token is $(cat $S)."'),
    shown("printf without a newline", 'printf %s "$(cat $S)"'),
    shown("twice without a gap", 'printf %s%s "$(cat $S)" "$(cat $S)"'),
    shown("set -x in the log", '(set -x; : curl -u "robot:$(cat $S)" https://api.example)'),
    shown("in pieces with sleeps between", 'printf "a: %s" "$(cut -c 1-9 $S)"; sleep 0.2; printf %s "$(cut -c 10-20 $S)"; sleep 0.2; cut -c 21- $S'),
    shown("character by character", 'for c in $(sed "s/./& /g" $S); do printf %s $c; done; echo'),
    shown("in colours", 'printf "\\033[1m%s\\033[31m%s\\033[0m\\n" "$(cut -c 1-9 $S)" "$(cut -c 10- $S)"'),
    shown("behind a bar that moves", 'for i in 1 2 3; do printf "\\r%s %s" "$i" "$(cat $S)"; done; echo'),
    shown("behind much else", "(head -c 300000 /dev/zero | tr '\\0' '.'; cat $S)"),
    shown("across the end of a pipe", "(head -c 65520 /dev/zero | tr '\\0' '.'; cat $S; head -c 65520 /dev/zero | tr '\\0' '.')"),
    shown("across the end of a page", "(head -c 4080 /dev/zero | tr '\\0' '.'; cat $S)"),
    shown("in a thousand lines", 'for i in $(seq 1000); do echo "$i $(cat $S)"; done | cat'),
    shown("on both streams at once", '(cat $S >&2) & cat $S; wait'),
    shown("of a step that fails", "cat $S; exit 3", FAILED),
    shown("the first half, then killed", 'cat $S; printf %s "$(cut -c 1-20 $S)"; kill -9 $$', FAILED),
    shown("to the file of the stream", "cat $S >/proc/self/fd/2", Either()),
    shown("by a daemon", "(sleep 0.1; cat $S) & wait"),
    shown("the message of a program", 'cat "/nowhere/$(cat $S)" || true'),
    shown("the name of a program", '"$(cat $S)" || true'),
    shown("hexdump -C", 'printf "%s" "$(cat $S)" | hexdump -C', Nothing()),
    shown("xxd, shown", "xxd $S", Nothing()),
    shown("base64 of it", "base64 $S"),
    shown("base64 in lines of 20", "base64 $S | tr -d '\\n' | fold -w 20; echo"),
    shown("base64 in lines of 33 with sleeps between", "base64 $S | tr -d '\\n' | fold -w 33 | while read l; do echo $l; sleep 0.1; done"),
    shown("base64, a character a line", "base64 $S | tr -d '\\n' | fold -w 1"),
    shown("base64 of a header", "printf 'Authorization: Basic %s\\n' \"$(printf 'robot:%s' \"$(cat $S)\" | base64 -w 0)\""),
    shown("xxd -p", "xxd -p $S"),
    environment_step("env, shown", "env", expected=SHOWN),
    environment_step("export", "export", expected=SHOWN),
    environment_step("set -x of a variable", "set -x; : $TOKEN", expected=SHOWN),
    environment_step("/proc/self/environ, shown", "cat /proc/self/environ", expected=SHOWN),
]

PEM_LINES = ["-----BEGIN PRIVATE KEY-----", *[forms.token(f"pem {n}", 64) for n in range(5)], forms.token("pem last", 20), "-----END PRIVATE KEY-----"]
PEM = "\n".join(PEM_LINES)


def pem(title, script, expected=SHOWN):
    return shown(title, script, expected, value=PEM, parts=lambda v: PEM_LINES[1:-1])


LINES = [
    pem("a key of several lines", "cat $S"),
    pem("one line of a key, shown", "sed -n 3p $S"),
    pem("a key with numbered lines", "cat -n $S"),
    pem("a key, indented, shown", "sed 's/^/    /' $S"),
    pem("a key on one line", "tr -d '\\n' <$S"),
    pem("a key with CRLF", "sed 's/$/\\r/' $S"),
    pem("a key, line by line with sleeps", "while read line; do echo $line; sleep 0.02; done <$S"),
    pem("the end of a key", "tail -n 2 $S"),
    Case("a key in the error of a command", f"FROM busybox:1\nRUN {MOUNT},env=TOKEN cat \"/$TOKEN\"\n", Nothing(1), value=PEM, parts=lambda v: PEM_LINES[1:-1]),
]

ALL = FORMS + LONG + LOGS + LINES
