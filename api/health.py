"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

import pipeline
from api.answers import json_response
from api.auth import Doorkeeper
from api.failures import RequestRefused
from api.service import Service
from api.workers import Workers
from pipeline.errors import PipelineError

READY_SECONDS = 5.0


class Health:
    """The addresses /health and /ready."""

    def __init__(self, service: Service, doorkeeper: Doorkeeper, workers: Workers) -> None:
        self.service = service
        self.doorkeeper = doorkeeper
        self.workers = workers

    async def live(self, _request: Request) -> Response:
        """Say that the process answers, whatever its store does."""
        return json_response({"status": "ok", "version": pipeline.__version__})

    async def ready(self, request: Request) -> Response:
        """Say whether the store can be read and written; what is wrong is told to those with a token only."""
        try:
            problems = list(await self.workers.run(self.service.problems, READY_SECONDS))
        except (RequestRefused, PipelineError) as refusal:
            problems = [refusal.message]
        known = await self.doorkeeper.actor_of(request) is not None
        return json_response(
            {"ready": not problems, "problems": problems if known else len(problems)}, 503 if problems else 200
        )
