# SPDX-License-Identifier: MIT
"""What a step can't do, and what it sees: tried from inside, and looked at from the host."""

import os
import pathlib
import platform
import resource

import pytest

import processes
from conftest import IS_ROOT

# Docker's default set; what a build needs less is fine, what is more is not.
DOCKER_CAPS = 0x00000000A80425FB

# Numbers of the two 64-bit ABIs that the tests run on.
SYSCALLS = {
    "x86_64": {
        "mount": 165, "pivot_root": 155, "bpf": 321, "userfaultfd": 323, "keyctl": 250, "add_key": 248,
        "perf_event_open": 298, "io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "move_mount": 429,
        "mount_setattr": 442, "init_module": 175, "kexec_load": 246, "setns": 308, "open_by_handle_at": 304,
        "swapon": 167, "reboot": 169, "quotactl": 179, "clone3": 435,
    },
    "aarch64": {
        "mount": 40, "pivot_root": 41, "bpf": 280, "userfaultfd": 282, "keyctl": 219, "add_key": 217,
        "perf_event_open": 241, "io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "move_mount": 429,
        "mount_setattr": 442, "init_module": 105, "kexec_load": 104, "setns": 268, "open_by_handle_at": 265,
        "swapon": 224, "reboot": 142, "quotactl": 60, "clone3": 435,
    },
}  # fmt: skip
NUMBERS = SYSCALLS.get(platform.machine(), {})


@pytest.fixture(scope="module")
def seen(sb, probe):
    """The step's own view of itself, asked once: name -> text."""
    questions = {
        "status": "cat /proc/self/status",
        "status_user": "cat /proc/self/status",
        "mounts": "cat /proc/self/mountinfo",
        "dev": "cd /dev && for f in *; do stat -c '%n %F %t:%T %a' $f; done",
        "links": "cd /dev && for f in fd stdin stdout stderr ptmx; do echo $f $(readlink $f); done",
        "pids": "ls /proc | grep -E '^[0-9]+$'",
        "one": "cat /proc/1/environ /proc/1/cmdline 2>&1; ls -l /proc/1/fd 2>&1; ls /proc/1/root/ 2>&1",
        "uid_map": "cat /proc/self/uid_map",
        "cgroup": "cat /proc/self/cgroup",
        "limits": "probe limits",
        "fds": "probe fds",
        "sys": "touch /sys/x 2>&1; ls /sys/firmware; echo end",
        "namespaces": "cd /proc/self/ns && for n in *; do echo $n $(readlink $n); done",
    }
    lines = ["FROM probe:1", "RUN mkdir -m 1777 /o"]
    for name, command in questions.items():
        lines.append("USER app" if name == "status_user" else "USER root")
        lines += [f"RUN <<'END_OF_SCRIPT'\n({command}) >/o/{name}\nexit 0\nEND_OF_SCRIPT"]
    files = sb.image("\n".join(lines) + "\n").files()
    return {name: files["o/" + name][1].decode() for name in questions}


def fields(text):
    return {key: value.strip() for key, value in (line.split(":", 1) for line in text.splitlines())}


def test_capabilities_are_no_more_than_dockers(seen):
    status = fields(seen["status"])
    for field in ("CapBnd", "CapPrm", "CapEff"):
        assert int(status[field], 16) & ~DOCKER_CAPS == 0, field
    assert int(status["CapEff"], 16) != 0, "container root can chown"
    assert int(status["CapAmb"], 16) == 0 and int(status["CapInh"], 16) == 0


def test_a_user_has_no_capability_but_the_same_bounds(seen):
    status = fields(seen["status_user"])
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    assert int(status["CapBnd"], 16) & ~DOCKER_CAPS == 0


def test_the_seccomp_filter_is_on(seen):
    assert fields(seen["status"])["Seccomp"] == "2"


def test_no_new_privileges_only_with_strict(sb, seen):
    assert fields(seen["status"])["NoNewPrivs"] == "0"
    image = sb.image("FROM busybox:1\nRUN grep NoNewPrivs /proc/self/status >/out\n", "--strict")
    assert image.read("out").split() == [b"NoNewPrivs:", b"1"]


