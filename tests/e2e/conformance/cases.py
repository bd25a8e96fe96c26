# SPDX-License-Identifier: MIT
"""Reads the .cases files beside it, and judges an image by what a case says.

A file is a list of cases. Before the first one there may be comments (#) and settings that hold for the whole file.

    === the title of the case
    args: --target=final --secret id=t,src={files}/t     options; {context} and {files} are folders
    env: A=1 B=2                                         the environment of the builder
    stdin: Buildfile                                     the Buildfile comes on standard input
    stdin: context [gzip|bzip2|xz|zstd]                  the context does, as a tar archive with the Buildfile in it
    error: 2, line 3, unknown instruction                the build fails: exit status, line, words of the message
    layers: 2                                            how many the build adds to the base
    says: no such user                                   words of the output of a build that succeeds
    differs: why buildah does something else             it is not asked about this case (empty: it is)
    --- Buildfile [NAME]                                 the text to build; invisible characters as in INVISIBLE
    --- context                                          what else is in the context
    --- files                                            files beside the context
    --- archive NAME [gzip|bzip2|xz|zstd]                a tar archive in the context
    --- image NAME                                       a Buildfile that is built before, under that name
    --- fs                                               every way in which the file system differs from the base's
    --- config                                           Key: JSON; what is not named is not set
    --- history                                          'layer TEXT' or 'empty TEXT', one line an instruction

The lines of context, files, archives and fs. Without them a mode is 0644, a folder's 0755, and the owner 0:0.

    name 0600 1:2 @86400 "text\\n"     a file with its mode, owner, time and content; * is any content
    name/ 0700                        a folder
    name -> target                    a symbolic link
    name => other                     another name of the same file
    name fifo                         a named pipe
    !name                             (fs) it is in the base, but no more
    "a name"                          any name or target may be quoted as JSON is
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import re
import shlex
import subprocess
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
INVISIBLE = {"␠": " ", "␉": "\t", "␍": "\r", "␀": "\0", "␄\n": "", "⟪BOM⟫": "\ufeff"}
SETTINGS = ("args", "env", "stdin", "error", "layers", "says", "differs")
SECTIONS = ("Buildfile", "context", "files", "archive", "image", "fs", "config", "history")
TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"[/]?|\S+)')
ERROR = re.compile(r"([123])(?:, line (\d+))?(?:, (.+))?")
UNSAID = "nobody said that it changes"
KEYS = (
    "User WorkingDir Cmd Entrypoint Env Labels ExposedPorts Volumes StopSignal Shell Healthcheck OnBuild author"
).split()
OUTER_KEYS = ("created", "os", "architecture", "variant")  # looked at where a case names them


class CaseError(Exception):
    """The case itself is wrong."""


class Entry:
    """A file of a case or of an image. What is None was not said."""

    def __init__(self, kind, mode=None, owner=(0, 0), mtime=None, content=None, target=None):
        self.kind, self.mode, self.owner, self.mtime = kind, mode, owner, mtime
        self.content, self.target = content, target

    def shown(self):
        kinds = {"dir": "folder", "link": f"link to {self.target}", "same": f"same file as {self.target}"}
        mode = "" if self.mode is None or self.kind in ("link", "same") else f" {self.mode:04o}"
        owner = "" if self.kind == "same" else f" {self.owner[0]}:{self.owner[1]}"
        time = "" if self.mtime is None else f" @{self.mtime}"
        content = f" {self.content!r}" if self.kind == "file" else ""
        return kinds.get(self.kind, self.kind) + mode + owner + time + content

    def is_like(self, got, tree):
        """Is this expectation met by that entry of an image's tree?"""
        if self.kind == "same":
            return got.kind == "file" and tree.get(self.target) is got
        return (
            self.kind == got.kind
            and self.owner == got.owner
            and (self.kind == "link" or self.mode == got.mode)
            and (self.mtime is None or self.mtime == got.mtime)
            and (self.content is None or self.content == got.content)
            and (self.kind != "link" or self.target == got.target)
        )


def unquoted(token):
    if not token.startswith('"'):
        return token
    tail = "/" if token.endswith("/") else ""
    return json.loads(token.removesuffix("/")) + tail


