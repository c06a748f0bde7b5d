# SPDX-License-Identifier: Apache-2.0
"""A backup holds the whole database or is an error, for folders of all shapes, nodes of all users and whichever way the
backup ends; and it leaves no node stopped. Stand-ins for the node lock their databases as RocksDB and ParityDB do; a backup of
a real node is in test_drill.py."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from tos_harness.paths import OPS

BACKUP = OPS / "backup"
ROCKSDB, PARITYDB = "chains/dev/db/full", "chains/dev/paritydb/full"
#: Opens and locks what it is told to, says so, and lives until it is ended. With `write` its files change all the time.
NODE = """
import fcntl, os, sys, time
how, lock, log = sys.argv[1:4]
file = open(lock, "r+b")
if how == "fcntl":
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
elif how == "flock":
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("ready", flush=True)
while True:
    if "write" in sys.argv:
        with open(log, "ab") as out:
            out.write(b"x" * 64)
    time.sleep(0.0005 if "write" in sys.argv else 60)
"""
#: Runs a program without the rights of root, which may be needed to read it and what it imports.
UNPRIVILEGED = """
import locale, os, sys
path, scope = sys.argv[1], {"__name__": "backup"}
with open(path, encoding="utf-8") as file:
    exec(compile(file.read(), path, "exec"), scope)
sys.argv = sys.argv[1:]
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(scope["main"]())
"""
#: Runs a program that sends a signal to a process, or to itself, in the middle of copying.
AMIDST = """
import os, shutil, sys
path, pid, number, scope = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), {"__name__": "backup"}
with open(path, encoding="utf-8") as file:
    exec(compile(file.read(), path, "exec"), scope)
copy = shutil.copy2
def copy2(source, target):
    if source.endswith("CURRENT"):
        os.kill(pid or os.getpid(), number)
    return copy(source, target)
