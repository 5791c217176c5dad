"""Disk and MemoryDisk keep the promises of io.pxd; so do SimulatedDisk and FaultDisk."""

import errno
import gc
import os
import subprocess
import sys
import threading
import time

import pytest

from ddbcore.door import DiskDoor
from ddbcore.io import Disk, MemoryDisk
from ddbcore.simulation import FaultDisk, SimulatedDisk

PAGE_BYTES = os.sysconf("SC_PAGESIZE")
KIB_256 = 256 * 1024


@pytest.fixture(params=["disk", "memory", "fault", "simulated"])
def door(request, tmp_path):
    made = {
        "disk": lambda: Disk(str(tmp_path)),
        "memory": MemoryDisk,
        "fault": lambda: FaultDisk(str(tmp_path)),
        "simulated": SimulatedDisk,
    }
    disk = made[request.param]()
    yield DiskDoor(disk)
    disk.close()


@pytest.fixture
def real(tmp_path):
    disk = Disk(str(tmp_path))
    yield DiskDoor(disk)
    disk.close()


def error_of(call, *args, **options):
    with pytest.raises(OSError) as caught:
        call(*args, **options)
    return caught.value.errno


def test_a_created_file_is_empty_and_listed(door):
    fd = door.open("log.1", create=True)
    assert door.size(fd) == 0
    assert door.read(fd, 10) == b""
    assert door.disk.files() == ["log.1"]


def test_written_bytes_are_read_back_through_another_handle(door):
    fd = door.open("data", create=True)
    assert door.write(fd, b"0123456789", 5) == 10
    other = door.open("data")
    assert other != fd
    assert door.size(other) == 15
    assert door.read(other, 15) == bytes(5) + b"0123456789"


# A read is short only at the end of the file.
def test_read_is_short_at_the_end_of_the_file(door):
    fd = door.open("data", create=True)
    door.write(fd, b"abcdef")
    assert door.read(fd, 100, 4) == b"ef"
    assert door.read(fd, 100, 6) == b""
    assert door.read(fd, 100, 1 << 40) == b""


def test_create_truncates_what_was_there(door):
    fd = door.open("data", create=True)
    door.write(fd, b"old" * 3000)
    door.close(fd)
    fd = door.open("data", create=True)
    assert door.size(fd) == 0
    door.allocate(fd, 9000)
    assert door.read(fd, 9000) == bytes(9000)


def test_open_of_an_absent_file_says_enoent(door):
    assert error_of(door.open, "absent") == errno.ENOENT
    assert error_of(door.open, "absent", write=True) == errno.ENOENT


def test_a_read_only_handle_refuses_writes(door):
    door.open("data", create=True)
    fd = door.open("data")
    assert error_of(door.write, fd, b"x") == errno.EBADF
    assert error_of(door.truncate, fd, 5) in (errno.EBADF, errno.EINVAL)
    assert error_of(door.allocate, fd, 5) == errno.EBADF


def test_a_closed_handle_is_refused(door):
    fd = door.open("data", create=True)
    door.close(fd)
    assert error_of(door.close, fd) == errno.EBADF
    assert error_of(door.read, fd, 1) == errno.EBADF
    assert error_of(door.size, fd) == errno.EBADF
    assert error_of(door.size, -1) == errno.EBADF


# allocate grants space and sets the size; it never shrinks, and keeps what is there.
def test_allocate_extends_with_zeros_and_never_shrinks(door):
    fd = door.open("data", create=True)
    door.write(fd, b"head")
    door.allocate(fd, KIB_256)
    assert door.size(fd) == KIB_256
    assert door.read(fd, KIB_256) == b"head" + bytes(KIB_256 - 4)
    door.allocate(fd, 100)
    door.allocate(fd, 0)
    assert door.size(fd) == KIB_256


def test_allocate_on_the_real_disk_grants_blocks(real):
    fd = real.open("data", create=True)
    real.allocate(fd, KIB_256)
    assert os.fstat(fd).st_blocks * 512 >= KIB_256


@pytest.mark.parametrize("size", [1 << 63, 2**64 - 1])
def test_sizes_beyond_a_file_say_efbig(door, size):
    fd = door.open("data", create=True)
    assert error_of(door.allocate, fd, size) == errno.EFBIG
    assert error_of(door.truncate, fd, size) == errno.EFBIG
    assert error_of(door.write, fd, b"xy", size) == errno.EFBIG
    assert door.size(fd) == 0