def parse_entry(line):
    """One line of a context, an archive or a file system: (path, Entry), or (path, None) for !path."""
    tokens = TOKEN.findall(line)
    path = unquoted(tokens.pop(0))
    if path.startswith("!"):
        if tokens:
            raise CaseError(f"words after !name: {line}")
        return path[1:].strip("/"), None
    kind = "dir" if path.endswith("/") else "file"
    entry = Entry(kind, 0o755 if kind == "dir" else 0o644)
    while tokens:
        token = tokens.pop(0)
        if re.fullmatch(r"[0-7]{4}", token):
            entry.mode = int(token, 8)
        elif re.fullmatch(r"\d+:\d+", token):
            entry.owner = tuple(map(int, token.split(":")))
        elif re.fullmatch(r"@\d+", token):
            entry.mtime = int(token[1:])
        elif token in ("->", "=>") and tokens and kind == "file":
            entry.kind = "link" if token == "->" else "same"
            entry.target = unquoted(tokens.pop(0))
        elif token == "fifo":
            entry.kind = "fifo"
        elif token.startswith('"') and kind == "file" and not tokens:
            entry.content = json.loads(token).encode()
        elif token == "*" and not tokens:
            return path, entry
        else:
            raise CaseError(f"not understood: {token!r} in: {line}")
    if entry.kind == "file" and entry.content is None:
        raise CaseError(f"a file has a content, or * for any: {line}")
    return path.strip("/"), entry


def parse_entries(lines):
    entries = {}
    for line in lines:
        if line.strip():
            path, entry = parse_entry(line)
            if path in entries:
                raise CaseError(f"'{path}' is named twice")
            entries[path] = entry
    return entries


class Case:
    def __init__(self, topic, number, title, settings):
        self.topic, self.number, self.title = topic, number, title
        self.settings = settings
        self.buildfile = self.buildfile_name = None
        self.context, self.files, self.archives, self.images = {}, {}, [], []
        self.fs = self.config = self.history = None

    @property
    def id(self):
        return f"{self.topic}-{re.sub(r'[^A-Za-z0-9=.$-]+', '_', self.title).strip('_')}"

    def add_section(self, head, lines):
        name, *words = head.split()
        if name not in SECTIONS or (words and name in ("context", "files", "fs", "config", "history")):
            raise CaseError(f"unknown section '{head}'")
        text = "".join(line + "\n" for line in lines)
        for shown, meant in INVISIBLE.items():
            text = text.replace(shown, meant)
        if name == "Buildfile":
            self.buildfile, self.buildfile_name = text, words[0] if words else "Buildfile"
        elif name == "image":
            self.images.append((words[0], text))
        elif name == "archive":
            self.archives.append((words[0], words[1] if len(words) > 1 else "", parse_entries(lines)))
        elif name == "config":
            self.config = parse_config(lines)
        elif name == "history":
            self.history = [tuple(line.split(" ", 1)) for line in lines if line]
        else:
            setattr(self, name, parse_entries(lines))

    def check(self):
        said = [self.fs, self.config, self.history, self.settings.get("layers"), self.settings.get("error")]
        if all(part is None for part in said):
            raise CaseError("it expects nothing")
        if "error" in self.settings and any(part is not None for part in said[:-1]):
            raise CaseError("it expects an error and an image")

    @property
    def error(self):
        """(status, line or None, words or '') or None."""
        if "error" not in self.settings:
            return None
        status, line, words = ERROR.fullmatch(self.settings["error"]).groups()
        return int(status), line and int(line), words or ""

    def arguments(self, context, files):
        text = self.settings.get("args", "").replace("{context}", str(context)).replace("{files}", str(files))
        return shlex.split(text)

    def environment(self):
        return dict(word.split("=", 1) for word in shlex.split(self.settings.get("env", "")))

    def standard_input(self):
        """(what the builder reads, does it stand for the context?); nothing and False where it reads nothing."""
        what, *packing = self.settings.get("stdin", "").split() or [""]
        if what == "Buildfile":
            return self.buildfile.encode(), False
        if what != "context":
            return None, False
        entries = dict(self.context)
        if self.buildfile is not None:
            entries[self.buildfile_name] = Entry("file", 0o644, content=self.buildfile.encode())
        return make_archive(entries, *packing or [""]), True

    def lay_out(self, folder):
        """Makes the context and the files beside it; returns both folders."""
        context, files = folder / "context", folder / "files"
        make_tree(context, self.context)
        make_tree(files, self.files)
        for name, packing, entries in self.archives:
            (context / name).write_bytes(make_archive(entries, packing))
        if self.buildfile is not None and "stdin" not in self.settings:
            (context / self.buildfile_name).write_bytes(self.buildfile.encode())
        return context, files


def parse_config(lines):
    config = {}
    for line in lines:
        if not line:
            continue
        key, colon, value = line.partition(": ")
        if not colon or key not in (*KEYS, *OUTER_KEYS) or key in config:
            raise CaseError(f"config: {line}")
        config[key] = json.loads(value)
    return config


