"""Both stores behave alike, and report clearly when they cannot be used."""

import threading
from pathlib import Path

import pytest

from include.handoff.folder import FileStore
from include.handoff.local_files import HashingWriter
from include.handoff.store_calls import Conflict, Gone, PartStats, StoreError
from include.handoff.stores import HostError, check_hosts, open_store
from tests.s3 import SECRET, free_ports
from tests.things import ended, forked


@pytest.fixture
def store(handoff_root, tmp_path):
    return open_store(handoff_root, scratch=tmp_path / "scratch")


class Text:
    """A part of a few bytes, which may fail half-way."""

    name = "part"

    def __init__(self, text: bytes, error: BaseException | None = None) -> None:
        self.text, self.error = text, error

    def write_to(self, writer: HashingWriter) -> int:
        writer.write(self.text)
        if self.error:
            raise self.error
        return 1


def test_a_put_is_conditional_on_what_was_read(store):
    assert store.get("acme/x/y/m") is None
    first = store.put("acme/x/y/m", b"1", None)

    second = store.put("acme/x/y/m", b"2", first)

    for stale in (None, first, '"nonsense"'):
        with pytest.raises(Conflict):
            store.put("acme/x/y/m", b"3", stale)
    assert store.get("acme/x/y/m") == (b"2", second)


def test_a_put_on_what_was_deleted_meanwhile_is_a_conflict(store):
    etag = store.put("acme/x/y/m", b"1", None)
    store.delete("acme/x/y/m")

    with pytest.raises(Conflict):
        store.put("acme/x/y/m", b"2", etag)


def test_of_many_writers_at_once_exactly_one_wins(store):
    def race(path: str, expected: str | None) -> int:
        barrier, wins = threading.Barrier(6), []

        def write(number: int) -> None:
            barrier.wait()
            try:
                store.put(path, b"%s %d" % (str(expected).encode(), number), expected)
                wins.append(number)
            except Conflict:
                pass

        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get(path).data.endswith(b" %d" % wins[0])
        return len(wins)

    creations = [race(f"acme/race/{key}", None) for key in range(8)]
    changes = [race(f"acme/race/{key}", store.get(f"acme/race/{key}").etag) for key in range(8)]

    assert creations == [1] * 8
    assert changes == [1] * 8


def test_a_written_part_is_fetched_listed_and_deleted(store):
    written = store.write_part("acme/x/y/attempt=1-a/part", Text(b"hello"))

    fetched = store.fetch("acme/x/y/attempt=1-a/part")

    assert isinstance(written, PartStats)
    assert (fetched.bytes, fetched.sha256) == (5, written.sha256)
    assert Path(fetched.file).read_bytes() == b"hello"
    assert [entry.path for entry in store.list("acme/x/y")] == ["acme/x/y/attempt=1-a/part"]
    assert store.list("acme/x/z") == []
    store.delete("acme/x/y/attempt=1-a/part")
    store.delete("acme/x/y/attempt=1-a/part")
    with pytest.raises(Gone):
        store.fetch("acme/x/y/attempt=1-a/part")


def test_a_listing_of_one_folder_does_not_show_its_namesakes(store):
    for firm in ("acme", "acme2", "acm"):
        store.put(f"{firm}/x", b"", None)

    assert [entry.path for entry in store.list("acme")] == ["acme/x"]


def test_a_part_that_fails_half_way_does_not_exist(store, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        store.write_part("acme/x/y/attempt=1-a/part", Text(b"half", KeyboardInterrupt()))

    assert store.list() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "a//b", "a/\0", "a/%2e%2e/b/é", "", "."]
)
def test_a_path_cannot_leave_the_root(store, path):
    for use in (store.get, store.fetch, store.delete):
        with pytest.raises(StoreError, match="is no name for a file"):
            use(path)


@pytest.mark.parametrize("root", ["/tmp/x", "http://x", "s3://", "file://elsewhere/x", ""])
def test_an_unknown_root_is_refused(root, tmp_path):
    with pytest.raises(StoreError, match="must be file:///folder or s3://conn_id@bucket/prefix"):
        open_store(root, scratch=tmp_path)


