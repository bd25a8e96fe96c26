# SPDX-License-Identifier: MIT
"""What a step leaves behind: in which place, how written, and when."""

from leaks import forms
from leaks.case import FAILURES, MOUNT, Case, Either, Nothing, Refused, environment_step, harmless_step, step

HALF = 14

PLACES = [
    step("copied", "cp $S /etc/leak", "/etc/leak"),
    step("with its owner and mode", "cp -p $S /etc/leak", "/etc/leak"),
    step("appended to a file of the base", "cat $S >>/etc/passwd", "/etc/passwd"),
    step("before the content of a file", "cat $S /etc/passwd >/etc/p && mv /etc/p /etc/passwd", "/etc/passwd"),
    step("in the middle of much else", "(head -c 200000 /dev/zero; cat $S; head -c 70000 /dev/zero) >/etc/leak", "/etc/leak"),
    step("at the end without a newline", 'printf "token=%s" "$(cat $S)" >/etc/leak', "/etc/leak"),
    step("nothing but it", 'printf %s "$(cat $S)" >/leak', "/leak"),
    step("in a file that nobody may read", "cp $S /etc/leak && chown 1000:1000 /etc/leak && chmod 0 /etc/leak", "/etc/leak"),
    step("in a folder that nobody may enter", "mkdir /etc/d && cp $S /etc/d/leak && chmod 0 /etc/d", "/etc/d/leak"),
    step("in a hidden file deep down", "mkdir -p /a/b/c/d/e/f/g && cp $S /a/b/c/d/e/f/g/.leak", "/a/b/c/d/e/f/g/.leak"),
    step("in a file whose name steers terminals", "cp $S \"$(printf '/etc/a\\033[2Jb')\"", "/etc/a"),
    step("in /tmp", "cp $S /tmp/leak", "/tmp/leak"),
    step("in /var/tmp", "mkdir -p /var/tmp && cp $S /var/tmp/leak", "/var/tmp/leak"),
    step("in /run", "cp $S /run/leak", "/run/leak"),
    step("in place of a link", "rm /bin/awk && cp $S /bin/awk", "/bin/awk"),
    step("through a link", "ln -s /etc/passwd /l && cat $S >>/l", "/etc/passwd"),
    step("renamed", "cp $S /etc/a && mv /etc/a /etc/b && mv /etc/b /etc/leak", "/etc/leak"),
    step("a file's name", 'touch "/etc/leak-$(cat $S)"', "/etc"),
    step("a folder's name", 'mkdir "/etc/leak-$(cat $S)" && touch "/etc/leak-$(cat $S)/f"', "/etc"),
    step("a named pipe's name", 'mkfifo "/etc/leak-$(cat $S)"', "/etc"),
    step("a deleted file's name", 'touch "/bin/$(cat $S)" && rm "/bin/$(cat $S)"', expected=Nothing()),
    step("a link's target", 'ln -s "/x/$(cat $S)" /etc/leak', "/etc/leak"),
    step("a link's name", 'ln -s /etc/passwd "/etc/$(cat $S)"', "/etc"),
    step("a hard link's name", 'ln /etc/passwd "/etc/$(cat $S)"', "/etc"),
    step("a file with two names", "cp $S /etc/leak && ln /etc/leak /etc/other", "/etc/"),
    step("an extended attribute", "touch /etc/leak && leak_probe attribute $S /etc/leak", "/etc/leak"),
    step("a folder's extended attribute", "mkdir /etc/leak && leak_probe attribute $S /etc/leak", "/etc/leak"),
    step("an extended attribute's name", "touch /etc/leak && leak_probe attribute-name $S /etc/leak", "/etc/leak"),
    step("written by many processes", "leak_probe many $S /etc/leak", "/etc/leak"),
    step("behind a hole of 64 MiB", "leak_probe at $S /etc/leak 67108864", "/etc/leak"),
    step("another user's file", "adduser -D -H bob 2>/dev/null || true; cp $S /tmp/leak; chown 1000 /tmp/leak", "/tmp/leak"),
]

