"""Serve one peer: `python -m pipeline.bench.peers NAME DATABASE-URL PORT`; ends with SIGTERM."""

from __future__ import annotations

import sys

import uvicorn

from pipeline.bench.peers.application import application

if __name__ == "__main__":
    name, url, port = sys.argv[1:]
    uvicorn.run(
        application(name, url),
        host="127.0.0.1",
        port=int(port),
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
    )