shutil.copy2 = copy2
sys.argv = [path, *sys.argv[4:]]
sys.exit(scope["main"]())
"""
#: Copying a (sparse) file of this size takes seconds, so that something can happen meanwhile.
LARGE = 8 * 2**30
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


def namespaces():
    """True when this machine lets this user make namespaces, as containers have."""
    return os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode == 0


needs_namespaces = pytest.mark.skipif(not namespaces(), reason="takes root and unshare")


class Case:
    """A base path, with what a node has there, and processes that have it open."""

    def __init__(self, folder):
        self.folder, self.running = str(folder), []
        self.base, self.to = os.path.join(self.folder, "base"), os.path.join(self.folder, "backups", "monday")
        os.makedirs(os.path.dirname(self.to))
        os.chmod(os.path.dirname(self.to), 0o777)

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    # --- what there is ------------------------------------------------------------------------

    def write(self, path, content=b"content"):
        full = os.path.join(self.base, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        return full

    def rocksdb(self):
        """The files of a node on RocksDB, keys included."""
        for name in ("CURRENT", "MANIFEST-000004", "000007.sst", "000009.log", "LOCK"):
            self.write(f"{ROCKSDB}/{name}", name.encode())
        self.write("chains/dev/keystore/6772616e00", b"secret of a session")
        self.write("chains/dev/network/secret_ed25519", b"secret of the network")
        return os.path.join(self.base, ROCKSDB)

    def paritydb(self):
        for name in ("metadata", "table_00_00", "log0", "lock"):
            self.write(f"{PARITYDB}/{name}", name.encode())
        return os.path.join(self.base, PARITYDB)

    def enlarge(self, database):
        """One more file in a database, that takes seconds to copy."""
        with open(os.path.join(database, "000011.log"), "wb") as file:
            file.truncate(LARGE)

    def node(self, database, how="fcntl", *options, within=()):
        """A process that has a database open."""
        lock = os.path.join(database, "lock" if how == "flock" else "LOCK")
        process = subprocess.Popen([*within, sys.executable, "-c", NODE, how, lock, os.path.join(database, "000009.log"), *options],
                                   stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    def backup(self, *arguments, within=(), unprivileged=False):
        """Exit code of a backup, and what it says."""
        python = [sys.executable, *(["-c", UNPRIVILEGED] if unprivileged else [])]
        done = subprocess.run([*within, *python, BACKUP, "--json", *arguments], capture_output=True, text=True, timeout=120)
        return done.returncode, json.loads(done.stdout or done.stderr)

    def amidst(self, pid, number, *arguments):
        """A backup that sends a signal to this process, or to itself (0), when it has copied some files."""
        return subprocess.run([sys.executable, "-c", AMIDST, BACKUP, str(pid), str(number), "--json", *arguments],
                              capture_output=True, text=True, timeout=120)

    def on_a_full_disk(self, *arguments):
        """A backup that cannot write a file of more than a megabyte."""
        done = subprocess.run([sys.executable, BACKUP, "--json", *arguments], capture_output=True, text=True, timeout=120,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20)))
        return done.returncode, json.loads(done.stdout or done.stderr)

    def take(self, *options, **how):
        return self.backup("take", "--base-path", self.base, "--to", self.to, *options, **how)

    def end(self, node):
        node.kill()
        node.wait()

    def begin(self, node):
        """A backup of a large database which has just stopped its node and copies."""
        self.enlarge(os.path.join(self.base, ROCKSDB))
        process = subprocess.Popen([sys.executable, BACKUP, "--json", "take", "--base-path", self.base, "--to", self.to],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   # What a shell runs in the background inherits that interrupts are ignored.
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.running.append(process)
        assert os.WIFSTOPPED(os.waitpid(node.pid, os.WUNTRACED)[1]), "the node ended"
        return process

    # --- what must hold -----------------------------------------------------------------------

    def refused(self, answer, *words):
        code, said = answer
        assert code == 1, said
        for word in words:
            assert word in said["error"]
        assert not os.path.exists(self.to), "there is a backup all the same"
        assert not os.path.exists(self.to + ".unfinished"), "a draft is left"

    def taken(self, answer):
        code, said = answer
        assert code == 0, said
        code, checked = self.backup("verify", "--from", self.to)
        assert code == 0, checked
        assert os.listdir(os.path.dirname(self.to)) == ["monday"], "a draft is left"
        return said

    def content(self, path):
        with open(os.path.join(self.to, path), "rb") as file:
            return file.read()

    def goes_on(self, node):
        """The stopped node runs again."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, node.pid, os.WCONTINUED | os.WNOHANG) is not None:
                return
            time.sleep(0.01)
        pytest.fail("the node is left stopped")


@pytest.fixture
def case():
    # What others are to read lies in a folder that they may enter.
    with tempfile.TemporaryDirectory(prefix="tos-backup-") as path:
        os.chmod(path, 0o755)
        case = Case(path)
        yield case
        case.close()


# --- whole databases ----------------------------------------------------------------------


@pytest.mark.parametrize("link", ["chains", "chains/dev", "chains/dev/db", ROCKSDB])
def test_linked_folders_are_followed(case, link):
    case.rocksdb()
    elsewhere = os.path.join(case.folder, "disk")
    shutil.move(os.path.join(case.base, link), elsewhere)
    os.symlink(elsewhere, os.path.join(case.base, link))
    said = case.taken(case.take())
    assert said["databases"] == [ROCKSDB]
    assert case.content(f"{ROCKSDB}/000007.sst") == b"000007.sst"
    assert not os.path.islink(os.path.join(case.to, ROCKSDB))


def test_a_linked_file_is_taken_itself(case):
    database = case.rocksdb()
    for name in ("000007.sst", "CURRENT"):
        os.rename(os.path.join(database, name), os.path.join(case.folder, name))
        os.symlink(os.path.join(case.folder, name), os.path.join(database, name))
    case.taken(case.take())
    for name in ("000007.sst", "CURRENT"):
        assert stat.S_ISREG(os.lstat(os.path.join(case.to, ROCKSDB, name)).st_mode), name
        assert case.content(f"{ROCKSDB}/{name}") == name.encode()