class Reader:
    """Takes the lines of one file, one after the other."""

    def __init__(self, topic):
        self.topic = topic
        self.cases, self.defaults = [], {}
        self.section, self.body = None, []

    def take(self, number, line):
        if line.startswith("=== "):
            self.end_case()
            self.cases.append(Case(self.topic, number, line[4:], dict(self.defaults)))
        elif line.startswith("--- ") and self.cases:
            self.end_section()
            self.section = line[4:]
        elif self.section is not None:
            self.body.append(line)
        elif line and not line.startswith("#"):
            self.take_setting(line)

    def take_setting(self, line):
        name, colon, value = line.partition(":")
        if not colon or name not in SETTINGS:
            raise CaseError(f"'{line}' is no setting, and no section has begun")
        if name == "error" and not ERROR.fullmatch(value.strip()):
            raise CaseError("error: STATUS[, line N][, words]")
        settings = self.cases[-1].settings if self.cases else self.defaults
        settings[name] = value.strip()

    def end_section(self):
        if self.section is not None:
            while self.body and not self.body[-1]:
                self.body.pop()
            self.cases[-1].add_section(self.section, self.body)
        self.section, self.body = None, []

    def end_case(self):
        self.end_section()
        if self.cases:
            self.cases[-1].check()
            if self.cases[-1].id in [case.id for case in self.cases[:-1]]:
                raise CaseError(f"two cases are called '{self.cases[-1].title}'")


def parse(topic, text):
    """All cases of one file's text."""
    reader = Reader(topic)
    number = 0
    try:
        for number, line in enumerate(text.split("\n"), 1):
            reader.take(number, line)
        reader.end_case()
    except (CaseError, ValueError) as error:
        raise CaseError(f"{topic}.cases:{number}: {error}") from error
    return reader.cases


def load_all():
    files = sorted(HERE.glob("*.cases"))
    return [case for path in files for case in parse(path.stem, path.read_text(encoding="utf-8"))]


def make_tree(folder, entries):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for name, entry in entries.items():
        path = folder / name
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir()
                parent.chmod(0o755)
        if entry.kind == "dir":
            path.mkdir(exist_ok=True)
        elif entry.kind == "link":
            path.symlink_to(entry.target)
        elif entry.kind == "same":
            os.link(folder / entry.target, path)
        elif entry.kind == "fifo":
            os.mkfifo(path)
        else:
            path.write_bytes(entry.content)
    # From the leaves up: a folder that nobody may write to, and times that nothing moves any more.
    for name, entry in reversed(list(entries.items())):
        if entry.kind not in ("link", "same"):
            (folder / name).chmod(entry.mode)
        if entry.mtime is not None:
            os.utime(folder / name, (entry.mtime, entry.mtime), follow_symlinks=False)