# Bytes cut off must not come back when the file grows again: the log would replay them.
@pytest.mark.parametrize(
    "cut", [0, 1, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 5 * PAGE_BYTES - 1]
)
def test_truncate_and_growth_give_zeros(door, cut):
    fd = door.open("data", create=True)
    door.write(fd, b"\xff" * (5 * PAGE_BYTES))
    door.truncate(fd, cut)
    assert door.size(fd) == cut
    door.truncate(fd, 5 * PAGE_BYTES)
    assert door.read(fd, 5 * PAGE_BYTES) == b"\xff" * cut + bytes(5 * PAGE_BYTES - cut)


def test_maps_of_one_file_see_the_same_bytes(door):
    fd = door.open("data", create=True)
    door.allocate(fd, KIB_256)
    first = door.map(fd, KIB_256)
    second = door.map(fd, KIB_256, writable=False)
    with memoryview(first) as target, memoryview(second) as source:
        target[1000:1005] = b"hello"
        assert bytes(source[1000:1005]) == b"hello"
        assert source.readonly
    assert door.read(fd, 5, 1000) == b"hello"
    door.write(fd, b"world", 1000)
    assert bytes(memoryview(first)[1000:1005]) == b"world"
    first.populate()
    second.populate()
    door.sync(fd)
    first.unmap()
    second.unmap()


def test_a_map_survives_close_and_remove(door):
    fd = door.open("data", create=True)
    door.allocate(fd, KIB_256)
    mapped = door.map(fd, KIB_256)
    door.close(fd)
    door.remove("data")
    assert door.disk.files() == []
    with memoryview(mapped) as view:
        view[0:4] = b"kept"
        assert bytes(view[0:4]) == b"kept"
    mapped.unmap()


# The index arena grows while readers hold maps of its beginning.
def test_a_mapped_file_grows_in_place(door):
    fd = door.open("data", create=True)
    door.allocate(fd, PAGE_BYTES)
    small = door.map(fd, PAGE_BYTES)
    door.allocate(fd, 48 << 20)
    large = door.map(fd, 48 << 20)
    with memoryview(small) as source, memoryview(large) as target:
        target[0:3] = b"abc"
        assert bytes(source[0:3]) == b"abc"
        target[(48 << 20) - 1] = 7
    assert door.read(fd, 1, (48 << 20) - 1) == b"\x07"


# A memory file that outgrows its address space moves when it is not mapped.
def test_an_unmapped_memory_file_moves_and_keeps_its_bytes():
    door = DiskDoor(MemoryDisk())
    first = door.open("first", create=True)
    door.write(first, b"a" * 5000)
    second = door.open("second", create=True)
    door.write(second, b"b" * 5000)
    for size in (64 << 20, (64 << 20) + 1, 300 << 20):
        door.write(first, b"end", size)
        door.write(second, b"end", size)
    for fd, letter in ((first, b"a"), (second, b"b")):
        assert door.read(fd, 5003) == letter * 5000 + bytes(3)
        assert door.read(fd, 4, 300 << 20) == b"end"


def test_map_of_nothing_is_refused(door):
    fd = door.open("data", create=True)
    assert error_of(door.map, fd, 0) == errno.EINVAL


def test_rename_replaces_the_target(door):
    first = door.open("MANIFEST.new", create=True)
    door.write(first, b"new")
    second = door.open("MANIFEST", create=True)
    door.write(second, b"old")
    door.rename("MANIFEST.new", "MANIFEST")
    door.sync_root()
    assert door.disk.files() == ["MANIFEST"]
    assert door.read(door.open("MANIFEST"), 9) == b"new"
    assert door.read(second, 9) == b"old"
    door.rename("MANIFEST", "MANIFEST")
    assert door.disk.files() == ["MANIFEST"]
    assert error_of(door.rename, "absent", "MANIFEST") == errno.ENOENT


def test_remove_takes_the_name_and_leaves_open_files(door):
    fd = door.open("data", create=True)
    door.write(fd, b"abc")
    door.remove("data")
    assert error_of(door.remove, "data") == errno.ENOENT
    assert door.read(fd, 3) == b"abc"
    again = door.open("data", create=True)
    assert door.size(again) == 0
    assert door.read(fd, 3) == b"abc"


def test_many_files_open_at_once(door):
    fds = [door.open(f"f{index:03}", create=True) for index in range(200)]
    assert len(set(fds)) == 200
    for index, fd in enumerate(fds):
        door.write(fd, b"%d" % index)
    for index, fd in enumerate(fds):
        assert door.read(fd, 5) == b"%d" % index
        door.close(fd)
    assert len(door.disk.files()) == 200


def test_clocks_run(door):
    before = int(time.time() * 1000)
    assert before - 100 <= door.wall_ms() <= time.time() * 1000
    started = door.monotonic_ns()
    door.pause(2_000_000)
    assert door.monotonic_ns() - started >= 2_000_000


def test_random_bytes_differ(door):
    assert len({door.random(16) for _ in range(100)}) == 100
    assert len(door.random(100_000)) == 100_000
    assert door.random(0) == b""