def test_a_link_that_leads_nowhere_or_in_a_circle_is_refused(case):
    case.rocksdb()
    link = os.path.join(case.base, "chains", "dev", "frontier")
    os.symlink(os.path.join(case.folder, "not-mounted"), link)
    case.refused(case.take(), link, "not there")
    os.remove(link)
    os.symlink(os.path.join(case.base, "chains"), link)
    case.refused(case.take(), link, "symbolic link")


def test_a_backup_does_not_lie_in_what_it_is_of(case):
    case.rocksdb()
    shutil.move(os.path.join(case.base, "chains"), os.path.join(case.folder, "disk"))
    os.symlink(os.path.join(case.folder, "disk"), os.path.join(case.base, "chains"))
    for to in (os.path.join(case.base, "monday"), os.path.join(case.folder, "disk", "monday")):
        case.to = to
        case.refused(case.take(), "must not lie in")


def test_no_database_is_an_error_when_taken_and_when_verified(case):
    case.write("chains/dev/network/known", b"peers")
    case.refused(case.take(), "no database")
    # What earlier versions made of this, and said was sound.
    os.makedirs(case.to)
    for files in ({}, {"chains/dev/network/known": "d"}):
        with open(os.path.join(case.to, "backup.json"), "w", encoding="utf-8") as file:
            json.dump({"version": 1, "taken": 0, "keys": False, "files": files}, file)
        os.makedirs(os.path.join(case.to, "chains/dev/network"), exist_ok=True)
        code, said = case.backup("verify", "--from", case.to)
        assert code == 1, said
    with open(os.path.join(case.to, "backup.json"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "taken": 0, "keys": False, "files": {}}, file)
    code, said = case.backup("verify", "--from", case.to)
    assert "no database" in said["error"]
    code, said = case.backup("restore", "--from", case.to, "--base-path", os.path.join(case.folder, "new"))
    assert code == 1, said


def test_a_manifest_names_no_file_outside_its_folder(case):
    case.rocksdb()
    case.taken(case.take())
    path = os.path.join(case.to, "backup.json")
    with open(path, encoding="utf-8") as file:
        manifest = json.load(file)
    for outside in ("../evil", "/tmp/evil", "chains/../../evil"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**manifest, "files": {**manifest["files"], outside: "0"}}, file)
        code, said = case.backup("restore", "--from", case.to, "--base-path", os.path.join(case.folder, "new"))
        assert (code, outside in said["error"]) == (1, True), said


# --- nodes that run -----------------------------------------------------------------------


@pytest.mark.parametrize("database, how", [("rocksdb", "fcntl"), ("paritydb", "flock")])
def test_a_node_is_held_still_whichever_database_it_has(case, database, how):
    place = getattr(case, database)()
    node = case.node(place, how, "write")
    said = case.taken(case.take())
    assert said["processes"] == [node.pid]
    assert said["databases"] == [os.path.relpath(place, case.base)]
    # Only a process that was stopped can go on.
    case.goes_on(node)


def test_a_node_whose_folders_are_linked_is_held_still(case):
    database = case.rocksdb()
    shutil.move(os.path.join(case.base, "chains"), os.path.join(case.folder, "disk"))
    os.symlink(os.path.join(case.folder, "disk"), os.path.join(case.base, "chains"))
    node = case.node(database)
    assert case.taken(case.take())["processes"] == [node.pid]


def test_every_node_of_a_base_path_is_held_still(case):
    nodes = [case.node(case.rocksdb()), case.node(case.paritydb(), "flock")]
    assert case.taken(case.take())["processes"] == sorted(node.pid for node in nodes)


