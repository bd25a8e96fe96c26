# SPDX-License-Identifier: MIT
"""What kinds of secret there are, and what a step takes out of one: a value, a line, a body."""

import base64
import json

from leaks import forms
from leaks.case import ANY, MOUNT, Case, Nothing, Refused, step

T = forms.token


def takes(title, script, secret, parts, form=ANY, where="/etc/leak", **more):
    """secret and parts: the file's text or bytes, and what of it must not be found."""
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    return step(title, script, where, form, value=text, secret=lambda v: secret, parts=lambda v: parts, **more)


LINES = [T(f"key {n}", 64) for n in range(6)] + [T("key end", 24)]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *LINES, "-----END RSA PRIVATE KEY-----", ""])
COPY = "cp $S /etc/leak"

PEM_KEYS = [
    takes("a key", COPY, PEM, LINES),
    takes("a key without its last newline", 'printf %s "$(cat $S)" >/etc/leak', PEM, LINES),
    takes("a key that gets CRLF", "sed 's/$/\\r/' $S >/etc/leak", PEM, LINES),
    takes("a key that had CRLF", "tr -d '\\r' <$S >/etc/leak", PEM.replace("\n", "\r\n"), LINES),
    takes("a key, indented", "(echo 'key: |'; sed 's/^/  /' $S) >/etc/leak", PEM, LINES),
    takes("a key's body on one line", "grep -v -- ----- $S | tr -d '\\n' >/etc/leak", PEM, LINES),
    takes("a key in binary", "grep -v -- ----- $S | base64 -d >/etc/leak", PEM, LINES, "raw"),
    takes("a key in binary, in hex", "grep -v -- ----- $S | base64 -d | xxd -p | tr -d '\\n' >/etc/leak", PEM, LINES, "hex"),
    takes("a key's body alone", "grep -v -- ----- $S >/etc/leak", PEM, LINES),
    takes("one line of a key", "sed -n 3p $S >/etc/leak", PEM, LINES),
    takes("the last full line of a key", "sed -n 7p $S >/etc/leak", PEM, LINES),
    takes("a key with \\n in a string", "awk '{printf \"%s\\\\n\", $0}' $S >/etc/leak", PEM, LINES),
    takes("a key in base64", "base64 -w 0 $S >/etc/leak", PEM, LINES, ("base64", "base64url")),
    takes("a key in base64 in lines", "base64 $S >/etc/leak", PEM, LINES, ("base64", "base64url")),
    takes("a key in hex", "xxd -p $S | tr -d '\\n' >/etc/leak", PEM, LINES, "hex"),
    takes("a key packed", "gzip -c $S >/etc/leak", PEM, LINES),
    takes("a key quoted in a mail", "sed 's/^/> /' $S >/etc/leak", PEM, LINES),
    takes("a key behind a certificate", COPY, "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 16 + "\n-----END CERTIFICATE-----\n" + PEM, LINES),
    takes("a key with a heading", COPY, PEM.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1), LINES),
]

SERVICE = {"type": "service_account", "project_id": "my-project", "private_key_id": T("service id", 40), "private_key": PEM, "client_email": "robot@my-project.example"}
FIELD = "sed -n 's/.*\"%s\": *\"\\([^\"]*\\)\".*/\\1/p' $S"

JSON = [
    takes("a field of JSON", f"{FIELD % 'private_key_id'} >/etc/leak", json.dumps(SERVICE, indent=1), [SERVICE["private_key_id"]]),
    takes("a field of JSON with a key", f"printf \"$({FIELD % 'private_key'})\" >/etc/leak", json.dumps(SERVICE, indent=1), LINES),
    takes("JSON on one line, made pretty", "sed 's/, /,\\n/g' $S >/etc/leak", json.dumps(SERVICE), [SERVICE["private_key_id"]]),
    takes("a deep field of JSON", "grep -o 'tk9[^\"]*' $S >/etc/leak", json.dumps({"a": {"b": [1, {"c": T("deep")}]}}), [T("deep")]),
    takes("a field of JSON in base64", "printf 'robot:%s' $(grep -o 'tk9[^\"]*' $S) | base64 -w 0 >/etc/leak", json.dumps({"password": T("json base64")}), [T("json base64")], ("base64", "base64url")),
    takes("a field of JSON with its escapes undone", "sed 's/.*: \"//; s/\"}$//; s/\\\\\\(.\\)/\\1/g' $S >/etc/leak", json.dumps({"password": forms.marked("undone")}), [forms.marked("undone")]),
]