def make_archive(entries, packing):
    types = {"dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "same": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in entries.items():
            info = tarfile.TarInfo(name)
            info.type = types.get(entry.kind, tarfile.REGTYPE)
            info.mode, info.mtime, info.linkname = entry.mode, entry.mtime or 0, entry.target or ""
            info.uid, info.gid = entry.owner
            info.size = len(entry.content or b"")
            tar.addfile(info, io.BytesIO(entry.content or b""))
    pack = {"": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}
    return pack[packing](out.getvalue())


def zstd(data):
    return subprocess.run(["zstd", "-cq"], input=data, capture_output=True, check=True).stdout


class Image:
    """An image as its config and layers say: tree is path -> Entry, whiteouts applied."""

    def __init__(self, config, tars):
        self.config = config
        self.layers = len(tars)
        self.tree = {}
        for tar in tars:
            apply_layer(self.tree, tar)


def apply_layer(tree, tar):
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = [(m.name.removeprefix("./").strip("/"), m) for m in archive]
        members = [(path, m) for path, m in members if path not in ("", ".")]
        for path, _ in members:
            folder, _, name = path.rpartition("/")
            if name == ".wh..wh..opq":
                remove_below(tree, folder)
            elif name.startswith(".wh."):
                gone = f"{folder}/{name[4:]}".lstrip("/")
                tree.pop(gone, None)
                remove_below(tree, gone)
        for path, member in members:
            if path.rpartition("/")[2].startswith(".wh."):
                continue
            if not member.isdir():
                remove_below(tree, path)
            if member.islnk():
                tree[path] = tree[member.linkname.removeprefix("./").strip("/")]
                continue
            entry = Entry("other", member.mode & 0o7777, (member.uid, member.gid), int(member.mtime))
            if member.isdir():
                entry.kind = "dir"
            elif member.issym():
                entry.kind, entry.target = "link", member.linkname
            elif member.isfifo():
                entry.kind = "fifo"
            elif member.isreg():
                entry.kind, entry.content = "file", archive.extractfile(member).read()
            tree[path] = entry


def remove_below(tree, folder):
    for path in [p for p in tree if p.startswith(folder + "/" if folder else "")]:
        del tree[path]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """Reads images out of an OCI layout that grows; each blob is read and verified once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.known = {}

    def blob(self, descriptor):
        name = descriptor["digest"]
        if name not in self.known:
            data = (self.folder / "blobs" / name.replace(":", "/")).read_bytes()
            assert digest(data) == name and len(data) == descriptor["size"]
            self.known[name] = data
        return self.known[name]

    def manifest(self, name):
        index = json.loads((self.folder / "index.json").read_bytes())
        named = [m for m in index["manifests"] if name in str(m.get("annotations", {}).values())]
        return json.loads(self.blob(named[-1]))

    def image(self, name, base=None):
        """base: the Image below it, whose layers are not read again."""
        manifest = self.manifest(name)
        config = json.loads(self.blob(manifest["config"]))
        return image_of(config, [lambda d=d: self.blob(d) for d in manifest["layers"]], base)


def image_of(config, blobs, base):
    """blobs: one function a layer, which gives its bytes."""
    below = base.config["rootfs"]["diff_ids"] if base else []
    diff_ids = config["rootfs"]["diff_ids"] or []
    assert len(diff_ids) == len(blobs)
    if not below or diff_ids[: len(below)] != below:
        below, base = [], None
    tars = []
    for diff_id, blob in list(zip(diff_ids, blobs))[len(below) :]:
        data = blob()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        assert digest(data) == diff_id
        tars.append(data)
    image = Image(config, [])
    image.layers = len(tars)
    image.base = base
    if base:
        image.tree = dict(base.tree)
    for tar in tars:
        apply_layer(image.tree, tar)
    return image


def differences(case, image):
    """What of the image is not as the case says: a list of sentences, empty if all is well."""
    found = []
    if "layers" in case.settings and image.layers != int(case.settings["layers"]):
        found.append(f"layers: {image.layers}, wanted {case.settings['layers']}")
    if case.fs is not None:
        found += fs_differences(case.fs, image)
    if case.config is not None:
        found += config_differences(case.config, image.config)
    if case.history is not None:
        found += history_differences(case.history, image)
    return found


def fs_differences(wanted, image):
    before = image.base.tree if image.base else {}
    found = []
    for path in sorted({*wanted, *before, *image.tree}):
        got = image.tree.get(path)
        shown = got.shown() if got else "nothing"
        if path not in wanted:
            old = before.get(path)
            if old is None or got is None or (got is not old and not unchanged(old, got)):
                found.append(f"/{path}: {shown}; {UNSAID}")
        elif wanted[path] is None:
            if got is not None or path not in before:
                found.append(f"/{path}: {shown}, wanted it gone")
        elif got is None or not wanted[path].is_like(got, image.tree):
            found.append(f"/{path}: {shown}, wanted {wanted[path].shown()}")
    return found


def unchanged(old, got):
    same_mode = got.kind == "link" or old.mode == got.mode
    return (old.kind, old.owner, old.content, old.target) == (
        got.kind,
        got.owner,
        got.content,
        got.target,
    ) and same_mode


def config_differences(wanted, config):
    run = config.get("config") or {}
    outer = {key: config.get(key) for key in OUTER_KEYS if key in wanted}
    found = [f"{key}: {got!r}, wanted {wanted[key]!r}" for key, got in outer.items() if got != wanted[key]]
    for key in KEYS:
        got = config.get("author") if key == "author" else run.get(key)
        if key in ("ExposedPorts", "Volumes"):
            got = sorted(got or {})
        if key == "Env" and not any(item.startswith("PATH=") for item in wanted.get("Env", [])):
            got = [item for item in got or [] if not item.startswith("PATH=")]
        if key == "WorkingDir" and key not in wanted and got == "/":
            continue
        if key == "Healthcheck" and got:
            got = {name: value for name, value in got.items() if value}
        if key in wanted and got != wanted[key] or key not in wanted and got:
            found.append(f"{key}: {got!r}, wanted {wanted.get(key)!r}")
    return found


def history_differences(wanted, image):
    entries = image.config.get("history") or []
    if image.base:
        entries = entries[len(image.base.config.get("history") or []) :]
    got = [("empty" if e.get("empty_layer") else "layer", e.get("created_by", "")) for e in entries]
    got = [(kind, text.removesuffix(" # buildkit")) for kind, text in got]
    return [] if got == wanted else [f"history: {got}", f"  wanted: {wanted}"]
