"""The board as a Gradio app: it serves the built page, and checks what is dropped on it.

Run it: `python -m leaderboard_app.app --site runs/site`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
from fastapi import Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from fcrewardbench import UsageError
from fcrewardbench.submissions.entries import MOST_CARD_BYTES
from fcrewardbench.submissions.rows import MOST_BYTES

MOST_SECONDS = 20
MOST_AT_ONCE = 2
MOST_ARRIVING = 8
MOST_REQUEST = MOST_BYTES + MOST_CARD_BYTES + 2**16
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'"
)
_GRADIO, _STARTUP = "/gradio_api/", "/startup-events"
"""Of Gradio's own routes, which take uploads of any size, only that which its launch calls is open."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def serve(site: Path, **launch: Any) -> None:
    """Serve a built site; `launch` is for Gradio's `launch`.

    Raises:
        UsageError: there is none.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from gradio import Server

    if not (site / "board.json").is_file():
        raise UsageError(
            f"{site} holds no board: run python -m leaderboard_app.build --out {site}."
        )
    app = Server(title="FC-RewardBench", docs_url=None, redoc_url=None, openapi_url=None)
    arriving, working = asyncio.Semaphore(MOST_ARRIVING), asyncio.Semaphore(MOST_AT_ONCE)

    @app.get("/server.json")
    def server() -> dict[str, Any]:
        return {"validate": True, "max_bytes": MOST_REQUEST, "max_seconds": MOST_SECONDS}

    @app.post("/validate")
    async def validate(request: Request) -> Response:
        busy = _said(503, "The server is busy: try again in a minute.")
        with tempfile.TemporaryDirectory() as scratch:
            if arriving.locked():
                return busy
            try:
                async with arriving, asyncio.timeout(MOST_SECONDS):
                    sent = await _received(request, Path(scratch))
            except TimeoutError:
                return _said(408, f"The files took more than {MOST_SECONDS} s to arrive.")
            except HTTPException as why:
                return _said(why.status_code, str(why.detail))
            if working.locked():
                return busy
            async with working:
                return await checked([*map(str, sent), str(site), str(MOST_SECONDS)])

    @app.middleware("http")
    async def headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if request.url.path.startswith(_GRADIO) and not request.url.path.endswith(_STARTUP):
            return Response(status_code=404)
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    for path in sorted(site.iterdir()):
        if path.is_dir():
            app.mount(f"/{path.name}", StaticFiles(directory=path), name=path.name)
        elif path.name != "server.json":
            app.add_api_route(f"/{path.name}", _file(path), methods=["GET", "HEAD"])
    app.add_api_route("/", _file(site / "index.html"), methods=["GET", "HEAD"])
    app.launch(ssr_mode=False, quiet=True, **launch)


def _file(path: Path) -> Callable[[], FileResponse]:
    def send() -> FileResponse:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return send


def _said(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


async def _received(request: Request, folder: Path) -> list[Path]:
    """The two files of a form, written into a folder: the card and the rows.

    Raises:
        HTTPException: they are too large, or not both there.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > MOST_REQUEST:
        raise HTTPException(413, f"The files have more than {MOST_REQUEST:,} bytes together.")
    async with request.form(max_files=2, max_fields=0) as form:
        files = [form.get(name) for name in ("card", "rows")]
        paths = []
        for number, file in enumerate(files):
            if not isinstance(file, UploadFile):
                raise HTTPException(400, "The files card and rows are needed, both.")
            path = folder / str(number)
            path.write_bytes(await file.read())
            paths.append(path)
    return paths


async def checked(arguments: list[str]) -> Response:
    """What `leaderboard_app.dropped` says, in a process that is ended after `MOST_SECONDS`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "leaderboard_app.dropped",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), MOST_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return _said(408, f"The check took more than {MOST_SECONDS} s.")
    if process.returncode:
        reason = "it takes too much memory or time, or rows.parquet is broken"
        return _said(400, f"The check ended without an answer: {reason}.")
    return JSONResponse(json.loads(output))


@click.command()
@click.option("--site", default=Path("site"), type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7860, show_default=True)
def command(site: Path, host: str, port: int) -> None:
    """Serve a built board."""
    serve(site, server_name=host, server_port=port)


if __name__ == "__main__":
    from fcrewardbench.cli.lazy import run

    run(command, "leaderboard_app.app", ())