FILES = [
    step("the address in .git/config", 'mkdir -p /src/.git && printf "[remote \\"origin\\"]\\n\\turl = https://robot:%s@git.example/a.git\\n" "$(cat $S)" >/src/.git/config', "/src/.git/config"),
    step(".git/FETCH_HEAD", 'mkdir -p /src/.git && echo "abc branch main of https://$(cat $S)@git.example/a" >/src/.git/FETCH_HEAD', "FETCH_HEAD"),
    step(".git-credentials", 'echo "https://robot:$(cat $S)@git.example" >/root/.git-credentials', "/root/.git-credentials"),
    step(".npmrc", 'echo "//registry.example/:_authToken=$(cat $S)" >/root/.npmrc', "/root/.npmrc"),
    step(".netrc", 'echo "machine git.example login robot password $(cat $S)" >/root/.netrc', "/root/.netrc"),
    step(".docker/config.json", 'mkdir /root/.docker && printf \'{"auths":{"r.example":{"auth":"%s"}}}\' "$(printf "robot:%s" "$(cat $S)" | base64 -w 0)" >/root/.docker/config.json', "/root/.docker/config.json", "base64"),
    step("pip.conf", 'mkdir -p /etc/pip && printf "[global]\\nindex-url = https://robot:%s@pypi.example/simple\\n" "$(cat $S)" >/etc/pip.conf', "/etc/pip.conf"),
    step("settings.xml", 'mkdir /root/.m2 && echo "<server><password>$(sed "s/&/\\&amp;/g;s/</\\&lt;/g;s/>/\\&gt;/g" $S)</password></server>" >/root/.m2/settings.xml', "/root/.m2/settings.xml", "xml", value=forms.marked("settings.xml")),
    step(".env", 'mkdir /app && echo "API_TOKEN=$(cat $S)" >/app/.env', "/app/.env"),
    step("a JSON file", 'mkdir /app && printf \'{"password": "%s"}\\n\' "$(sed \'s/["\\\\]/\\\\&/g\' $S)" >/app/config.json', "/app/config.json", ("json", "c", "shell"), value=forms.marked("JSON file")),
    step("a shell's history", 'echo "curl -H \'Authorization: Bearer $(cat $S)\' https://api.example" >>/root/.ash_history', "/root/.ash_history"),
    step(".pgpass", 'echo "db.example:5432:app:robot:$(cat $S)" >/root/.pgpass', "/root/.pgpass"),
    step("a compiled program", "(head -c 100000 /bin/busybox; cat $S; tail -c 100000 /bin/busybox) >/usr/bin/app", "/usr/bin/app"),
    step("crontab", 'mkdir -p /var/spool/cron && echo "0 * * * * curl https://api.example/?key=$(cat $S)" >/var/spool/cron/root', "/var/spool/cron/root"),
    step("a Kubernetes secret", "printf 'kind: Secret\\ndata:\\n  token: %s\\n' \"$(cat $S | base64 -w 0)\" >/etc/s.yaml", "/etc/s.yaml", "base64"),
    step("a folded log of base64", "(echo 'Authorization: Basic'; printf 'robot:%s:and more that follows' \"$(cat $S)\" | base64 -w 20) >/var/log", "/var/log", "base64"),
]

