"""Group commit: what shares a commit, and how everything that goes wrong reaches those who wait."""

import threading

import pytest

from langguard.errors import LedgerError
from langguard.stores.base import Appended, Batch
from langguard.stores.group import GroupWriter

DONE = Appended(entries=(), checkpoint="head")


class Disk:
    """A commit that waits until it is let go, and fails when told to."""

    def __init__(self):
        self.groups = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.fails = None

    def commit(self, batches):
        self.groups.append(len(batches))
        self.begun.set()
        self.go.wait(10)
        if self.fails is not None:
            raise self.fails
        return [DONE] * len(batches)


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def writer(disk):
    made = GroupWriter(disk.commit, name="test", capacity=50, group=20)
    yield made
    disk.go.set()
    made.close()


def test_what_queues_up_during_a_commit_shares_the_next(disk, writer):
    waiting = [writer.submit(Batch())]
    disk.begun.wait(10)
    waiting += [writer.submit(Batch()) for _ in range(45)]
    disk.go.set()
    assert all(item.result(10) == DONE for item in waiting)
    assert disk.groups == [1, 20, 20, 5]


def test_too_many_are_refused_at_once_and_never_dropped(disk, writer):
    waiting = [writer.submit(Batch())]
    disk.begun.wait(10)
    waiting += [writer.submit(Batch()) for _ in range(50)]
    refused = writer.submit(Batch())
    with pytest.raises(LedgerError, match="50 batches are waiting"):
        refused.result(0)
    disk.go.set()
    assert all(item.result(10) == DONE for item in waiting)


@pytest.mark.parametrize("failed", [OSError("disk"), LedgerError("disk full."), ValueError("secret row")])
def test_a_failing_commit_fails_its_group_and_the_next_goes_on(disk, writer, failed):
    disk.go.set()
    disk.fails = failed
    with pytest.raises(LedgerError, match="could not record") as refused:
        writer.submit(Batch()).result(10)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is failed
    disk.fails = None
    assert writer.submit(Batch()).result(10) == DONE


def test_a_dead_writer_fails_every_append_at_once(disk, writer, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    disk.fails = SystemExit()
    first = writer.submit(Batch())
    disk.begun.wait(10)
    second = writer.submit(Batch())
    disk.go.set()
    for waiting in (first, second):
        with pytest.raises(LedgerError, match="stop"):
            waiting.result(10)
    writer._thread.join(10)
    with pytest.raises(LedgerError, match="stopped unexpectedly"):
        writer.submit(Batch()).result(0)


def test_a_commit_that_answers_for_too_few_fails(disk, writer):
    disk.commit = None
    short = GroupWriter(lambda batches: [], name="short")
    with pytest.raises(LedgerError):
        short.submit(Batch()).result(10)
    short.close()
    disk.begun.set()


def test_a_batch_given_up_while_it_waits_is_skipped(disk, writer):
    first = writer.submit(Batch())
    disk.begun.wait(10)
    second, third = writer.submit(Batch()), writer.submit(Batch())
    assert second.cancel()
    assert not first.cancel()
    disk.go.set()
    assert first.result(10) == third.result(10) == DONE
    assert disk.groups == [1, 1]
