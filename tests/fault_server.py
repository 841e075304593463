"""A small real chat-completions server that judges rightly, and fails as a plan tells it to.

The right candidate is the one that holds the word RIGHT; where both or neither do, the answer is B.
A request that holds no task (`task-7`) is the adapter's probe. The plan gets the task's name and the
number of times that this very question was asked before, and names a fault, or "" for an answer.
"""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Plan = Callable[[str, int], str]
PROBE = "probe"
STATUS_FAULTS: dict[str, tuple[int, dict[str, Any] | str]] = {
    "429": (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}),
    "429 retry-after": (429, {"error": {"message": "slow down"}}),
    "429 come back tomorrow": (429, {"error": {"message": "quota used up"}}),
    "500": (500, {"error": {"message": "it broke"}}),
    "503 html": (503, "<html>no backend</html>"),
    "401": (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}),
    "403": (403, {"error": {"message": "not for you"}}),
    "404": (404, {"error": {"message": "no such model", "code": "model_not_found"}}),
    "422": (422, {"detail": "unprocessable"}),
    "too long (openai)": (
        400,
        {"error": {"message": "Too many tokens.", "code": "context_length_exceeded"}},
    ),
    "too long (vllm)": (
        400,
        {
            "object": "error",
            "message": "The decoder prompt (length 9031) is longer than the maximum model length of "
            "8192. Make sure that `max_model_len` is no smaller than the number of text tokens.",
            "code": 400,
        },
    ),
    "too long (llama.cpp)": (
        400,
        {
            "error": {
                "code": 400,
                "message": "request (9031 tokens) exceeds the available context size (8192 tokens)",
                "type": "exceed_context_size_error",
            }
        },
    ),
    "content policy": (400, {"error": {"message": "filtered", "code": "content_filter"}}),
}
NONSENSE: dict[str, tuple[str, str]] = {
    "html": ("text/html", "<html>Welcome!</html>"),
    "empty object": ("application/json", "{}"),
    "no choices": ("application/json", '{"choices": []}'),
    "error in 200": ("application/json", '{"error": {"message": "upstream is gone"}}'),
    "broken json": ("application/json", '{"choices": [{"message": '),
}


class FaultServer:
    """Serves on 127.0.0.1 while it is entered.

    Args:
        plan: names the fault of each request.
        logprobs: "yes", "5 at most", "refused" (HTTP 400) or "ignored".
        refused: settings that the server answers with HTTP 400.
        first_token: what the judge says first; the right letter where it is left out.
        reply: what it writes, with {letter} for the right letter.
        silence: seconds that the fault "silence" lasts.
        delay: seconds that every answer takes.
        echo: put the Authorization header into every message of the server.
    """

    def __init__(
        self,
        plan: Plan = lambda task, attempt: "",
        *,
        logprobs: str = "yes",
        refused: tuple[str, ...] = (),
        first_token: str | None = None,
        reply: str = "[[A]] is tempting. Still:\n[[{letter}]]",
        silence: float = 1.0,
        delay: float = 0.0,
        echo: bool = False,
    ) -> None:
        self.plan = plan
        self.logprobs = logprobs
        self.refused = refused
        self.first_token = first_token
        self.reply = reply
        self.silence = silence
        self.delay = delay
        self.echo = echo
        self.requests: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._server = _Listener(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)  # no polite end first, so that the fault "reset" is one


def _handler(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            if "404 models" in server.refused:
                self.send(404, {"error": {"message": "no such page"}})
                return
            self.send(200, {"data": [{"id": "judge-small"}, {"id": "judge-large"}]})

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = request["messages"][-1]["content"]
            task = (re.findall(r"task-\d+", question) or [PROBE])[0]
            with server.lock:
                server.requests.append(request)
                attempt = server.asked[question]
                server.asked[question] += 1
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                time.sleep(server.delay)
                self.answer(request, question, server.plan(task, attempt))
            except OSError:
                self.close_connection = True  # the client has gone, which some tests are about
            finally:
                with server.lock:
                    server.at_once -= 1

        def answer(self, request: dict[str, Any], question: str, fault: str) -> None:
            if fault in STATUS_FAULTS:
                status, body = STATUS_FAULTS[fault]
                waits = {"429 retry-after": "0.2", "429 come back tomorrow": "86400"}
                headers = {"Retry-After": waits[fault]} if fault in waits else {}
                self.send(status, body, headers)
            elif fault in NONSENSE:
                kind, text = NONSENSE[fault]
                self.send(200, text, {"Content-Type": kind})
            elif fault == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
            elif fault == "silence":
                time.sleep(server.silence)
                self.close_connection = True
            else:
                self.complete(request, question, fault)

        def complete(self, request: dict[str, Any], question: str, fault: str) -> None:
            for name in server.refused:
                if name in request:
                    self.send(
                        400, {"error": {"message": f"'{name}' is not supported", "param": name}}
                    )
                    return
            if request.get("logprobs"):
                few = server.logprobs == "5 at most" and request["top_logprobs"] > 5
                if few or server.logprobs == "refused":
                    message = "top_logprobs must be at most 5" if few else "logprobs: not supported"
                    self.send(400, {"error": {"message": message}})
                    return
            letter = _right_letter(question)
            choice: dict[str, Any] = {
                "index": 0,
                "message": {"role": "assistant", "content": server.reply.format(letter=letter)},
                "finish_reason": "length" if fault == "cut off" else "stop",
            }
            if fault == "cut off":
                choice["message"]["content"] = "Both have their merits, but the f"
            if fault == "content filter":
                choice["message"]["content"] = None
                choice["finish_reason"] = "content_filter"
            if fault == "refusal":
                choice["message"] = {"role": "assistant", "content": None, "refusal": "I cannot."}
            if request.get("logprobs") and server.logprobs != "ignored":
                token = server.first_token or letter
                choice["message"]["content"] = token
                choice["logprobs"] = {"content": [_token(token, request["top_logprobs"])]}
            body = {
                "id": "x",
                "object": "chat.completion",
                "model": "judge-small-2026",
                "system_fingerprint": "fp_1",
                "choices": [choice],
                "usage": {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101},
            }
            self.send(200, body, half=fault == "half a body")

        def send(
            self,
            status: int,
            body: dict[str, Any] | str,
            headers: dict[str, str] | None = None,
            half: bool = False,
        ) -> None:
            if server.echo:
                body = _echoed(body, self.headers.get("Authorization", ""))
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if half else data)
            if half:
                self.close_connection = True

    return Handler


def _right_letter(question: str) -> str:
    first = question.partition("# Candidate A")[2].partition("# Candidate B")[0]
    return "A" if "RIGHT" in first else "B"


def _token(token: str, count: int) -> dict[str, Any]:
    """A token's log-probabilities: the token 0.7, the other letter 0.2, the rest little."""
    other = {"A": "B", "B": "A"}.get(token, "\n")
    masses = [(token, 0.7), (other, 0.2), *((f"w{i}", 0.1 / count) for i in range(count - 2))]
    top = [{"token": name, "logprob": math.log(mass), "bytes": None} for name, mass in masses]
    return {**top[0], "top_logprobs": top}


def _echoed(body: dict[str, Any] | str, header: str) -> dict[str, Any] | str:
    """The body with the request's Authorization header wherever a text is."""
    if isinstance(body, str):
        return body.replace("<html>", f"<html>{header} ")
    text = json.dumps(body)
    for key in ("message", "content", "system_fingerprint", "model", "detail", "id"):
        text = re.sub(rf'("{key}": ")', rf"\g<1>{header} ", text)
    return dict(json.loads(text))