def tried(sb, commands, base="probe:1", *args):
    """What each command printed, its messages included."""
    script = "\n".join(f"echo \"$({command} 2>&1)\" | tr '\\n' ' '; echo" for command in commands)
    image = sb.image(f"FROM {base}\nRUN <<'END_OF_SCRIPT' sh >/out\n{script}\nEND_OF_SCRIPT\n", *args)
    return dict(zip(commands, image.read("out").decode().splitlines()))


def test_new_user_namespaces_are_refused(sb, probe):
    clone_newuser = "0x10000000"
    answers = tried(sb, [f"probe unshare {clone_newuser}", f"probe clone {clone_newuser}", "unshare -U true; echo $?"])
    for answer in answers.values():
        assert answer.strip() not in ("ok", "0"), answers


def test_new_namespaces_of_any_kind_are_refused(sb, probe):
    flags = {"mnt": 0x20000, "net": 0x40000000, "pid": 0x20000000, "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000}
    answers = tried(sb, [f"probe unshare {value:#x}" for value in flags.values()])
    assert all(answer.strip() in ("EPERM", "ENOSYS") for answer in answers.values()), answers


def test_mounting_is_refused(sb, probe):
    commands = [
        "mount -t tmpfs none /mnt; echo $?",
        "mount -t proc none /proc; echo $?",
        "mount --bind /etc /mnt; echo $?",
        "mount -o remount,rw /sys; echo $?",
        "umount /proc/kcore; echo $?",
        "umount /etc/hosts; echo $?",
    ]
    for command, answer in tried(sb, ["mkdir -p /mnt", *commands]).items():
        assert command.startswith("mkdir") or answer.split()[-1] != "0", (command, answer)


@pytest.mark.skipif(not NUMBERS, reason="system call numbers of this machine are not in the table")
def test_dangerous_system_calls_are_refused(sb, probe):
    names = [name for name in NUMBERS if name != "clone3"]
    answers = tried(sb, [f"probe syscall {NUMBERS[name]}" for name in names])
    for name, answer in zip(names, answers.values()):
        assert answer.strip() in ("EPERM", "ENOSYS"), (name, answer)


@pytest.mark.skipif(not NUMBERS, reason="system call numbers of this machine are not in the table")
def test_clone3_says_that_it_is_not_there_so_that_programs_use_clone(sb, probe):
    (answer,) = tried(sb, [f"probe syscall {NUMBERS['clone3']}"]).values()
    assert answer.strip() == "ENOSYS"


def test_input_of_a_terminal_can_not_be_faked(sb, probe):
    ioctl = {"x86_64": 16, "aarch64": 29}.get(platform.machine())
    if ioctl:
        (answer,) = tried(sb, [f"probe syscall {ioctl} 0 0x5412 0"]).values()
        assert answer.strip() in ("EPERM", "ENOSYS")


def test_kernel_settings_can_not_be_written(sb):
    paths = [
        "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory",
        "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity", "/sys/kernel/mm/transparent_hugepage/enabled",
    ]  # fmt: skip
    for path, answer in tried(sb, [f"echo 0 >{path} && echo written" for path in paths], "busybox:1").items():
        assert "written" not in answer, path


def test_masked_paths_hold_nothing(sb):
    files = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats", "/proc/sched_debug"]
    folders = ["/proc/acpi", "/proc/scsi", "/proc/asound", "/sys/firmware", "/sys/devices/virtual/powercap"]
    commands = [f"head -c 1 {path} | wc -c" for path in files] + [f"ls -A {path} | wc -l" for path in folders]
    for command, answer in tried(sb, commands, "busybox:1").items():
        assert answer.split()[-1] == "0" or "No such file" in answer, (command, answer)


def test_devices_are_dockers_few(seen):
    nodes = {line.split()[0]: line for line in seen["dev"].splitlines()}
    numbers = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
    for name, number in numbers.items():
        assert "character special file" in nodes[name] and number in nodes[name]
    allowed = {*numbers, "fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue", "console", "core"}
    assert set(nodes) <= allowed
    links = dict(line.split() for line in seen["links"].splitlines())
    assert links["fd"] == "/proc/self/fd" and links["stdout"] == "/proc/self/fd/1"


def test_devices_work_and_no_others_can_be_made(sb, probe):
    commands = [
        "head -c 4 /dev/zero | od -An -tx1",
        "head -c 8 /dev/urandom | wc -c",
        "echo x >/dev/null && echo fine",
        "echo x >/dev/full || echo full",
        "mknod /tmp/sda b 8 0 && head -c 1 /tmp/sda && echo read",
        "mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem && echo read",
        "echo x >/dev/shm/f && cat /dev/shm/f",
    ]
    answers = [answer.strip() for answer in tried(sb, commands).values()]
    assert answers[0] == "00 00 00 00" and answers[1] == "8" and answers[2] == "fine"
    assert answers[3].endswith("full")
    assert "read" not in answers[4] + answers[5]
    assert answers[6] == "x"


def test_processes_of_the_host_are_not_seen(seen):
    assert {int(pid) for pid in seen["pids"].split()} < set(range(1, 40))


def test_the_first_process_tells_nothing(sb, probe):
    marker = "environment-of-the-builder-42"
    image = sb.image(
        "FROM probe:1\nRUN (cat /proc/1/environ /proc/1/cmdline /proc/1/maps; ls -l /proc/1/fd /proc/1/cwd; "
        "ls /proc/1/root/; cat /proc/1/root/etc/hostname; cat /proc/1/mem | head -c 1) >/out 2>&1; "
        "probe ptrace 1 >/ptrace\n",
        env={"BUILDER_MARKER": marker},
    )
    out = image.read("out").decode(errors="replace")
    assert marker not in out and str(sb.folder) not in out
    host_name = pathlib.Path("/etc/hostname")
    if host_name.exists() and host_name.read_text().strip():
        assert host_name.read_text().strip() not in out
    assert image.read("ptrace").split()[0] != b"ok"


def test_the_host_file_system_is_not_reachable(sb, seen):
    assert str(sb.folder) not in seen["mounts"].replace("lowerdir", "").split(" - ")[0]
    roots = [line.split() for line in seen["mounts"].splitlines() if line.split()[4] == "/"]
    assert len(roots) == 1, "one root, nothing below it"


def test_open_descriptors_are_the_three(seen):
    assert set(seen["fds"].split()) <= {"0", "1", "2", "3", "ok"}


def test_core_dumps_are_off(seen):
    assert "core 0 " in seen["limits"] or "core 1 " in seen["limits"]


def test_namespaces_are_not_the_hosts(seen):
    inside = dict(line.split() for line in seen["namespaces"].splitlines())
    for name in ("user", "mnt", "pid", "ipc", "uts", "cgroup"):
        assert inside[name] != os.readlink(f"/proc/self/ns/{name}"), name
    assert seen["cgroup"].strip().endswith(":/"), "the path of the host's cgroup is not told"


def test_on_the_host_the_steps_processes_belong_to_no_privileged_user(sb):
    with processes.sleeping_step(sb, "FROM busybox:1\nRUN sleep SECONDS\n") as (_, pids, _word):
        for pid in pids:
            uids = {int(uid) for uid in processes.status(pid)["Uid"].split()}
            assert 0 not in uids
            if IS_ROOT:
                assert min(uids) > 65535
            assert processes.status(pid)["Seccomp"] == "2"


def test_a_user_of_the_image_is_a_subordinate_user_on_the_host(sb):
    with processes.sleeping_step(sb, "FROM busybox:1\nUSER 1000\nRUN sleep SECONDS\n") as (_, pids, _word):
        for pid in pids:
            uids = {int(uid) for uid in processes.status(pid)["Uid"].split()}
            assert not uids & {0, 1000} or os.getuid() == 1000


def test_a_step_can_not_signal_or_trace_a_process_of_the_host(sb, probe):
    own = os.getpid()
    answers = tried(sb, [f"kill -0 {own} && echo reached", f"probe ptrace {own}"])
    assert all("reached" not in answer and answer.strip() != "ok" for answer in answers.values())


def test_socket_families_that_no_build_needs_are_refused(sb, probe):
    answers = tried(sb, ["probe socket 16 0", "probe socket 40", "probe socket 38", "probe socket 17"])
    # Netlink for routes is what libraries ask; vsock, the kernel's crypto and raw packets are not.
    values = [answer.strip() for answer in answers.values()]
    assert values[0] == "ok"
    assert "ok" not in values[1:3]


def test_a_hard_limit_of_no_core_dumps_is_no_obstacle(sb):
    """What sudo and many a service manager set; it can't be raised to the one byte that we prefer."""
    def forbid():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    assert sb.output("ulimit -c", preexec_fn=forbid).strip() in ("0", "1")
