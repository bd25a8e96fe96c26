# SPDX-License-Identifier: MIT
"""What raises no alarm: a secret used as it should be, what can be shown of it, and what only looks like it."""

import functools
import gzip
import itertools
import json
import os
import pathlib
import random
import subprocess
import tempfile

from leaks import forms
from leaks.case import MOUNT, Case, Nothing, harmless_step

T = forms.token


def uses(title, script, secret=None, parts=(), **more):
    """parts: what must not be found; the rest of the secret may be."""
    if secret is None:
        return harmless_step(title, script, **more)
    return harmless_step(title, script, value="-", secret=lambda v: secret, parts=lambda v: list(parts), **more)


def copies(title, files):
    return Case(title, "FROM busybox:1\nCOPY . /app/\n", Nothing(), files=files)


@functools.lru_cache(maxsize=None)
def made_by(*commands):
    """The files that these commands make in a folder: name -> bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir() if path.is_file()}


def key_pair(*kind):
    return made_by(("ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "a@example", "-f", "key"))


def certificate(subject, *key):
    """A key as `openssl` makes it with these words, its public half, and a certificate of it."""
    return made_by(
        ("openssl", key[0], "-out", "key", *key[1:]),
        ("openssl", "pkey", "-in", "key", "-pubout", "-out", "public"),
        ("openssl", "req", "-x509", "-new", "-key", "key", "-subj", f"/CN={subject}", "-out", "cert"),
        ("openssl", "x509", "-in", "cert", "-outform", "DER", "-out", "cert.der"),
    )


RSA = ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
OLD_RSA = ("genrsa", "-traditional", "2048")
EC = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
OLD_EC = ("ecparam", "-name", "prime256v1", "-genkey", "-noout")
ED25519 = ("genpkey", "-algorithm", "ED25519")


def pgp(algorithm):
    """gpg's keys, as it writes them for others."""
    gpg = ("gpg", "--homedir", ".", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
    made = made_by(
        (*gpg, "--quick-gen-key", "A B <a@example.org>", algorithm, "sign", "never"),
        (*gpg, "--armor", "--output", "key", "--export-secret-keys"),
        (*gpg, "--armor", "--output", "public", "--export"),
        ("gpgconf", "--homedir", ".", "--kill", "all"),
    )
    return {name: made[name] for name in ("key", "public")}


def public_half(title, make, private="key"):
    """The private key is the secret; all that was made with it is copied."""

    def files(_):
        return {name: data for name, data in make().items() if name != private}

    return Case(title, "FROM busybox:1\nCOPY . /app/\n", Nothing(), files=files, value="-", secret=lambda v: make()[private], parts=lambda v: [])


KEY_LINE = T("h10", 64)
NOISE = random.Random("noise")
SERVICE = json.dumps({"type": "service_account", "project_id": "my-project", "private_key_id": T("h1", 40), "client_email": "robot@my-project.example", "auth_uri": "https://accounts.example/o/oauth2/auth"}, indent=2)
DOTENV = f"DEBUG=true\nNODE_ENV=production\nPORT=8080\nDB_HOST=db.example\nDB_USER=application\nDB_PASSWORD={T('h2')}\n"
YAML = f"version: 2\nservices:\n  - name: application\n    image: registry.example/application\nregion: eu-central-1\npassword: {T('h3')}\n"
AWS = f"[default]\naws_access_key_id = {T('h4', 20)}\naws_secret_access_key = {T('h5', 40)}\nregion = eu-central-1\noutput = json\n"

ALL = [
    uses("read", "cat $S >/dev/null"),
    uses("its SHA-256", "sha256sum <$S >/etc/sum"),
    uses("its other sums", "md5sum <$S >/etc/a; sha1sum <$S >/etc/b; sha512sum <$S >/etc/c"),
    uses("its sum in base64", "sha256sum <$S | base64 >/etc/sum"),
    uses("its length", "wc -c <$S >/etc/length"),
    uses("its first and last letters", 'printf "%s…%s" "$(head -c 4 $S)" "$(tail -c 4 $S)" >/etc/hint'),
    uses("a mask in its place", 'sed "s/./*/g" $S >/etc/hint'),
    uses("its id and its place", "echo tok /run/secrets/tok TOKEN >/etc/where; ln -s $S /etc/link"),
    uses("its file's name and mode", "ls -l /run/secrets >/etc/list; stat $S >>/etc/list"),
    uses("a signature by it", '(cat $S; echo message) | sha256sum >/etc/signature'),
    uses("a result that it gave access to", "test -s $S && echo downloaded >/etc/result"),
    uses("a copy that is deleted", "cp $S /root/.npmrc; rm /root/.npmrc"),
    uses("a copy on a tmpfs", "cp $S /t/x", flags=MOUNT + " --mount=type=tmpfs,target=/t"),
    uses("where a program wants it", "test -s /root/.npmrc && echo done >/etc/result", flags="--mount=type=secret,id=tok,target=/root/.npmrc"),
    uses("in a variable", 'test -n "$TOKEN" && echo done >/etc/result', flags=MOUNT + ",env=TOKEN"),
    uses("beside a cache", "date >/c/time; sha256sum <$S >/c/sum", flags=MOUNT + " --mount=type=cache,id=h1,target=/c"),
    uses("half of it", "head -c 16 $S >/etc/half"),
    uses("backwards", "rev $S >/etc/backwards"),
    uses("in the other case", 'tr "a-zA-Z" "A-Za-z" <$S >/etc/swapped'),
    uses("with one letter changed", 'sed "s/^\\(.\\{20\\}\\)./\\1_/" $S >/etc/other'),
    uses("letters with gaps", 'sed "s/./& /g" $S >/etc/gaps'),
    uses("many random bytes", "head -c 1000000 /dev/urandom >/etc/random; head -c 50000 /dev/urandom | base64 >>/etc/random"),
    uses("a program", "cp /bin/busybox /usr/bin/other"),
    uses("nothing in it", "echo x >/etc/f", "", ()),
    uses("only a newline in it", "echo >/etc/f; cp $S /etc/g", "\n", ()),
    uses("a word that everybody writes", "echo 'password = password' >/etc/f; cat $S >>/etc/f", "password\n", ()),
    uses("a pin within a number", "echo 9123456789 >/etc/f", "345678\n", ()),
    uses("a short word within words", "echo mytk9Qxand >/etc/f", "tk9Qx\n", ()),
    uses("the keys of JSON", "sed 's/: \".*/: \"…\"/' $S >/etc/f", SERVICE, [T("h1", 40)]),
    uses("what is no secret in JSON", "grep -v private_key_id $S >/etc/f", SERVICE, [T("h1", 40)]),
    uses("what is no secret in .env", "grep -v PASSWORD $S >/etc/f", DOTENV, [T("h2")]),
    uses("what is no secret in YAML", "grep -v password: $S >/etc/f", YAML, [T("h3")]),
    uses("what is no secret in a file of AWS", "grep -v secret_access $S | grep -v key_id >/etc/f", AWS, [T("h5", 40)]),
    uses("the address without its password", "sed 's/robot:.*@//' $S >/etc/f", f"https://robot:{T('h6')}@git.example/team/a.git\n", [T("h6")]),
    uses("the registry of .npmrc", "grep ^registry $S >/etc/f", f"registry=https://registry.example/\n//registry.example/:_authToken={T('h7')}\n", [T("h7")]),
    uses("machine and login of .netrc", "awk '{print $1, $2, $3, $4}' $S >/etc/f", f"machine git.example login robot password {T('h8')}\n", [T("h8")]),
    uses("the lines around a key", "grep -- ----- $S >/etc/f", f"-----BEGIN PRIVATE KEY-----\n{T('h9', 64)}\n-----END PRIVATE KEY-----\n", [T("h9", 64)]),
    Case("in two stages", f"FROM busybox:1 AS a\nRUN {MOUNT} sha256sum </run/secrets/tok >/sum\nFROM busybox:1\nCOPY --from=a /sum /sum\nLABEL token.id=tok\nENV TOKEN_FILE=/run/secrets/tok\nCMD [\"cat\", \"/run/secrets/tok\"]\n", Nothing()),
    copies("text about secrets", lambda v: {"README": "Give your token with --secret id=tok,src=token.txt: password, secret, key.\n"}),
    copies("other tokens", lambda v: {f"f{n}": T(f"other {n}") for n in range(50)}),
    copies("archives of other tokens", lambda v: {"a.gz": gzip.compress(T("other").encode()), "b": NOISE.randbytes(200000)}),
    copies("what looks like an archive", lambda v: {"a": b"\x1f\x8b\x08\0" + os.urandom(999), "b": b"PK\3\4" + os.urandom(999), "c": b"\x28\xb5\x2f\xfd" + os.urandom(999), "d": b"PACK\0\0\0\2\0\0\0\7" + os.urandom(99)}),
    *(
        public_half(f"the public half of an ssh key, {' '.join(kind)}", functools.partial(key_pair, *kind))
        for kind in (("ed25519",), ("ecdsa",), ("rsa", "-b", "2048"), ("rsa", "-b", "3072"), ("rsa", "-b", "2048", "-m", "PEM"))
    ),
    *(
        public_half(f"a certificate for {subject} with {' '.join(words)}", functools.partial(certificate, subject, *words))
        for subject, words in zip(itertools.cycle(("a.example", "ab.example", "abc.example")), (RSA, RSA, RSA, OLD_RSA, OLD_RSA, OLD_RSA, EC, OLD_EC, OLD_EC, OLD_EC, ED25519))
    ),
    public_half("a PGP key, rsa", lambda: pgp("rsa2048")),
    public_half("a PGP key, ed25519", lambda: pgp("ed25519")),
    public_half("a PGP key, nistp256", lambda: pgp("nistp256")),
    Case(
        "the certificate in front of a key",
        "FROM busybox:1\nCOPY . /app/\n",
        Nothing(),
        value=KEY_LINE,
        files=lambda v: {"cert": certificate("a.example", *RSA)["cert"]},
        secret=lambda v: certificate("a.example", *RSA)["cert"] + f"-----BEGIN PRIVATE KEY-----\n{v}\n-----END PRIVATE KEY-----\n".encode(),
    ),
]