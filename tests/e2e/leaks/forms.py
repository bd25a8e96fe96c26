# SPDX-License-Identifier: MIT
"""How a value gets written down by accident: by the programs and libraries that do it.

A form is made by what people use (json.dumps, shlex.quote, base64, a shell), not by a table of what
the product knows. `reported` are the names that a report may give to it: where a value has none of
the characters that a form escapes, several forms are the same bytes.
"""

import base64
import html
import json
import random
import shlex
import urllib.parse
import xml.sax.saxutils

HEAD = "tk9Q"  # every made-up value begins like this, so that the checker can look for all of them at once
MARKS = "\"&a<b>'\\c$/d%e +~;"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def token(seed, length=32):
    """The same value for the same seed: letters and digits, as an issuer of tokens would draw them."""
    draw = random.Random(f"token {seed}")
    return HEAD + "".join(draw.choice(LETTERS) for _ in range(length - len(HEAD)))


def marked(seed):
    """A password with every character that some form escapes."""
    return token(seed, 16) + MARKS + token("end " + seed, 12)[4:]


def international(seed):
    """One that is not ASCII."""
    return token(seed, 16) + "ü€" + token("end " + seed, 12)[4:]


class Form:
    def __init__(self, name, write, reported, of=token, is_aligned=False):
        self.name, self.write, self.of, self.is_aligned = name, write, of, is_aligned
        self.reported = reported if isinstance(reported, tuple) else (reported,)

    def __repr__(self):
        return self.name


def surrounded(encode):
    """The value among other text, all of it encoded: user:value@host."""

    def write(value, shift=0):
        return encode(b"u" * shift + value.encode() + b"@host.example")

    return write


def alone(encode):
    return lambda value, shift=0: encode(b"u" * shift + value.encode())


def text(encode):
    return lambda value, shift=0: b"x" * shift + encode(value).encode()


def plain(encode):
    return lambda value, shift=0: b"x" * shift + encode(value.encode())


def wrapped(data, width, end=b"\n"):
    return b"".join(data[i : i + width] + end for i in range(0, len(data), width))


def basic(data):
    """As in .docker/config.json, so that more than one line is filled."""
    return base64.b64encode(b"name-of-a-robot-account:" + data + b"-and-more-that-follows")


def in_kubernetes(data):
    config = {"auths": {"registry.example": {"auth": basic(data).decode()}}}
    return base64.b64encode(json.dumps(config).encode())


def per_byte(template):
    return lambda value: "".join(template % byte for byte in value.encode())


def per_character(template):
    return lambda value: "".join(template % ord(letter) for letter in value)


def bash_quoted(value):
    """printf %q"""
    return "".join(c if c.isalnum() or c in "_-./:=@%+," or ord(c) > 126 else "\\" + c for c in value)


def dollar_quoted(value):
    return "$'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def json_in_html(value):
    """As Go and Rails write it."""
    ascii_only = json.dumps(value, ensure_ascii=False)
    return ascii_only.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def upper_escapes(value):
    return json.dumps(value).encode().decode().replace("\\u00fc", "\\u00FC").replace("\\u20ac", "\\u20AC")


ANY_JSON = ("json", "c", "shell")  # a quotation mark with a backslash before it is all of these
BASE64 = ("base64", "base64url")

