"""The pipeline's steps, played with stand-ins for the cloud's commands: what is run, in which order, what is not."""

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.image import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML reads the pipeline")
CHECK, RELEASE = ROOT / "cloudbuild.yaml", ROOT / "infra" / "release.yaml"
BOTH = pytest.mark.parametrize("path", [CHECK, RELEASE], ids=lambda path: path.name)
DIGEST = "us-central1-docker.pkg.dev/p/anchor/functions@sha256:" + "b" * 64

# Each stand-in writes down how it was called; behaviours are switched on by files in $STAGE.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$STAGE/calls"
[ -e "$STAGE/fail-$(basename "$0")" ] && grep -qf "$STAGE/fail-$(basename "$0")" <<END && exit 1
$*
END
case "$(basename "$0") $*" in
  "gcloud artifacts docker images list"*) cat "$STAGE/digest" 2>/dev/null ;;
  "gcloud storage cp"*"/current "*) cp "$STAGE/current" "$STAGE/workspace/current" ;;
  "gcloud storage cp"*.tar.gz*" -") tar -cz -C "$STAGE/archive" infra ;;
  "gcloud storage cp - "*) cat > /dev/null ;;
  "gcloud run services list"*) echo "[]" ;;
  "gcloud projects describe"*) echo 1 ;;
  "docker inspect"*) echo "$STAGE_DIGEST" ;;
  "terraform output"*) echo "https://gateway.test" ;;
  "terraform show"*) echo "the plan" ;;
  "terraform plan"*)
    for a in "$@"; do case "$a" in -out=*) : > "${a#-out=}" ;; esac; done
    [ -e "$STAGE/unchanged" ] && exit 0
    exit 2 ;;
esac
exit 0
"""


def steps(path):
    return yaml.safe_load(path.read_text())["steps"]


class Stage:
    """A folder in which a pipeline's steps run one after the other, as Cloud Build would run them."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "workspace").mkdir()
        for name in ("gcloud", "terraform", "docker", "python", "pip", "sleep"):
            command = folder / "bin" / name
            command.write_text(STAND_IN)
            command.chmod(0o755)
        (folder / "infra" / "terraform" / "envs" / "dev").mkdir(parents=True)
        environment = folder / "archive" / "infra" / "terraform" / "envs" / "dev"
        environment.mkdir(parents=True)
        (environment / "image.auto.tfvars").write_text(f'image = "{DIGEST}"\n')

    def fail(self, command: str, pattern: str) -> None:
        (self.folder / f"fail-{command}").write_text(pattern + "\n")

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def play(self, path: Path, only: tuple[str, ...] = ()) -> bool:
        """Whether the build succeeds."""
        for step in steps(path):
            if only and step["id"] not in only:
                continue
            script = step["script"].replace("/workspace", str(self.folder / "workspace"))
            env = {
                "PATH": f"{self.folder / 'bin'}:{os.defpath}",
                "STAGE": str(self.folder),
                "STAGE_DIGEST": DIGEST,
                **{name: "x" for name in ("PROJECT_ID", "SHORT_SHA", "BRANCH_NAME")},
                "_ENVIRONMENT": "dev",
                "_REGION": "r",
                "_STATE_BUCKET": "b",
                "_RELEASE": "new",
            }
            ran = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=env,
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
            if ran.returncode and not step.get("allowFailure"):
                return False
        return True

    def ran(self, pattern: str) -> list[int]:
        """The places in the order of calls at which *pattern* was called."""
        return [place for place, call in enumerate(self.calls()) if re.search(pattern, call)]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


BEFORE, APPLY, SMOKE, BACK, AFTER, MARK = (
    "jobs execute migrate.*--before-code",
    "terraform apply.*plan$",
    "python -m infra.smoke",
    "terraform apply.*-auto-approve",
    "jobs execute migrate --region=r --wait$",
    "gcloud storage cp - gs://b/releases/dev/current",
)