DUMPS = [
    environment_step("env in a file", "env >/etc/leak", "/etc/leak"),
    environment_step("/proc/self/environ", "cp /proc/self/environ /etc/leak", "/etc/leak"),
    environment_step("export -p", "export -p >/etc/leak", "/etc/leak", ("raw", "shell"), value=forms.marked("export -p")),
    environment_step("set in a file", "set >/etc/leak", "/etc/leak", ("raw", "shell"), value=forms.marked("set")),
    environment_step("env, packed", "env | gzip >/var/env.gz", "/var/env.gz"),
    environment_step("a template filled in", 'echo "token: $TOKEN" >/etc/leak', "/etc/leak"),
    environment_step("a child's environment", "sh -c 'tr \"\\000\" \"\\n\" </proc/$PPID/environ >/etc/leak'", "/etc/leak"),
    environment_step("set -x in a log", "(set -x; : curl -u robot:$TOKEN https://api.example) 2>/etc/log", "/etc/log"),
    step("set -x of what reads it", '(set -x; T=$(cat $S); : "$T") 2>/etc/log', "/etc/log"),
    step("tee", "cat $S | tee /etc/log", "/etc/log"),
    step("a log written in pieces", 'for c in $(sed "s/./& /g" $S); do printf %s $c >>/etc/log; sleep 0.001; done', "/etc/log"),
    step("a log of two writers", 'printf "a=%s" "$(cut -c 1-9 $S)" >>/etc/log; (cut -c 10- $S >>/etc/log)', "/etc/log"),
    step("a core dump", "ulimit -c unlimited 2>/dev/null || true; cd /tmp; leak_probe core $S || true", expected=Nothing()),
    step("hexdump", "xxd -p $S >/etc/leak", "/etc/leak", "hex"),
    step("od", "od -An -v -tx1 $S | tr -d ' \\n' >/etc/leak", "/etc/leak", "hex"),
    step("base64", "base64 $S >/etc/leak", "/etc/leak", "base64"),
    step("base64 of an address", "printf 'https://robot:%s@git.example/' $(cat $S) | base64 -w 0 >/etc/leak", "/etc/leak", "base64"),
    step("base64url", "(printf '?>~'; cat $S) | base64 -w 0 | tr '+/' '-_' | tr -d = >/etc/leak", "/etc/leak", ("base64", "base64url")),
    step("uuencode -m", "(echo name of a robot:; cat $S; echo and more) | uuencode -m x >/etc/leak", "/etc/leak", "base64"),
    step("base64 twice", "base64 -w 0 $S | base64 -w 0 >/etc/leak", "/etc/leak", "base64 of base64"),
]

TOOLS = [
    step("gzip", "gzip -c $S >/etc/leak.gz", "/etc/leak.gz"),
    step("gzip under another name", "gzip -c $S >/etc/leak.txt", "/etc/leak.txt"),
    step("bzip2", "bzip2 -c $S >/etc/leak", "/etc/leak"),
    step("tar", "tar -cf /etc/leak.tar -C /run/secrets .", "/etc/leak.tar"),
    step("tar.gz", "tar -czf /etc/leak.tgz -C /run/secrets .", "/etc/leak.tgz"),
    step("tar.bz2", "tar -cjf /etc/leak.tbz -C /run/secrets .", "/etc/leak.tbz"),
    step("tar.gz in tar.gz", "tar -czf /tmp/a.tgz -C /run/secrets . && tar -czf /etc/leak.tgz -C /tmp a.tgz && rm /tmp/a.tgz", "/etc/leak.tgz"),
    step("cpio", "(cd /run/secrets && echo tok | cpio -o -H newc) >/etc/leak.cpio", "/etc/leak.cpio"),
    step("cpio.gz", "(cd /run/secrets && echo tok | cpio -o -H newc) | gzip >/etc/leak", "/etc/leak"),
    step("base64 in gzip", "base64 -w 0 $S | gzip >/etc/leak", "/etc/leak", "base64"),
    step("gzip appended to gzip", "(gzip -c /etc/passwd; gzip -c $S) >/etc/leak", "/etc/leak"),
    step("a link in a tar.gz", 'mkdir /t && ln -s "/x/$(cat $S)" /t/l && tar -czf /etc/leak -C /t . && rm -r /t', "/etc/leak"),
    step("a name in a tar.gz", 'mkdir /t && touch "/t/$(cat $S)" && tar -czf /etc/leak -C /t . && rm -r /t', "/etc/leak"),
]