def test_a_folder_without_write_access_is_reported(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match=r"cannot write .*/file/acme/x: Not a directory"):
        FileStore(tmp_path / "file").put("acme/x", b"", None)


def test_a_put_leaves_no_temporary_file(tmp_path):
    store = FileStore(tmp_path)
    etag = store.put("acme/x", b"1", None)
    store.put("acme/x", b"2", etag)

    assert sorted(path.name for path in tmp_path.rglob("*")) == [".lock", "acme", "x"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"secret": "wrong"}, r"connection 'lake' was refused \(SignatureDoesNotMatch\): check its key"),
        ({"key": "nobody"}, r"connection 'lake' was refused \(InvalidAccessKeyId\): check its key"),
    ],
)
def test_wrong_credentials_are_reported_without_the_secret(s3_server, monkeypatch, tmp_path, change, says):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", s3_server.connection(**change))
    store = open_store(f"s3://lake@{s3_server.bucket}/x", scratch=tmp_path)

    for use in (
        lambda: store.get("acme/x"),
        lambda: store.put("acme/x", b"", None),
        lambda: store.write_part("acme/x", Text(b"")),
        lambda: store.fetch("acme/x"),
        lambda: store.list(),
    ):
        with pytest.raises(StoreError, match=says) as caught:
            use()
        assert SECRET not in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_missing_bucket_is_reported(s3_server, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", s3_server.connection())
    store = open_store("s3://lake@nowhere/x", scratch=tmp_path)

    with pytest.raises(StoreError, match="bucket 'nowhere' does not exist"):
        store.list()


def test_an_unreachable_endpoint_is_reported(s3_server, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", s3_server.connection(port=free_ports(1)[0]))
    monkeypatch.setattr("include.handoff.s3.TRIES", 2)
    store = open_store(f"s3://lake@{s3_server.bucket}/x", scratch=tmp_path)

    with pytest.raises(StoreError, match=r"Could not connect.*check that connection 'lake'"):
        store.get("acme/x")


def test_a_connection_that_is_not_configured_is_reported(monkeypatch, tmp_path):
    monkeypatch.delenv("AIRFLOW_CONN_ABSENT", raising=False)
    store = open_store("s3://absent@bucket/x", scratch=tmp_path)

    with pytest.raises(StoreError, match="AIRFLOW_CONN_ABSENT"):
        store.get("acme/x")


def test_an_abandoned_hashing_writer_discards_the_rest(tmp_path):
    with (tmp_path / "part").open("wb") as file:
        writer = HashingWriter(file)
        writer.write(b"half")
        writer.is_abandoned = True
        writer.write(b"footer")

    assert (tmp_path / "part").read_bytes() == b"half"
    assert writer.bytes == 4


def test_a_forked_child_does_not_talk_through_its_parents_sockets(s3_server, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", s3_server.connection())
    store = open_store(f"s3://lake@{s3_server.bucket}/fork", scratch=tmp_path)
    store.put("acme/parent", b"1", None)
    parents = store._client

    def child() -> None:
        assert store._client is not parents
        store.put("acme/child", b"2", None)

    assert ended(forked(child)) == 0
    assert store._client is parents
    assert store.get("acme/child").data == b"2"


@pytest.mark.parametrize(
    "executor",
    [
        "CeleryExecutor",
        "LocalExecutor,KubernetesExecutor",
        "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
        "mine:company.executors.Mine",
        "LocalExecutor;team1=CeleryExecutor",
    ],
)
def test_a_folder_of_one_host_is_refused_for_an_executor_of_several(executor):
    with pytest.raises(HostError, match=r"FIRMAMENT_ROOT=file:///a is a folder of one host, but \w+ runs"):
        check_hosts("file:///a", executor, is_shared=False)

    check_hosts("file:///a", executor, is_shared=True)
    check_hosts("s3://lake@bucket/handoffs", executor, is_shared=False)


@pytest.mark.parametrize("executor", ["", "LocalExecutor", "mine:airflow.executors.LocalExecutor"])
def test_a_folder_suits_an_executor_of_one_host(executor):
    check_hosts("file:///a", executor, is_shared=False)
