"""The command line flags of tensorflow_hub, which programs that stand on it are started with."""

from __future__ import annotations

import subprocess
import sys
import tarfile

import pytest

from hub_estimator.resolver.settings import LOAD_FORMATS
from tests.compat.programs import environment

PROGRAM = """
import hub_estimator
hub_estimator.compat.install(tensorflow_hub=True)
import tensorflow_hub as hub
from absl import app
from hub_estimator.resolver import Settings

def main(argv):
    print(Settings.from_environment().load_format, hub.resolve(argv[1]))

app.run(main)
"""


@pytest.fixture
def archive(tmp_path):
    """A module without variables, packed."""
    (tmp_path / "tfhub_module.pb").write_bytes(b"\x08\x03")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with tarfile.open(tmp_path / "module.tar.gz", "w:gz") as file:
        for name in ("tfhub_module.pb", "saved_model.pb"):
            file.add(tmp_path / name, name)
    return str(tmp_path / "module.tar.gz")


def _run(*arguments, program=PROGRAM, **changes):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(**changes), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_they_say_where_the_cache_is(archive, tmp_path):
    result = _run(f"--tfhub_cache_dir={tmp_path}/cache", archive)
    load_format, folder = result.stdout.split()
    assert load_format == "AUTO"
    assert folder.startswith(f"{tmp_path}/cache/"), result.stderr


def test_the_environment_has_precedence(archive, tmp_path):
    flags = [f"--tfhub_cache_dir={tmp_path}/cache", "--tfhub_model_load_format=UNCOMPRESSED"]
    given = {"TFHUB_CACHE_DIR": f"{tmp_path}/mine", "TFHUB_MODEL_LOAD_FORMAT": ""}
    result = _run(*flags, archive, **given)
    load_format, folder = result.stdout.split()
    assert load_format == "UNCOMPRESSED"  # an empty variable says nothing
    assert folder.startswith(f"{tmp_path}/mine/"), result.stderr


def test_a_wrong_value_is_said_by_absl(archive):
    result = _run("--tfhub_model_load_format=zip", archive)
    assert result.returncode == 1
    known = "|".join(LOAD_FORMATS)
    assert f"flag --tfhub_model_load_format=zip: value should be one of <{known}>" in result.stderr


UNPARSED = """
from absl import flags
import hub_estimator
from hub_estimator.resolver import Settings
Settings.from_environment()
assert "tfhub_cache_dir" not in flags.FLAGS
hub_estimator.compat.install(tensorflow_hub=True)
assert Settings.from_environment().load_format == "AUTO"
"""


def test_only_the_name_of_tensorflow_hub_defines_them_and_unparsed_ones_say_nothing():
    result = _run(program=UNPARSED)
    assert result.returncode == 0, result.stderr


BESIDE_THE_PEER = """
import sys
import hub_estimator
from absl import flags
from hub_estimator.resolver import Settings

def import_peer():
    import tensorflow_hub
    assert tensorflow_hub is not hub_estimator
    return tensorflow_hub

def forget(name):
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]

if sys.argv[1] == "first":
    import_peer()
    forget("tensorflow_hub")
    hub_estimator.compat.install(tensorflow_hub=True)
else:
    hub_estimator.compat.install(tensorflow_hub=True)
    forget("tensorflow_hub")
    sys.meta_path = [finder for finder in sys.meta_path if "Alias" not in type(finder).__name__]
    import_peer()
flags.FLAGS(["program", "--tfhub_cache_dir=/cache", "--tfhub_model_load_format=UNCOMPRESSED"])
settings = Settings.from_environment()
print(settings.cache_folder, settings.load_format)
"""


@pytest.mark.peer
@pytest.mark.parametrize("when", ["first", "last"])
def test_they_do_not_clash_with_those_of_the_peer(when):
    result = _run(when, program=BESIDE_THE_PEER)
    assert result.stdout == "/cache UNCOMPRESSED\n", result.stderr