def test_two_threads_use_one_disk(door):
    def work(name):
        for _ in range(300):
            fd = door.open(name, create=True)
            door.allocate(fd, 8192)
            mapped = door.map(fd, 8192)
            memoryview(mapped)[0:2] = b"ok"
            door.sync(fd)
            assert door.read(fd, 2) == b"ok"
            mapped.unmap()
            door.close(fd)
            door.rename(name, name + ".old")
            door.disk.files()
            door.remove(name + ".old")
        finished.append(name)

    finished = []
    threads = [threading.Thread(target=work, args=(f"t{index}",)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(finished) == 3
    assert door.disk.files() == []


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        Disk(str(tmp_path / "absent"))
    assert caught.value.filename == str(tmp_path / "absent")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        Disk(str(tmp_path / "file"))


def test_a_closed_disk_refuses_names(real):
    real.disk.close()
    real.disk.close()
    assert error_of(real.open, "data", create=True) == errno.EBADF
    assert error_of(real.sync_root) == errno.EBADF
    assert error_of(real.disk.files) == errno.EBADF


def test_a_dropped_disk_closes_its_directory(tmp_path):
    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    disk = Disk(str(tmp_path))
    disk.__init__(str(tmp_path))
    del disk
    gc.collect()
    assert set(os.listdir("/proc/self/fd")) == before


# Somebody's print to a closed stderr would land in a file with descriptor 2.
def test_descriptors_leave_the_standard_streams_free(tmp_path):
    script = (
        "import os, sys\n"
        "from ddbcore.io import Disk\nfrom ddbcore.door import DiskDoor\n"
        "door = DiskDoor(Disk(sys.argv[1]))\n"
        "os.close(0); os.close(2)\n"
        "fd = door.open('data', create=True)\n"
        "print(fd, door.lock('LOCK')[0] > 2)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    fd, lock_is_high = done.stdout.split()
    assert int(fd) > 2
    assert lock_is_high == "True"


# A file may not pass RLIMIT_FSIZE: the cheapest full disk. The failed allocate leaves size and
# blocks as they were.
def test_a_failed_allocate_leaves_the_file_at_its_old_size(tmp_path):
    script = (
        "import os, resource, sys\n"
        "from ddbcore.io import Disk\nfrom ddbcore.door import DiskDoor\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "door = DiskDoor(Disk(sys.argv[1]))\n"
        "fd = door.open('data', create=True)\n"
        "door.allocate(fd, 65536)\n"
        "for call in (lambda: door.allocate(fd, 2 << 20), lambda: door.truncate(fd, 2 << 20),\n"
        "             lambda: door.write(fd, b'x', 1 << 20)):\n"
        "    try:\n        call()\n"
        "    except OSError as error:\n"
        "        print(error.errno, door.size(fd), os.fstat(fd).st_blocks * 512)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{errno.EFBIG} 65536 65536"] * 3


def run_in_namespace(file_system, path, script):
    command = f'mount -t {file_system} none "$1" || exit 77; exec "$2" -c "$3" "$1"'
    try:
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", command, "sh", path, sys.executable, script],
            capture_output=True, text=True, check=False,
        )
    except FileNotFoundError:
        pytest.skip("no unshare(1)")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no user namespaces here")
    return done


# Real ENOSPC needs a small file system of its own; user namespaces give one where they are allowed.
def test_a_full_disk_is_an_error_of_allocate(tmp_path):
    script = (
        "import os, sys\n"
        "from ddbcore.io import Disk\nfrom ddbcore.door import DiskDoor\n"
        "door = DiskDoor(Disk(sys.argv[1]))\n"
        "fd = door.open('data', create=True)\n"
        "door.write(fd, b'kept')\n"
        "try:\n    door.allocate(fd, 8 << 20)\n"
        "except OSError as error:\n    print(error.errno, door.size(fd), door.read(fd, 9))\n"
        "space = os.statvfs(sys.argv[1])\n"
        "print(space.f_bavail * space.f_bsize > 900_000)\n"
    )
    done = run_in_namespace("tmpfs -o size=1m", tmp_path, script)
    assert done.stdout.splitlines() == [f"{errno.ENOSPC} 4 b'kept'", "True"]


# ramfs has no fallocate: zeros are written instead, and taken back when they do not all fit.
def test_allocate_writes_zeros_where_space_cannot_be_granted(tmp_path):
    script = (
        "import ctypes, resource, sys\n"
        "from ddbcore.io import Disk\nfrom ddbcore.door import DiskDoor\n"
        "door = DiskDoor(Disk(sys.argv[1]))\n"
        "fd = door.open('data', create=True)\n"
        "door.write(fd, b'kept')\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(4096))\n"
        "print(ctypes.get_errno())\n"
        "door.allocate(fd, 200_001)\n"
        "print(door.size(fd), door.read(fd, 300_000) == b'kept' + bytes(199_997))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n    door.allocate(fd, 2 << 20)\n"
        "except OSError as error:\n    print(error.errno, door.size(fd))\n"
    )
    done = run_in_namespace("ramfs", tmp_path, script)
    assert done.stdout.splitlines() == [
        str(errno.EOPNOTSUPP), "200001 True", f"{errno.EFBIG} 200001",
    ]


HOLDER = (
    "import sys\n"
    "from ddbcore.io import Disk\nfrom ddbcore.door import DiskDoor\n"
    "door = DiskDoor(Disk(sys.argv[1]))\n"
    "print(door.lock('LOCK')[1], flush=True)\n"
    "sys.stdin.read()\n"
)


def holding_process(path):
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_lock_held_by_another_process_names_its_pid(real, tmp_path):
    with holding_process(tmp_path) as holder:
        assert holder.stdout.readline() == "None\n"
        assert real.lock("LOCK") == (None, holder.pid)
        holder.stdin.close()
        holder.wait()
    fd, held_by = real.lock("LOCK")
    assert held_by is None
    assert (tmp_path / "LOCK").read_text() == f"{os.getpid()}\n"
    assert real.lock("LOCK") == (None, os.getpid())
    real.close(fd)
    fd, held_by = real.lock("LOCK")
    assert held_by is None
    real.close(fd)


# kill -9 leaves the file with the pid of the dead; the lock itself is gone with the process.
def test_the_lock_of_a_killed_process_is_free(real, tmp_path):
    with holding_process(tmp_path) as holder:
        assert holder.stdout.readline() == "None\n"
        holder.kill()
        holder.wait()
    assert real.lock("LOCK")[1] is None


@pytest.mark.parametrize("text", [b"", b"garbage", b"-5", b"0", b"\xff" * 30])
def test_a_lock_file_without_a_pid_reads_as_unknown(real, tmp_path, text):
    fd, _ = real.lock("LOCK")
    (tmp_path / "LOCK").write_bytes(text)
    assert real.lock("LOCK") == (None, 0)
    real.close(fd)


def test_the_lock_of_a_memory_disk_always_succeeds():
    door = DiskDoor(MemoryDisk())
    assert door.lock("LOCK")[1] is None
    assert door.lock("LOCK")[1] is None


def test_storage_in_memory_is_volatile(tmp_path):
    assert MemoryDisk().volatile_storage
    assert not Disk(str(tmp_path)).volatile_storage
    assert not SimulatedDisk().volatile_storage


# A log that is overwritten gives up segments as it takes new ones. Their memory is kept for the
# next of the same size, as it is, while as much is in use; whatever else is made of it is zero.
def test_memory_of_a_large_file_is_used_again():
    door = DiskDoor(MemoryDisk())
    size = 4 << 20
    kept = door.open("kept", create=True)
    door.allocate(kept, size)

    def left_in_the_next(length: int) -> bytes:
        first = door.open("first", create=True)
        door.allocate(first, size)
        door.write(first, b"x" * size)
        door.remove("first")
        door.close(first)
        after = door.open("after", create=True)
        door.allocate(after, length)
        data = door.read(after, length)
        door.truncate(after, 100)
        door.truncate(after, length)
        assert not any(door.read(after, length, 100))
        door.remove("after")
        door.close(after)
        return data

    assert left_in_the_next(size) == b"x" * size
    for length in (size - 1, size + 1, 4096):
        assert not any(left_in_the_next(length))
    door.truncate(kept, 0)
    assert not any(left_in_the_next(4096))
    door.remove("kept")
    door.close(kept)


def test_memory_of_a_large_file_goes_where_little_else_is_in_use():
    door = DiskDoor(MemoryDisk())
    size = 4 << 20
    for _ in range(3):
        fd = door.open("file", create=True)
        door.allocate(fd, size)
        assert not any(door.read(fd, size))
        door.write(fd, b"x" * size)
        door.remove("file")
        door.close(fd)


# Thousands of databases in one test run: their address space has to come back.
def test_a_dropped_memory_disk_gives_its_memory_back():
    def maps_count():
        with open("/proc/self/maps", "rb") as maps:
            return len(maps.readlines())

    def use():
        door = DiskDoor(MemoryDisk())
        fd = door.open("data", create=True)
        door.allocate(fd, KIB_256)
        mapped = door.map(fd, KIB_256)
        memoryview(mapped)[::4096] = b"x" * (KIB_256 // 4096)
        door.remove("data")
        door.close(fd)

    use()
    before = maps_count()
    for _ in range(200):
        use()
    assert maps_count() <= before + 20