BORDERS = [
    step(f"across byte {border}, {before} of it before", f"(head -c {border - before} /dev/zero; cat $S) >/etc/leak", "/etc/leak")
    for border in (4096, 65536, 131072, 1 << 20)
    for before in (31, 16, 1)
] + [
    step("ends with byte 65536", "(head -c 65504 /dev/zero; head -c 32 $S) >/etc/leak", "/etc/leak"),
    step("across a border, in gzip", "(head -c 131060 /dev/zero; cat $S; head -c 99999 /dev/zero) | gzip >/etc/leak", "/etc/leak"),
    step("lines of base64 across a border", "(head -c 65500 /dev/zero; printf 'robot:%s:and more that follows' \"$(cat $S)\" | base64 -w 12) >/etc/leak", "/etc/leak", "base64"),
]

TIMES = [
    harmless_step("overwritten in the same step", "cp $S /etc/f && echo 12345678901234567890123456789012345678 >/etc/f"),
    harmless_step("deleted in the same step", "cp $S /etc/f && rm /etc/f"),
    harmless_step("its folder deleted in the same step", "mkdir /d && cp $S /d/f && rm -r /d"),
    harmless_step("moved to a tmpfs", "cp $S /etc/f && mv /etc/f /dev/shm/f"),
    harmless_step("cut off again", "(echo public; cat $S) >/etc/f && truncate -s 7 /etc/f"),
    Case(
        "deleted by a later step",
        f"FROM busybox:1\nRUN {MOUNT} cp /run/secrets/tok /etc/leak\nRUN rm /etc/leak\n",
        Refused("/etc/leak", "raw", 2),
    ),
    Case(
        "overwritten by a later step",
        f"FROM busybox:1\nRUN {MOUNT} cp /run/secrets/tok /etc/leak\nRUN echo >/etc/leak\n",
        Refused("/etc/leak", "raw", 2),
    ),
    Case(
        "appended by two steps",  # a piece alone is not seen; the layer of the second has the whole file
        f"FROM busybox:1\nRUN {MOUNT} cut -c 1-{HALF} /run/secrets/tok | tr -d '\\n' >/etc/log\n"
        f"RUN {MOUNT} cut -c {HALF + 1}- /run/secrets/tok >>/etc/log\n",
        Refused("/etc/log", "raw", 3),
    ),
    Case(
        "pieces in two files",  # this is where a search ends: neither file holds the secret
        f"FROM busybox:1\nRUN {MOUNT} cut -c 1-{HALF} /run/secrets/tok >/a\nRUN {MOUNT} cut -c {HALF + 1}- /run/secrets/tok >/b\n",
        Nothing(),
    ),
    step("a step that fails after it", "cp $S /etc/leak; exit 3", expected=Nothing(1)),
    step("a step that fails, killed", "cp $S /etc/leak; kill -9 $$", expected=Nothing(1)),
    step("a step that fails after filling a cache", "cp $S /c/leak; exit 3", flags=MOUNT + " --mount=type=cache,id=f,target=/c", expected=Nothing(1)),
    step("a mapping that nobody synced", "leak_probe mapping $S /etc/leak", "/etc/leak"),
    step("a file without a name", "leak_probe nameless $S /etc", expected=Nothing()),
    step("a file that gets its name at last", "leak_probe nameless $S /etc /etc/leak", "/etc/leak"),
    step("a daemon that holds a deleted file", "leak_probe hold-deleted $S /etc/leak", expected=Nothing()),
    step("the background, before the step ends", "(cp $S /etc/leak; sleep 30) & sleep 0.1", "/etc/leak"),
    harmless_step("the background, after the step ended", "(T=$(cat $S); sleep 0.2; echo $T >/etc/leak) &"),
    harmless_step("the background with nohup", "nohup sh -c 'sleep 0.2; cp /run/secrets/tok /etc/leak' >/dev/null 2>&1 &"),
    harmless_step("another session", "setsid sh -c 'sleep 0.2; cp /run/secrets/tok /etc/leak' >/dev/null 2>&1 &"),
    step("a daemon that writes later", "leak_probe late $S /etc/leak 100", expected=Nothing()),
    step("a daemon with an open file", "leak_probe late-open $S /etc/leak 100", expected=Nothing()),
    step("a daemon with a mapping", "leak_probe late-mapping $S /etc/leak 100", expected=Nothing()),
    step("a daemon that waits for a file", "mkdir /w; leak_probe watch $S /w /etc/leak; touch /w/go; sleep 0.1", "/etc/leak"),
    step("a daemon that nothing wakes", "mkdir /w; leak_probe watch $S /w /etc/leak", expected=Nothing()),
    step("a daemon that writes when it is told to end", "leak_probe asked $S /etc/leak", expected=Nothing()),
    # Where it writes right when the step ends, both are right; what is in the layer was searched.
    step("a daemon that writes while the step ends", "for i in 0 1 2 3 4 5 6 7; do leak_probe late $S /etc/leak$i $i; done", expected=Either()),
]