def test_a_good_release_migrates_applies_checks_and_migrates_again(stage):
    """In that order, each once; the release is then the one to go back to."""
    (stage.folder / "current").write_text("old")
    assert stage.play(RELEASE)
    places = [stage.ran(pattern) for pattern in (BEFORE, APPLY, SMOKE, AFTER, MARK)]
    assert all(len(place) == 1 for place in places)
    assert places == sorted(places)
    assert stage.ran(BACK) == []
    [update] = stage.ran("jobs update migrate")
    assert DIGEST in stage.calls()[update]


def test_the_smoke_test_is_told_what_must_run(stage):
    """The gateway that was applied, the image that was approved, the services that are live."""
    assert stage.play(RELEASE)
    [place] = stage.ran(SMOKE)
    assert "https://gateway.test" in stage.calls()[place]
    assert f"--image {DIGEST}" in stage.calls()[place]


@pytest.mark.parametrize(
    ("command", "pattern"),
    [("python", "infra.smoke"), ("terraform", "^apply.*plan$"), ("gcloud", "^run services list")],
)
def test_a_bad_release_is_rolled_back_and_fails(stage, command, pattern):
    """When applying or the smoke test fails: the old release is applied, nothing of the new one is kept."""
    (stage.folder / "current").write_text("old")
    stage.fail(command, pattern)
    assert not stage.play(RELEASE)
    assert len(stage.ran(BACK)) == 1
    assert stage.ran(AFTER) == []
    assert stage.ran(MARK) == []


def test_a_bad_first_release_fails_without_going_anywhere(stage):
    """There is nothing to go back to, and it says so by failing."""
    stage.fail("gcloud", "releases/dev/current")
    stage.fail("python", "infra.smoke")
    assert not stage.play(RELEASE)
    assert stage.ran(BACK) == []


def test_a_migration_that_fails_stops_the_release_before_the_code(stage):
    """The old code goes on running on the database as it was."""
    stage.fail("gcloud", "jobs execute migrate")
    assert not stage.play(RELEASE)
    assert stage.ran(APPLY) == []
    assert stage.ran(BACK) == []


IMAGE_STEPS = ("find-image", "build-image")


def test_an_image_that_is_there_is_not_built_again(stage):
    """Only settings changed: the tag is known, its digest is taken."""
    (stage.folder / "workspace" / "tag").write_text("0123456789abcdef")
    (stage.folder / "digest").write_text("sha256:" + "c" * 64)
    assert stage.play(CHECK, IMAGE_STEPS)
    assert stage.ran("^docker") == []
    assert (stage.folder / "workspace" / "image").read_text().strip().endswith("@sha256:" + "c" * 64)


def test_a_new_image_is_built_and_pushed_once(stage):
    """Under the hash of its sources; what is deployed is its digest."""
    (stage.folder / "workspace" / "tag").write_text("0123456789abcdef")
    assert stage.play(CHECK, IMAGE_STEPS)
    assert [len(stage.ran(pattern)) for pattern in ("^docker build", "^docker push")] == [1, 1]
    assert (stage.folder / "workspace" / "image").read_text().strip() == DIGEST


ASKING_STEPS = ("plan", "ask-for-release")


def test_a_plan_that_changes_something_becomes_a_release_that_is_asked_for(stage):
    """Archive and readable plan are stored first; the message that asks names the release."""
    (stage.folder / "workspace" / "image").write_text(DIGEST)
    assert stage.play(CHECK, ASKING_STEPS)
    [archive] = stage.ran(r"gcloud storage cp .*\.tar\.gz$")
    [plan] = stage.ran(r"gcloud storage cp .*\.plan\.txt$")
    [asked] = stage.ran("gcloud pubsub topics publish releases --attribute=release=")
    assert max(archive, plan) < asked
    assert stage.calls()[asked].partition("release=")[2] in stage.calls()[archive]