def test_a_node_that_stands_still_already_is_not_woken(case):
    node = case.node(case.rocksdb())
    node.send_signal(signal.SIGSTOP)
    os.waitpid(node.pid, os.WUNTRACED)
    case.taken(case.take())
    assert os.waitid(os.P_PID, node.pid, os.WCONTINUED | os.WNOHANG) is None, "it was woken"


@needs_root
def test_a_node_of_another_user_is_refused(case):
    database = case.rocksdb()
    shutil.rmtree(os.path.join(case.base, "chains/dev/keystore"))
    # Locked or not, only open: what this user cannot see may write.
    for how in ("fcntl", "open"):
        node = case.node(database, how)
        case.refused(case.take(unprivileged=True), "--stopped")
        assert case.taken(case.take("--stopped", unprivileged=True))["processes"] == []
        shutil.rmtree(case.to)
        case.end(node)


@needs_root
def test_insisting_does_not_pass_off_a_copy_of_files_that_change(case):
    database = case.rocksdb()
    with open(os.path.join(database, "000011.log"), "wb") as file:
        file.truncate(2**28)
    case.node(database, "fcntl", "write")
    case.refused(case.take("--stopped", unprivileged=True), "changed while")


def test_a_node_that_does_not_run_is_taken_without_a_word(case):
    case.rocksdb()
    case.paritydb()
    said = case.taken(case.take())
    assert (said["processes"], said["databases"]) == ([], [ROCKSDB, PARITYDB])


@needs_namespaces
def test_a_node_in_a_container_is_held_still_by_its_host(case):
    database, inside = case.rocksdb(), os.path.join(case.folder, "inside")
    os.mkdir(inside)
    within = ["unshare", "--mount", "sh", "-c", f'mount --bind {case.base} {inside} && exec "$@"', "sh"]
    node = case.node(os.path.join(inside, ROCKSDB), within=within)
    assert not os.path.exists(os.path.join(inside, "chains")), "it is no other place"
    assert case.taken(case.take())["processes"] == [node.pid]
    assert database == os.path.join(case.base, ROCKSDB)


@needs_namespaces
def test_a_node_outside_of_the_container_is_refused(case):
    within = ["unshare", "--pid", "--fork", "--mount-proc"]
    for make, how in ((case.rocksdb, "fcntl"), (case.paritydb, "flock")):
        node = case.node(make(), how)
        case.refused(case.take(within=within), "cannot be seen", "--stopped")
        case.end(node)


# --- however it ends ----------------------------------------------------------------------


def test_a_killed_backup_leaves_no_node_stopped_and_no_draft_in_the_way(case):
    node = case.node(case.rocksdb())
    process = case.begin(node)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it was over before it was killed"
    case.goes_on(node)
    assert os.path.exists(case.to + ".unfinished")
    os.remove(os.path.join(case.base, ROCKSDB, "000011.log"))
    assert case.taken(case.take())["processes"] == [node.pid]


def test_an_interrupted_backup_leaves_nothing(case):
    node = case.node(case.rocksdb())
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process = case.begin(node)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        case.goes_on(node)
        case.refused((1, {"error": ""}))


def test_a_node_that_is_woken_while_it_is_copied_is_no_backup(case):
    node = case.node(case.rocksdb())
    done = case.amidst(node.pid, signal.SIGCONT, "take", "--base-path", case.base, "--to", case.to)
    case.refused((done.returncode, json.loads(done.stderr)), "SIGCONT")
    case.taken(case.take())


def test_a_full_disk_leaves_neither_half_a_backup_nor_half_a_node(case):
    database, new = case.rocksdb(), os.path.join(case.folder, "new")
    with open(os.path.join(database, "000011.log"), "wb") as file:
        file.truncate(2**21)
    node = case.node(database)
    case.refused(case.on_a_full_disk("take", "--base-path", case.base, "--to", case.to), "too large")
    case.goes_on(node)
    case.taken(case.take())
    code, said = case.on_a_full_disk("restore", "--from", case.to, "--base-path", new)
    assert (code, os.listdir(new)) == (1, []), said
    code, said = case.backup("restore", "--from", case.to, "--base-path", new)
    assert code == 0, said