SYSTEM = [
    step("/etc/hosts", "cat $S >>/etc/hosts; cat /etc/hosts >/f", expected=Either()),
    step("/etc/hosts, only there", "cat $S >>/etc/hosts || true", expected=Nothing()),
    step("/etc/resolv.conf", "cat $S >/etc/resolv.conf || true", expected=Nothing()),
    step("/etc/hostname", "cat $S >/etc/hostname", "/etc/hostname"),
    step("the host's name", 'hostname "$(cat $S)" || true; hostname >/f', expected=Either()),
    step("/dev", "cp $S /dev/leak || true; mkdir /dev/d && cp $S /dev/d/leak || true", expected=Nothing()),
    step("/proc", 'printf %.15s "$(cat $S)" >/proc/self/comm || true; cat $S >/proc/sys/kernel/hostname || true', expected=Nothing()),
    step("/sys/fs/cgroup", 'mkdir "/sys/fs/cgroup/$(cat $S)" || true', expected=Nothing()),
    step("a socket's name", 'nc -l -s local:"/leak-$(cat $S)" & sleep 0.1; true', expected=Either()),
    step("a name that begins with .wh.", 'touch "/etc/.wh.$(cat $S)"', expected=Nothing(FAILURES)),
    step("in a file that begins with .wh.", "cp $S /etc/.wh.passwd", expected=Nothing(FAILURES)),
    step("an opaque folder's content", "rm -r /home && mkdir /home && cp $S /home/leak", "/home/leak"),
    step("where a deleted file was", "rm -r /home && cp $S /home", "/home"),
    step("the mount's own folder", "cp $S /run/secrets/copy", expected=Either()),
    step("a mode that nobody has", "cp $S /etc/leak && chmod 7777 /etc/leak", "/etc/leak"),
    step("a swap file", "(head -c 65536 /dev/zero; cat $S) >/swap && chmod 600 /swap", "/swap"),
    step("the log of the login", "mkdir -p /var/log; cat $S >>/var/log/wtmp", "/var/log/wtmp"),
]