AUTH = base64.b64encode(b"robot:" + T("docker").encode()).decode()
DOCKER = json.dumps({"auths": {"registry.example": {"auth": AUTH}}}, indent=2)
DOTENV = f"# settings\nDEBUG=true\nAPI_TOKEN={T('dotenv')}\nexport DB_PASSWORD=\"{T('dotenv 2')}\"\nPORT=8080\n"
NETRC = f"machine git.example\n  login robot\n  password {T('netrc')}\n"
NPMRC = f"always-auth=true\n//git.example/:_authToken={T('npmrc')}\n"

FILES = [
    takes("the login in a Docker configuration", f"{FIELD % 'auth'} >/etc/leak", DOCKER, [AUTH, T("docker")]),
    takes("the password in a Docker configuration", f"{FIELD % 'auth'} | base64 -d | cut -d : -f 2 >/etc/leak", DOCKER, [T("docker")]),
    takes("a Docker configuration in base64", "base64 -w 0 $S >/etc/leak", DOCKER, [AUTH, T("docker")], ("base64", "base64url")),
    takes("a value of .env", "sed -n 's/^API_TOKEN=//p' $S >/etc/leak", DOTENV, [T("dotenv")]),
    takes("a quoted value of .env", ". $S; echo \"password = $DB_PASSWORD\" >/etc/leak", DOTENV, [T("dotenv 2")]),
    takes("a value of .env, from the environment", "set -a; . $S; env >/etc/leak", DOTENV, [T("dotenv"), T("dotenv 2")]),
    takes("a value of a .env with CRLF", ". $S; echo $API_TOKEN | tr -d '\\r' >/etc/leak", f"API_TOKEN={T('crlf')}\r\nA=1\r\n", [T("crlf")]),
    takes("the password of .netrc", "awk '/password/ {print $2}' $S >/etc/leak", NETRC, [T("netrc")]),
    takes("the password of .netrc in a header", "printf 'robot:%s' $(awk '/password/ {print $2}' $S) | base64 >/etc/leak", NETRC, [T("netrc")], ("base64", "base64url")),
    takes("the token of .npmrc", "sed -n 's/.*_authToken=//p' $S >/etc/leak", NPMRC, [T("npmrc")]),
    takes("the password of .pgpass", "cut -d : -f 5 $S >/etc/leak", f"db.example:5432:app:robot:{T('pgpass')}\n", [T("pgpass")]),
    takes("the password of an address", "sed 's/.*robot://; s/@.*//' $S >/etc/leak", f"https://robot:{T('address')}@git.example/a.git\n", [T("address")]),
    takes("the password of .git-credentials", "sed 's/.*robot://; s/@.*//' $S >/etc/leak", f"https://robot:{T('credentials')}@git.example\nhttps://other.example\n", [T("credentials")]),
    takes("a value of YAML", "awk '/password:/ {print $2}' $S >/etc/leak", f"database:\n  host: db.example\n  password: {T('yaml')}\n", [T("yaml")]),
    takes("a value of INI", "awk '/^password/ {print $3}' $S >/etc/leak", f"[client]\nuser = robot\npassword = {T('ini')}\n", [T("ini")]),
    takes("a value of .properties", "sed -n 's/^db.password=//p' $S >/etc/leak", f"db.user=robot\ndb.password={T('properties')}\n", [T("properties")]),
    takes("the password of XML", "sed -n 's/.*<password>\\(.*\\)<.password>.*/\\1/p' $S >/etc/leak", f"<settings>\n<password>{T('xml value')}</password>\n</settings>\n", [T("xml value")]),
]