FORMS = [
    Form("raw", plain(lambda v: v), "raw"),
    Form("raw with marks", plain(lambda v: v), "raw", marked),
    Form("raw, not ASCII", plain(lambda v: v), "raw", international),
    Form("base64", surrounded(base64.b64encode), BASE64, is_aligned=True),
    Form("base64 that ends with it", alone(base64.b64encode), BASE64, is_aligned=True),
    Form("base64 of marks", surrounded(base64.b64encode), BASE64, marked, True),
    Form("base64url", surrounded(base64.urlsafe_b64encode), BASE64, marked, True),
    Form("base64url without padding", alone(lambda d: base64.urlsafe_b64encode(d).rstrip(b"=")), BASE64, is_aligned=True),
    Form("base64 in lines of 64", surrounded(lambda d: wrapped(basic(d), 64)), BASE64, is_aligned=True),
    Form("base64 in lines of 76", surrounded(lambda d: wrapped(basic(d + d), 76, b"\r\n")), BASE64, is_aligned=True),
    Form("base64 in lines of 20", surrounded(lambda d: wrapped(basic(d), 20)), BASE64, is_aligned=True),
    Form("base64 in indented lines", surrounded(lambda d: wrapped(basic(d), 64, b"\n      ")), BASE64, is_aligned=True),
    Form("base64 in lines in a string", surrounded(lambda d: b'"' + wrapped(basic(d), 64, b"\\n") + b'"'), BASE64, is_aligned=True),
    Form("base64 of base64", surrounded(in_kubernetes), "base64 of base64", is_aligned=True),
    Form("hex", plain(lambda v: v.hex().encode()), "hex"),
    Form("hex in capitals", plain(lambda v: v.hex().upper().encode()), "hex", marked),
    Form("hex in lines of 60", surrounded(lambda d: wrapped(d.hex().encode(), 60)), "hex"),
    Form("UTF-16, little end first", plain(lambda v: v.decode().encode("utf-16-le")), "utf-16"),
    Form("UTF-16, big end first", plain(lambda v: v.decode().encode("utf-16-be")), "utf-16", international),
    Form("percent", text(lambda v: urllib.parse.quote(v, safe="")), "percent", marked),
    Form("percent in a path", text(urllib.parse.quote), "percent", marked),
    Form("percent in a form", text(urllib.parse.quote_plus), "percent", marked),
    Form("percent in small letters", text(lambda v: urllib.parse.quote(v, safe="").replace("%C3%BC", "%c3%bc").replace("%E2%82%AC", "%e2%82%ac")), "percent", international),
    Form("percent of every byte", text(per_byte("%%%02X")), "percent"),
    Form("JSON", text(json.dumps), ANY_JSON, marked),
    Form("JSON in ASCII", text(json.dumps), "json", international),
    Form("JSON in ASCII, capitals", text(upper_escapes), "json", international),
    Form("JSON with \\/", text(lambda v: json.dumps(v).replace("/", "\\/")), "json", marked),
    Form("JSON for HTML", text(json_in_html), "json", marked),
    Form("JSON in JSON", text(lambda v: json.dumps(json.dumps(v))), ("json", "c"), marked),
    Form("JSON of every character", text(per_character("\\u%04x")), "json"),
    Form("shell: single quotes", text(shlex.quote), ("shell",), marked),
    Form("shell: quotes left for a quote", text(lambda v: "'" + v.replace("'", "'\\''") + "'"), "shell", marked),
    Form("shell: double quotes", text(lambda v: '"' + "".join("\\" + c if c in '"$`\\' else c for c in v) + '"'), "shell", marked),
    Form("shell: backslashes", text(bash_quoted), "shell", marked),
    Form("shell: dollar and quotes", text(dollar_quoted), ("shell", "c"), marked),
    Form("C in octal", text(per_byte("\\%03o")), "c"),
    Form("C in hex", text(per_byte("\\x%02x")), "c"),
    Form("Python's repr", text(lambda v: repr(v.encode())), ("c", "shell", "json"), international),
    Form("Python's repr of marks", text(repr), ("c", "shell", "json"), marked),
    Form("XML text", text(xml.sax.saxutils.escape), "xml", marked),
    Form("XML attribute", text(lambda v: xml.sax.saxutils.escape(v, {'"': "&quot;"})), "xml", marked),
    Form("HTML", text(html.escape), "xml", marked),
    Form("XML in decimal", text(per_character("&#%d;")), "xml"),
    Form("XML in hex", text(per_character("&#x%X;")), "xml"),
]
BY_NAME = {form.name: form for form in FORMS}
assert len(BY_NAME) == len(FORMS)
