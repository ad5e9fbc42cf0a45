"""The worker threads: a bounded queue, and an answer in time whatever a job does."""

import asyncio
import threading
import time

import pytest

from api import workers as module
from api.failures import RequestRefused
from api.workers import Workers


def test_more_jobs_than_may_wait_are_refused_at_once():
    async def crowd():
        workers = Workers(most_waiting=1, threads=1)
        go = threading.Event()
        jobs = [asyncio.create_task(workers.run(go.wait, 5)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RequestRefused) as refused:
            await workers.run(go.wait, 5)
        go.set()
        assert await asyncio.gather(*jobs) == [True, True]
        assert await workers.run(lambda: "room again", 5) == "room again"
        workers.close()
        return refused.value

    refusal = asyncio.run(crowd())
    assert (refusal.status, refusal.code, refusal.headers) == (503, "BUSY", {"Retry-After": "1"})


def test_a_job_that_takes_too_long_is_given_up_and_may_still_fail(monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.0)
    failed = threading.Event()

    def fail_late():
        time.sleep(0.3)
        failed.set()
        raise ValueError("nobody waits for this any more")

    async def give_up():
        workers = Workers(most_waiting=1, threads=1)
        with pytest.raises(RequestRefused, match=r"took longer than 0\.05 s"):
            await workers.run(fail_late, 0.05)
        with pytest.raises(RequestRefused, match="took longer"):
            await workers.run(lambda: pytest.fail("its client has gone before its turn came"), 0.05)
        await asyncio.sleep(0.4)
        assert workers.unfinished == 0
        workers.close()

    asyncio.run(give_up())
    assert failed.is_set()


def test_a_failure_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Workers(most_waiting=1).run(lambda: 1 / 0, 5))
