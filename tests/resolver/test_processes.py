"""Many processes, one download; and what is left when one is killed."""

from __future__ import annotations

import concurrent.futures
import os
import time

import pytest

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import Cache, Handle
from tests.resolver.hosting import content as serving
from tests.resolver.hosting import in_turn, module_files, read_folder, start_python, tar

pytestmark = pytest.mark.one_tensorflow

FILES = module_files(large=600_000)
ARCHIVE = tar(FILES)
RESOLVE = (
    "import sys; from hub_estimator import resolve; print(resolve(sys.argv[1]))\n"
    "assert 'tensorflow' not in sys.modules"
)


def wait_until(condition, secs=20.0):
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_sixteen_processes_and_one_download(host):
    url = host.serve("/m/1", ARCHIVE, piece=100_000, pause_secs=0.3)
    processes = [start_python(RESOLVE, url) for _ in range(16)]
    answers = [process.communicate() for process in processes]
    assert {process.returncode for process in processes} == {0}, answers
    folders = {out.strip() for out, _ in answers}
    assert len(folders) == 1
    assert read_folder(folders.pop()) == FILES
    assert len(host.seen) == 1


def test_those_that_waited_for_a_failure_share_it(tmp_path):
    """Also without a network: they do not try one after the other."""
    cache, handle = Cache(str(tmp_path)), Handle("https://a/b")
    asked = []

    def fetch(folder, spare):
        asked.append(folder)
        time.sleep(0.5)
        raise errors.DownloadError("no network")

    def get():
        with pytest.raises(errors.DownloadError, match="^no network$"):
            cache.get(handle, fetch)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(get) for _ in range(8)]:
            future.result()
    assert len(asked) == 1
    get()  # who comes later tries again
    assert len(asked) == 2


@pytest.mark.parametrize("note", ["", "[]", "[" * 9999, '{"time": 9e99, "kind": "DownloadError"}',
                                  '{"time": 9e99, "kind": "os", "message": "x"}', '{"time": "9", "kind": 1, "message": 2}'])  # fmt: skip
def test_a_note_that_means_nothing(tmp_path, note):
    cache, handle = Cache(str(tmp_path)), Handle("https://a/b")
    (tmp_path / f".{handle.key}.failed").write_text(note)

    def fetch(folder, spare):
        time.sleep(0.2)
        raise KeyboardInterrupt

    def get():
        with pytest.raises(KeyboardInterrupt):
            cache.get(handle, fetch)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(get) for _ in range(2)]:
            future.result()


@pytest.mark.parametrize("waiting", [True, False], ids=["waiting", "coming later"])
def test_the_downloader_is_killed(host, cache_folder, waiting, record_property):
    slow = serving(ARCHIVE, piece=50_000, pause_secs=0.5)
    download_secs = 0.6
    quick = serving(ARCHIVE, piece=100_000, pause_secs=download_secs / 7)
    host.replies["/m/1"] = in_turn(slow, quick)
    url = host.url("/m/1")
    first = start_python(RESOLVE, url)
    wait_until(lambda: host.sent >= 100_000)
    second = start_python(RESOLVE, url) if waiting else None
    if second:
        time.sleep(0.7)  # until it waits for the lock
        assert second.poll() is None
    first.kill()
    killed = time.monotonic()
    second = second or start_python(RESOLVE, url)
    out, told = second.communicate()
    took = time.monotonic() - killed
    first.communicate()
    assert second.returncode == 0, told
    assert read_folder(out.strip()) == FILES
    record_property("secs_from_kill_to_finish", took)
    print(f"\n{took:.2f} s from SIGKILL to the end, of which {download_secs:.1f} s download")
    assert took < 5 + download_secs
    key = Handle(url).key
    assert sorted(os.listdir(cache_folder)) == [f".{key}.flock", key, f"{key}.descriptor.txt"]
    assert hub.resolve(url) == out.strip()


# Kills a process before the first thing that it does in the cache, the second, and so on.
KILL_EVERYWHERE = """
import itertools, os, signal, sys
from hub_estimator import resolve
from hub_estimator.resolver import Cache, Handle

path, other, folder, damaged = *sys.argv[1:3], os.environ["TFHUB_CACHE_DIR"], sys.argv[3] == "True"
cache, key = Cache(folder), Handle(path).key
os.fsync = lambda descriptor: None  # kills lose nothing that is written, and there are hundreds

def killed_before(number):
    pid = os.fork()
    if pid:
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    done = itertools.count(1)
    def hook(event, args):
        if event.startswith(("open", "os.", "shutil.")) and folder in str(args[0]):
            if next(done) == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    resolve(path)
    os._exit(0)

entry = cache.entry(Handle(path))
for number in itertools.count(1):
    for leftover in cache.entries():
        cache.remove(leftover)
    if damaged:
        os.truncate(os.path.join(resolve(path), "saved_model.pb"), 3)
    if not killed_before(number):
        break
    print(not entry.damage(thorough=True), flush=True)
    assert resolve(path) == entry.folder
    assert not entry.damage(thorough=True)
    resolve(other)
    left = [name for name in os.listdir(folder) if ".tmp-" in name]
    assert not left, (number, left)
"""


@pytest.mark.parametrize("damaged", [False, True], ids=["nothing", "a damaged entry"])
def test_killed_before_anything_that_it_does(tmp_path, damaged):
    """The entry is whole or not there, and who fetches next cleans up."""
    paths = [str(tmp_path / name) for name in ("m.tar", "other.tar")]
    for path in paths:
        with open(path, "wb") as file:
            file.write(tar({"saved_model.pb": b"graph"}, "w"))
    process = start_python(KILL_EVERYWHERE, *paths, str(damaged))
    out, told = process.communicate()
    assert process.returncode == 0, told
    whole = [line == "True" for line in out.splitlines()]
    assert len(whole) > 30
    assert whole == sorted(whole)  # from one moment on it is there
