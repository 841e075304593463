"""A small real hub: it takes uploads as `huggingface_hub` sends them, and keeps the files."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

TOKEN = "hf_right"


def environment(url: str, token: str, home: Path) -> dict[str, str]:
    """What makes `huggingface_hub` speak to a small hub."""
    return {
        **os.environ,
        "HF_ENDPOINT": url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",  # the small hub takes files as Git LFS does
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(home),
        "HF_TOKEN": token,
    }


class HubServer:
    """`files` are those of all commits by `repository/path`, `kinds` what each repository is."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.private: dict[str, bool] = {}
        self.kinds: dict[str, str] = {}
        self._objects: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _answer(self, status: int, content: Any) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                name = "/".join(urlsplit(self.path).path.split("/")[3:5])
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self._answer(401, {"error": "Invalid credentials"})
                    return
                if "/tree/" in self.path:
                    own = [one for one in hub.files if one.startswith(f"{name}/")]
                    listed = [
                        {"type": "file", "path": one[len(name) + 1 :], "size": 1, "oid": "0" * 40}
                        for one in own
                    ]
                    self._answer(200, listed)
                    return
                told = {"id": name, "sha": "0" * 40, "private": hub.private[name], "siblings": []}
                self._answer(200, told)

            def do_PUT(self) -> None:
                data = self._body()
                hub._objects[hashlib.sha256(data).hexdigest()] = data
                self._answer(200, {})

            def do_POST(self) -> None:
                body = self._body()
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self._answer(401, {"error": "Invalid credentials"})
                    return
                path = urlsplit(self.path).path
                if path == "/api/repos/create":
                    told = json.loads(body)
                    name = "/".join(filter(None, (told.get("organization"), told["name"])))
                    hub.kinds[name] = told.get("type") or "model"
                    hub.private.setdefault(name, told.get("visibility") == "private")
                    self._answer(200, {"url": f"{hub.url}/{name}"})
                elif path == "/api/validate-yaml":
                    self._answer(200, {"errors": [], "warnings": []})
                elif path.endswith("/preupload/main"):
                    files = [
                        {
                            "path": file["path"],
                            "uploadMode": "lfs"
                            if file["path"].endswith("safetensors")
                            else "regular",
                            "shouldIgnore": False,
                        }
                        for file in json.loads(body)["files"]
                    ]
                    self._answer(200, {"files": files})
                elif path.endswith("/info/lfs/objects/batch"):
                    objects = [
                        {
                            **one,
                            "actions": {"upload": {"href": f"{hub.url}/object/{one['oid']}"}},
                        }
                        for one in json.loads(body)["objects"]
                    ]
                    self._answer(200, {"transfer": "basic", "objects": objects})
                elif path.endswith("/commit/main"):
                    repository = "/".join(path.split("/")[3:5])
                    for line in body.decode().splitlines():
                        hub._take(repository, json.loads(line))
                    self._answer(
                        200,
                        {"commitUrl": f"{hub.url}/{repository}/commit/1", "commitOid": "1" * 40},
                    )
                else:
                    self._answer(404, {"error": f"no {path}"})

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _take(self, repository: str, line: dict[str, Any]) -> None:
        value = line["value"]
        if line["key"] == "file":
            self.files[f"{repository}/{value['path']}"] = base64.b64decode(value["content"])
        elif line["key"] == "deletedFile":
            del self.files[f"{repository}/{value['path']}"]
        elif line["key"] == "lfsFile":
            self.files[f"{repository}/{value['path']}"] = self._objects[value["oid"]]

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        why: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