MOUNTS = [
    harmless_step("a tmpfs", "cp $S /t/leak", flags=MOUNT + " --mount=type=tmpfs,target=/t"),
    harmless_step("/dev/shm", "cp $S /dev/shm/leak"),
    Case(
        "a bind mount for writing",
        f"FROM busybox:1\nRUN {MOUNT} --mount=type=bind,target=/b,rw cp /run/secrets/tok /b/leak && cat /run/secrets/tok >>/b/README\nRUN --mount=type=bind,target=/b test ! -e /b/leak\n",
        Nothing(),
        files=lambda v: {"README": "read me\n"},
    ),
    Case(
        "a stage, mounted for writing",
        f"FROM busybox:1 AS other\nRUN mkdir /d\nFROM busybox:1\nRUN {MOUNT} --mount=type=bind,from=other,source=/d,target=/b,rw cp /run/secrets/tok /b/leak\nCOPY --from=other /d /d\n",
        Nothing(),
    ),
    step("a cache", "cp $S /c/leak", "/c/leak", flags=MOUNT + " --mount=type=cache,id=c1,target=/c"),
    step("a cache, packed", "tar -czf /c/leak.tgz -C /run/secrets .", "/c/leak.tgz", flags=MOUNT + " --mount=type=cache,id=c2,target=/c"),
    step("a cache, in base64", "base64 $S >/c/leak", "/c/leak", "base64", flags=MOUNT + " --mount=type=cache,id=c3,target=/c"),
    step("a name in a cache", 'touch "/c/$(cat $S)"', "/c", flags=MOUNT + " --mount=type=cache,id=c4,target=/c"),
    step("a link in a cache", 'ln -s "/$(cat $S)" /c/leak', "/c/leak", flags=MOUNT + " --mount=type=cache,id=c5,target=/c"),
    step("an attribute in a cache", "touch /c/leak; leak_probe attribute $S /c/leak", "/c/leak", flags=MOUNT + " --mount=type=cache,id=c6,target=/c"),
    step("a cache of its own", "cp $S /c/leak", "/c/leak", flags=MOUNT + " --mount=type=cache,id=c7,target=/c,sharing=private"),
    step("a locked cache", "mkdir /c/d; cp $S /c/d/leak", "/c/d/leak", flags=MOUNT + " --mount=type=cache,id=c8,target=/c,sharing=locked"),
    harmless_step("a cache, deleted there again", "cp $S /c/leak; rm /c/leak", flags=MOUNT + " --mount=type=cache,id=c9,target=/c"),
    harmless_step("a daemon that writes to a cache later", "(sleep 0.2; cp $S /c/leak) &", flags=MOUNT + " --mount=type=cache,id=c10,target=/c"),
    Case(
        "a cache that a later step reads",
        f"FROM busybox:1\nRUN {MOUNT} --mount=type=cache,id=r,target=/c cp /run/secrets/tok /c/leak\nRUN --mount=type=cache,id=r,target=/c cp /c/leak /etc/leak\n",
        Refused("/c/leak", "raw", 2),
    ),
    Case(
        "a cache that a later step without the mount fills",
        "FROM busybox:1\nRUN --mount=type=cache,id=s,target=/c --mount=type=bind,target=/b cp /b/planted /c/leak\n",
        Refused("/c/leak", "raw", 2),
        files=lambda v: {"planted": v},
    ),
    step("the mount's own place", "cp -r /run/secrets /etc/leak", "/etc/leak"),
    step("another target", "cp /root/.npmrc /root/.npmrc.bak", "/root/.npmrc.bak", flags="--mount=type=secret,id=tok,target=/root/.npmrc"),
]

STAGES = [
    Case("a stage that is not exported", f"FROM busybox:1 AS build\nRUN {MOUNT} cp /run/secrets/tok /leak\nRUN echo 1 >/result\nFROM busybox:1\nCOPY --from=build /result /result\n", Refused("/leak", "raw", 2)),
    Case("COPY --from of a stage", f"FROM busybox:1 AS build\nRUN {MOUNT} mkdir /out && cp /run/secrets/tok /out/leak\nFROM busybox:1\nCOPY --from=build /out /out\n", Refused("/out/leak", "raw", 2)),
    Case("a stage that nobody needs", f"FROM busybox:1 AS unused\nRUN {MOUNT} cp /run/secrets/tok /leak\nFROM busybox:1\nRUN true\n", Nothing()),
    Case("a shell step in a stage with another shell", f'FROM busybox:1\nSHELL ["/bin/sh", "-xc"]\nRUN {MOUNT} cat /run/secrets/tok >/leak\n', Refused("/leak", "raw", 3)),
    Case("a step in exec form", f'FROM busybox:1\nRUN {MOUNT} ["cp", "/run/secrets/tok", "/leak"]\n', Refused("/leak", "raw", 2)),
    Case("a user's step", f"FROM busybox:1\nUSER app\nRUN {MOUNT},uid=1000 cp /run/secrets/tok /tmp/leak\n", Refused("/tmp/leak", "raw", 3)),
    Case("ONBUILD of a base", f"FROM onbuild:1\nRUN true\n", Refused("/leak", "raw")),
]

ALL = PLACES + FILES + DUMPS + TOOLS + BORDERS + TIMES + SYSTEM + MOUNTS + STAGES
