"""Kafka's jars: exactly those of `jgo.lock.toml`, fetched with jgo into the Maven cache and checked on every start.

jgo's own environment builder resolves all POMs again and asks for a JDK to classify the jars; the lock file already
holds the answer, so each locked jar is fetched by itself.
"""

from __future__ import annotations

import errno
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

from deploy.local.processes import LocalStackError, disk_full

CHECKOUT = Path(__file__).parents[2]
SPEC, LOCK = CHECKOUT / "jgo.toml", CHECKOUT / "jgo.lock.toml"
PATIENCE = 300.0
"""Seconds that fetching all jars may take."""


def class_path(say: Callable[[str], None]) -> list[Path]:
    """The locked jars in the local Maven cache, each with the SHA-256 of the lock file; the missing ones are fetched.

    The cache is jgo's: `~/.m2/repository`, or `M2_REPO`, or what jgo's settings file says; so are the repositories.
    """
    lock = LockFile.load(LOCK)
    if lock.spec_hash != compute_spec_hash(SPEC):
        raise LocalStackError("jgo.toml has changed since jgo.lock.toml was made: run `python -m deploy.local lock`.")
    settings = GlobalSettings.load()
    cache = settings.repo_cache
    context = _context(cache, settings)
    artifacts = [(_artifact(jar, context), jar) for jar in lock.dependencies]
    jars = {cache / artifact.component.path_prefix / artifact.filename: jar for artifact, jar in artifacts}
    missing = {path: jar for path, jar in jars.items() if not _intact(path, jar)}
    if missing:
        say(f"Fetching {len(missing)} of {len(jars)} jars of Apache Kafka (once; they stay in {cache})")
        _fetch(missing, cache, settings)
    return list(jars)


def lock() -> int:
    """Resolve `jgo.toml` again and write `jgo.lock.toml`; returns the number of jars."""
    settings = GlobalSettings.load()
    context = _context(settings.repo_cache, settings)
    wanted = EnvironmentBuilder(context).spec_to_dependencies(spec := EnvironmentSpec.load(SPEC))
    direct, transitive = context.resolver.resolve(wanted)
    LockFile.from_resolved_dependencies(
        [*direct, *transitive],
        environment_name=spec.name,
        java_version=spec.java_version,
        spec_hash=compute_spec_hash(SPEC),
    ).save(LOCK)
    return len(direct) + len(transitive)


def _fetch(missing: dict[Path, LockedDependency], cache: Path, settings: GlobalSettings) -> None:
    """Fetch beside the cache, check, then rename: a broken or concurrent start never leaves half a jar behind."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as staging, ThreadPoolExecutor(8) as pool:
            context = _context(Path(staging), settings)
            try:
                for path, fetched in zip(
                    missing, pool.map(lambda jar: _fetched(jar, context), missing.values()), strict=True
                ):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    fetched.replace(path)
            finally:
                pool.shutdown(cancel_futures=True)
    except OSError as error:  # requests' errors are among them
        if error.errno == errno.ENOSPC:
            raise disk_full(cache) from error
        raise _unreachable(error) from error
    except RuntimeError as error:  # jgo: no repository has it
        raise _unreachable(error) from error


def _fetched(jar: LockedDependency, context: MavenContext) -> Path:
    path: Path = _artifact(jar, context).resolve()
    if not _intact(path, jar):
        raise LocalStackError(
            f"{path.name} arrived with another SHA-256 than jgo.lock.toml says: start again, and if it stays so, "
            "do not trust the Maven repository it came from."
        )
    return path


def _unreachable(error: Exception) -> LocalStackError:
    return LocalStackError(
        "Apache Kafka's jars could not be fetched: the first start needs a Maven repository over the network. Connect, "
        "or name a mirror as `central` under [repositories] in jgo's settings file (~/.config/jgo.conf), or point "
        "M2_REPO to a filled Maven cache, or set KAFKA_BOOTSTRAP_SERVERS to a running Kafka. "
        f"({type(error).__name__})"
    )


def _context(cache: Path, settings: GlobalSettings) -> MavenContext:
    end = time.monotonic() + PATIENCE

    @contextmanager
    def bounded(_file: str, _size: int) -> Iterator[Callable[[int], None]]:
        def received(_bytes: int) -> None:
            if time.monotonic() > end:
                raise requests.Timeout(f"more than {PATIENCE:.0f} seconds")

        yield received

    return MavenContext(
        resolver=PythonResolver(progress_callback=bounded),
        repo_cache=cache,
        remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories},
    )


def _artifact(jar: LockedDependency, context: MavenContext) -> Artifact:
    component = context.project(jar.groupId, jar.artifactId).at_version(jar.version)
    return component.artifact(classifier=jar.classifier or "", packaging=jar.packaging)


def _intact(path: Path, jar: LockedDependency) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