def test_a_plan_that_changes_nothing_asks_for_nothing(stage):
    """A push of a page of the docs: nobody is asked to approve an empty release."""
    (stage.folder / "workspace" / "image").write_text(DIGEST)
    (stage.folder / "unchanged").touch()
    assert stage.play(CHECK, ASKING_STEPS)
    assert stage.ran("^gcloud (storage cp|pubsub)") == []


def test_the_first_release_is_asked_for_even_if_nothing_changes(stage):
    """What was deployed by hand becomes the release that the next one can go back to."""
    (stage.folder / "workspace" / "image").write_text(DIGEST)
    (stage.folder / "unchanged").touch()
    stage.fail("gcloud", "^storage ls gs://b/releases/dev/current")
    assert stage.play(CHECK, ASKING_STEPS)
    assert len(stage.ran("gcloud pubsub topics publish releases")) == 1


def test_a_plan_that_fails_stops_the_build(stage):
    """Nothing is asked for."""
    (stage.folder / "workspace" / "image").write_text(DIGEST)
    stage.fail("terraform", "^plan")
    assert not stage.play(CHECK, ASKING_STEPS)
    assert stage.ran("^gcloud") == []


def test_nothing_is_built_or_planned_before_every_check_has_passed():
    """The image waits for lint, types, tests, emulators and infrastructure; the plan for the image."""
    waits = {step["id"]: step.get("waitFor") for step in steps(CHECK)}
    assert {"lint-and-types", "tests", "infrastructure"} <= set(waits["find-image"])
    assert waits["build-image"] == ["find-image"]
    assert waits["plan"] == ["build-image"]
    assert waits["ask-for-release"] == ["plan"]


def test_checking_changes_nothing_that_runs():
    """Only the release, which waits for an approval, applies, migrates or deploys."""
    text = CHECK.read_text()
    assert not re.search(r"terraform apply|jobs execute|run deploy|services update", text)
    trigger = (ROOT / "infra/terraform/modules/pipeline/main.tf").read_text()
    assert re.search(r'"release" \{.*?approval_required = true', trigger, re.S)


@BOTH
def test_scripts_are_sound_shell_and_call_what_exists(path):
    """A misspelt module would be found by a release otherwise."""
    for step in steps(path):
        checked = subprocess.run(["bash", "-n", "-c", step["script"]], capture_output=True, check=False)
        assert checked.returncode == 0, (step["id"], checked.stderr)
        for module in re.findall(r"python -m (infra[\w.]*)", step["script"]):
            assert importlib.util.find_spec(module) is not None, module


@BOTH
def test_steps_are_what_cloud_build_takes(path):
    """A step with a script may name neither entrypoint nor arguments: the whole build would be refused.

    Source: https://cloud.google.com/build/docs/configuring-builds/run-bash-scripts
    """
    fields = {"id", "name", "script", "waitFor", "automapSubstitutions", "allowFailure"}
    assert all(set(step) <= fields for step in steps(path))


@BOTH
def test_substitutions_are_the_triggers(path):
    """What a script reads is what the trigger gives."""
    document = yaml.safe_load(path.read_text())
    used = set(re.findall(r"\$\{?(_[A-Z_]+)", path.read_text()))
    assert used <= set(document["substitutions"])
    assert all(step.get("automapSubstitutions") for step in document["steps"] if re.search(r"\$_[A-Z]", step["script"]))


def test_json_files_of_the_release_are_in_its_archive():
    """The smoke test of a release reads functions.json from the archive, with nothing else of the project."""
    text = (ROOT / "infra" / "smoke.py").read_text()
    assert not re.search(r"^from (shared|emulators)", text, re.M)
    assert json.loads((ROOT / "infra/terraform/functions.json").read_text())


def test_revisions_for_after_the_code_need_a_migration_that_can_wait():
    """As long as `--before-code` means nothing to migrate.py, no revision may count on being held back."""
    later = list((ROOT / "shared/db/migrations/versions").glob("*_after_*.py"))
    assert not later or "--before-code" in (ROOT / "shared/db/migrate.py").read_text()
