"""Kafka's jars: exactly those of `jgo.lock.toml`, fetched by jgo into the Maven cache and checked before every start.

jgo's environment builder would resolve every POM again and ask for a JDK to sort the jars; the lock file already holds
the answer, so that each locked jar is fetched by itself.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import EnvironmentBuilder, EnvironmentSpec, LockedDependency, LockFile, compute_spec_hash
from jgo.maven import Artifact, MavenContext, PythonResolver

from deploy.local.processes import LocalStackError, disk_full_is_told

CHECKOUT = Path(__file__).parents[2]
SPEC, LOCK = CHECKOUT / "jgo.toml", CHECKOUT / "jgo.lock.toml"

SILENCE_SECONDS = 10
"""After which a repository that says nothing is given up."""

PATIENCE_SECONDS = 300.0
"""That fetching all jars may take."""


def class_path(say: Callable[[str], None]) -> list[Path]:
    """The locked jars in the local Maven cache, each with the SHA-256 of the lock file; the missing ones are fetched.

    The cache is jgo's: `~/.m2/repository`, or `M2_REPO`, or what jgo's settings file says; so are the repositories.
    """
    lock = LockFile.load(LOCK)
    if lock.spec_hash != compute_spec_hash(SPEC):
        raise LocalStackError("jgo.toml has changed since jgo.lock.toml was made: run `python -m deploy.local lock`.")
    settings = GlobalSettings.load()
    cache, context = settings.repo_cache, _context(settings, settings.repo_cache)
    artifacts = [(_artifact(jar, context), jar) for jar in lock.dependencies]
    jars = {cache / artifact.component.path_prefix / artifact.filename: jar for artifact, jar in artifacts}
    missing = {path: jar for path, jar in jars.items() if not _intact(path, jar)}
    if missing:
        say(f"Fetching {len(missing)} of the {len(jars)} jars of Apache Kafka into {cache} (once)")
        _fetch(missing, settings, say)
    return list(jars)


def lock() -> int:
    """Resolve `jgo.toml` again and write `jgo.lock.toml`; returns the number of jars."""
    settings, spec = GlobalSettings.load(), EnvironmentSpec.load(SPEC)
    context = _context(settings, settings.repo_cache)
    direct, transitive = context.resolver.resolve(EnvironmentBuilder(context).spec_to_dependencies(spec))
    lock = LockFile.from_resolved_dependencies(
        [*direct, *transitive],
        environment_name=spec.name,
        java_version=spec.java_version,
        spec_hash=compute_spec_hash(SPEC),
    )
    lock.save(LOCK)
    return len(lock.dependencies)


def _fetch(missing: dict[Path, LockedDependency], settings: GlobalSettings, say: Callable[[str], None]) -> None:
    """Fetch beside the cache, check, then rename: an interrupted or concurrent start leaves no half jar behind."""
    cache = settings.repo_cache
    try:
        with disk_full_is_told(cache):
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as staging, ThreadPoolExecutor(8) as pool:
                context = _context(settings, Path(staging))
                try:
                    fetched = pool.map(lambda jar: _fetched(jar, context), missing.values())
                    for count, (path, arrived) in enumerate(zip(missing, fetched, strict=True), start=1):
                        path.parent.mkdir(parents=True, exist_ok=True)
                        arrived.replace(path)
                        if count % 15 == 0:
                            say(f"  {count} of {len(missing)}")
                finally:
                    pool.shutdown(cancel_futures=True)
    except (
        requests.RequestException,
        RuntimeError,
    ) as error:  # jgo's own, when no repository has the jar, is the latter
        raise LocalStackError(
            "Apache Kafka's jars could not be fetched: the first start needs a Maven repository over the network. "
            "Connect, or name a mirror as `central` under [repositories] in jgo's settings file (~/.config/jgo.conf), "
            "or point M2_REPO to a filled Maven cache, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs. "
            f"({type(error).__name__})"
        ) from error


def _fetched(jar: LockedDependency, context: MavenContext) -> Path:
    path: Path = _artifact(jar, context).resolve()
    if not _intact(path, jar):
        raise LocalStackError(
            f"{path.name} arrived with another SHA-256 than jgo.lock.toml says: start again, and if it stays so, "
            "do not trust the Maven repository it came from."
        )
    return path


def _context(settings: GlobalSettings, cache: Path) -> MavenContext:
    end_of_patience = time.monotonic() + PATIENCE_SECONDS

    @contextmanager
    def bounded(_file: str, _size: int) -> Iterator[Callable[[int], None]]:
        def received(_bytes: int) -> None:
            if time.monotonic() > end_of_patience:
                raise requests.Timeout(f"more than {PATIENCE_SECONDS:.0f} seconds")

        yield received

    return MavenContext(
        resolver=PythonResolver(progress_callback=bounded),
        repo_cache=cache,
        remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories},
        timeout=SILENCE_SECONDS,
    )


def _artifact(jar: LockedDependency, context: MavenContext) -> Artifact:
    component = context.project(jar.groupId, jar.artifactId).at_version(jar.version)
    return component.artifact(classifier=jar.classifier or "", packaging=jar.packaging)


def _intact(path: Path, jar: LockedDependency) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
