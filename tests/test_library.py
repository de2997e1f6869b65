"""The package as a library, and as a wheel alone in another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import auditor
from auditor.sources import snapshot

ROOT = Path(__file__).parents[1]


def test_the_library_in_one_screen(collection, tmp_path):
    snapshot.write(tmp_path / "contoso.snapshot", collection)
    page = auditor.__doc__.split("\n\n")
    lines = [line.strip() for block in page for line in block.splitlines() if line.startswith("    ")]
    names = {"Path": lambda name: tmp_path / name}
    exec("\n".join(lines), names)
    assert any(finding.status == "fail" for finding in names["report"].findings)
    assert names["text"].startswith("<!doctype html>")


def test_the_version_is_said_once():
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{auditor.__version__}"' in metadata


def test_the_wheel_works_alone_and_from_another_folder(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        names = archive.namelist()
    assert any(name.endswith("_data/rules/keyvault/keyvault-audit-logs.yaml") for name in names)
    assert any(name.endswith("_data/templates/report.html.j2") for name in names)
    assert not any(name.startswith(("rules/", "reports/", "tests/")) for name in names)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    where = "import auditor, sys; sys.exit(str(auditor.__file__))"
    told = subprocess.run(
        [sys.executable, "-c", where], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert str(tmp_path / "installed") in told.stderr
    for command in (["rules", "list"], ["demo", "-q"]):
        done = subprocess.run(
            [sys.executable, "-m", "auditor", *command],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (elsewhere / "demo" / "report.html").stat().st_size > 10_000