def test_a_killed_restore_leaves_no_part_of_a_database_and_can_be_run_again(case):
    case.rocksdb()
    case.taken(case.take())
    new = os.path.join(case.folder, "new")
    for number in (signal.SIGTERM, signal.SIGKILL):
        done = case.amidst(0, number, "restore", "--from", case.to, "--base-path", new)
        assert done.returncode in (-number, 128 + number), done.stderr
        assert not os.path.exists(os.path.join(new, "chains")), "a part of a database"
    assert os.listdir(new) == ["restored.unfinished"]
    code, said = case.backup("restore", "--from", case.to, "--base-path", new)
    assert (code, os.listdir(new)) == (0, ["chains"]), said
    with open(os.path.join(new, ROCKSDB, "CURRENT"), "rb") as file:
        assert file.read() == b"CURRENT"
    code, said = case.backup("restore", "--from", case.to, "--base-path", new)
    assert (code, "not empty" in said["error"]) == (1, True), said


def test_a_suspended_backup_does_not_suspend_the_node(case):
    node = case.node(case.rocksdb())
    process = case.begin(node)
    process.send_signal(signal.SIGTSTP)
    process.send_signal(signal.SIGTERM)
    # Had it been suspended, it would never have come to its end.
    assert process.wait(60) == 128 + signal.SIGTERM
    case.goes_on(node)


def test_two_backups_do_not_meet(case):
    node = case.node(case.rocksdb())
    process = case.begin(node)
    process.send_signal(signal.SIGSTOP)
    code, said = case.backup("take", "--base-path", case.base, "--to", case.to + "-2")
    assert (code, "another backup" in said["error"]) == (1, True), said
    other = os.path.join(case.folder, "other")
    shutil.copytree(os.path.join(case.base, "chains/dev/network"), os.path.join(other, "chains/dev/network"))
    os.makedirs(os.path.join(other, ROCKSDB))
    with open(os.path.join(other, ROCKSDB, "CURRENT"), "wb"):
        pass
    code, said = case.backup("take", "--base-path", other, "--to", case.to)
    assert (code, "another backup" in said["error"]) == (1, True), said
    process.kill()
    process.wait()
    case.goes_on(node)


def test_what_was_not_left_by_a_backup_is_not_removed(case):
    case.rocksdb()
    os.mkdir(case.to + ".unfinished")
    mine = os.path.join(case.to + ".unfinished", "notes")
    with open(mine, "wb"):
        pass
    code, said = case.take()
    assert (code, "in the way" in said["error"]) == (1, True), said
    assert os.path.exists(mine)


# --- keys ---------------------------------------------------------------------------------


def test_no_key_is_taken_without_being_asked_for(case):
    case.rocksdb()
    case.taken(case.take())
    found = [name for _, folders, names in os.walk(case.to) for name in (*folders, *names)]
    assert not [name for name in found if "secret" in name or "keystore" in name], found
    code, said = case.backup("restore", "--from", case.to, "--base-path", os.path.join(case.folder, "new"))
    assert (code, said["keys"], said["networkKey"]) == (0, False, False), said
    assert "new peer id" in said["next"]
    assert "generate-node-key" in said["next"]


def test_both_kinds_of_keys_are_taken_when_asked_for(case):
    case.rocksdb()
    case.taken(case.take("--with-keys"))
    assert case.content("chains/dev/network/secret_ed25519") == b"secret of the network"
    assert case.content("chains/dev/keystore/6772616e00") == b"secret of a session"
    code, said = case.backup("restore", "--from", case.to, "--base-path", os.path.join(case.folder, "new"))
    assert (code, said["keys"], said["networkKey"]) == (0, True, True), said
    assert "never start both" in said["next"]
