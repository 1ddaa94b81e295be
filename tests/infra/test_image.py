"""The image without Docker: same files, same packages, same command."""

import shutil
import subprocess

import pytest

from infra import check_image, image
from shared import manifest

# One of each trigger, and one that only needs itself; `python -m infra.check_image` tries them all.
SAMPLE = ("jobs_check_health", "forms_submit", "forms_process", "emails_track", "jobs_sweep_outbox")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return check_image.build(tmp_path_factory.mktemp("image"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SAMPLE)
def test_a_function_starts_and_answers_in_the_image(built, name):
    """With requirements.txt alone and the Dockerfile's files and command, within the manifest's memory."""
    function = manifest.BY_NAME[name]
    if not (image.ROOT / (function.module.replace(".", "/") + ".py")).exists():
        pytest.skip(f"{name} is not written yet")
    answer = check_image.check(built, function)
    assert answer.status in ({200} if name == "jobs_check_health" else {200, 400, 401, 404, 413, 415, 422, 503})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_name_that_is_no_function_does_not_start(built):
    """A service whose target is misspelt fails its deployment instead of answering something else."""
    function = manifest.http("jobs_no_such", "GET /nothing", access=manifest.PUBLIC)
    with pytest.raises(check_image.Failed, match="did not start"):
        check_image.check(built, function)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_can_migrate(built):
    """The migration job runs the same image with another command; without a database it says so."""
    if not (image.ROOT / "shared/db/migrate.py").exists():
        pytest.skip("shared/db/migrate.py is not written yet")
    ran = subprocess.run(
        [built.bin / "python", "-m", "shared.db.migrate"],
        cwd=built.app,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "DATABASE_URL" in ran.stdout + ran.stderr


def test_the_tag_changes_exactly_with_the_images_contents(tmp_path, monkeypatch):
    """Settings and documents build no image; one changed byte of the code does."""
    for name in ("Dockerfile", *image.copied()):
        source = image.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    monkeypatch.setattr(image, "ROOT", tmp_path)
    monkeypatch.setattr(image, "DOCKERFILE", tmp_path / "Dockerfile")
    first = image.tag()
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "settings.tf").write_text("pool_size = 3")
    (tmp_path / "shared" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "shared" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert image.tag() == first
    (tmp_path / "main.py").write_text((tmp_path / "main.py").read_text() + "\n")
    second = image.tag()
    assert second != first
    (tmp_path / "shared" / "renamed.py").write_text("")
    assert image.tag() != second


def test_dockerignore_lets_through_what_the_dockerfile_copies():
    """A file that is copied but ignored fails only in the cloud."""
    allowed = {line[1:] for line in (image.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == {"Dockerfile", *image.copied()}


def test_the_image_holds_no_secret_and_no_test():
    """Only the entry file, the functions, what they share, and the pins."""
    assert image.copied() == ["requirements.txt", "main.py", "functions", "shared"]
    assert not [path for path in image.files() if path.name.startswith(".env")]