LARGE = T("large", 300000)
SHAPES = [
    takes("a line with CRLF, the CR dropped", "tr -d '\\r' <$S >/etc/leak", T("cr") + "\r\n", [T("cr")]),
    takes("with several newlines", 'printf %s "$(cat $S)" >/etc/leak', T("newlines") + "\n\n\n", [T("newlines")]),
    takes("with blanks around it", 'read T <$S; printf %s "$T" >/etc/leak', "  " + T("blanks") + " \n", [T("blanks")]),
    takes("with a tab behind it", 'read T <$S; printf %s "$T" >/etc/leak', T("tab") + "\t\n", [T("tab")]),
    takes("with a byte order mark", "tail -c +4 $S >/etc/leak", b"\xef\xbb\xbf" + T("mark").encode() + b"\n", [T("mark")]),
    takes("bytes that are no text", COPY, b"\x00\xff" + T("binary").encode() + b"\x00\xfe", [T("binary")]),
    takes("bytes that are no text, in base64", "base64 -w 0 $S >/etc/leak", b"\x00\xff" + T("binary 2").encode() + b"\x00\xfe", [T("binary 2")], ("base64", "base64url")),
    takes("of eight characters", "printf 'password=%s' $(cat $S) >/etc/leak", "tk9Qx7Za\n", ["tk9Qx7Za"]),
    takes("of eight characters, in base64", "printf 'robot:%s@host' $(cat $S) | base64 -w 0 >/etc/leak", "tk9Qy7Za\n", ["tk9Qy7Za"], ("base64", "base64url")),
    takes("of eight characters, in hex", "xxd -p $S >/etc/leak", "tk9Qz7Za\n", ["tk9Qz7Za"], "hex"),
    takes("of six characters, a word of its own", "echo \"pin: $(cat $S)\" >/etc/leak", "tk9Qx7\n", ["tk9Qx7"]),
    takes("of six characters, the whole file", "printf %s $(cat $S) >/etc/leak", "tk9Qy7\n", ["tk9Qy7"]),
    takes("of 300 kB", COPY, LARGE, [LARGE[:64], LARGE[-64:]]),
    takes("of 300 kB, in base64", "base64 -w 0 $S >/etc/leak", LARGE + "a", [LARGE[:64], LARGE[-64:]], ("base64", "base64url")),
    takes("of 300 kB, packed", "gzip -c $S >/etc/leak", LARGE + "b", [LARGE[:64], LARGE[-64:]]),
    takes("of 300 kB, in a cache", "cp $S /c/leak", LARGE + "c", [LARGE[:64], LARGE[-64:]], where="/c/leak", flags=MOUNT + " --mount=type=cache,id=large,target=/c"),
    takes("with a quotation mark", 'T=$(cat $S); printf \'{"a": "%s"}\' "$(echo "$T" | sed \'s/"/\\\\"/g\')" >/etc/leak', T("quoted", 20) + '"' + T("end", 12), [T("quoted", 20) + '"' + T("end", 12)]),
    takes("a file of UTF-16", "tr -d '\\000\\376\\377' <$S >/etc/leak", ("TOKEN=" + T("wide", 20) + "\r\n").encode("utf-16"), [T("wide", 20)], "raw"),
    takes("of letters of other scripts", COPY, "пароль-" + T("cyrillic", 16) + "-密码", ["пароль-" + T("cyrillic", 16) + "-密码"]),
]

OPTIONS = [
    Case("from the environment", f"FROM busybox:1\nRUN {MOUNT} cp /run/secrets/tok /leak\n", Refused("/leak", "raw", 2), args=("--secret", "id=tok,env=T"), env={"T": "@VALUE@"}, secret=None),
    Case("a secret that no step mounts", "FROM busybox:1\nCOPY planted /etc/leak\n", Refused("/etc/leak", "raw", 2), files=lambda v: {"planted": v}),
    Case("the file of a secret in the context", "FROM busybox:1\nCOPY . /app/\nRUN true\n", Nothing(), files=lambda v: {"token.txt": v + "\n"}, args=("--secret", "id=other,src=@CONTEXT@/token.txt"), secret=lambda v: "another value\n"),
    Case("a copy of the file of a secret", "FROM busybox:1\nCOPY copy /etc/leak\n", Refused("/etc/leak", "raw", 2), files=lambda v: {"copy": v + "\n", "token.txt": v + "\n"}, args=("--secret", "id=tok,src=@CONTEXT@/token.txt"), secret=None),
]

ALL = PEM_KEYS + JSON + FILES + SHAPES + OPTIONS
