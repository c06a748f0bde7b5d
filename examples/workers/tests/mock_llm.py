#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OpenAI-compatible endpoint for tests: no model, no network, always the same reply.

    mock_llm.py [--port N] [--style plain|fenced|prose|bare] [--fail N] [--delay S] [--garbage]

Serves POST /v1/chat/completions and GET /v1/models on 127.0.0.1. It looks in the messages for a
task's specification (a JSON object with "kind" and "data", alone or inside a bigger object such as
a worker's request) and answers a tour to a "tsp", findings to a "code-review". When it is ready it
prints one line, `listening on http://127.0.0.1:PORT/v1`; --port 0 takes any free port.
"""

import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tsp"))
import tsp  # noqa: E402

MODEL = "mock-1"
MAX_BODY = 8 * 1024 * 1024

#: What the "model" recognises in code: line by line, and not very well.
SMELLS = (
    (r"\beval\(", "eval"),
    (r"shell=True", "command-injection"),
    (r"== None", "none-comparison"),
    (r"except:", "bare-except"),
    (r"\bmd5\(", "weak-hash"),
    (r"(?i)password\w* = \"", "hardcoded-secret"),
    (r"=\[\]\)|=\{\}\)", "mutable-default"),
    (r"f\"SELECT", "sql-injection"),
)


def find_specification(value):
    """The first specification in a JSON value, or in a text that contains one."""
    if isinstance(value, dict):
        if isinstance(value.get("kind"), str) and isinstance(value.get("data"), dict):
            return value
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    elif isinstance(value, str) and "{" in value:
        inner = json_in(value)
    else:
        return None
    return next((found for found in map(find_specification, inner) if found), None)


def json_in(text):
    """The JSON objects in a text, from left to right."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at != -1:
        try:
            value, at = decoder.raw_decode(text, at)
            yield value
        except (ValueError, RecursionError):
            at += 1
        at = text.find("{", at)


def solve(spec):
    """What the "model" has to say to a specification."""
    if spec is None:
        return {"text": "I cannot find a task in your message."}
    data = spec["data"]
    if spec["kind"] == "tsp":
        dist = tsp.matrix(data["points"])
        return tsp.answer(tsp.two_opt(tsp.nearest_neighbour(dist, 1), dist), dist)
    if spec["kind"] == "code-review":
        return {"findings": [
            {"line": number, "kind": kind, "message": line.strip(), "tool": MODEL}
            for number, line in enumerate(data["source"].splitlines(), 1)
            for pattern, kind in SMELLS if re.search(pattern, line)]}
    return {"text": f"I know nothing of tasks of kind {spec['kind']}."}


def dress(answer, style):
    """The answer as a chat model would write it."""
    if style == "bare":
        return json.dumps(answer)
    text = json.dumps({"answer": answer})
    if style == "plain":
        return text
    fenced = f"```json\n{text}\n```"
    return fenced if style == "fenced" else f"Here is my answer.\n\n{fenced}\n\nGood luck!"


def completion(request, options):
    """The body of the reply to a chat completion request."""
    messages = request["messages"]
    answer = {"noise": "lorem ipsum"} if options.garbage else solve(find_specification(messages))
    content = dress(answer, options.style)
    words = len(json.dumps(messages)) // 4, len(content) // 4
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model", MODEL),
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": words[0],
            "completion_tokens": words[1],
            "total_tokens": sum(words),
        },
    }


class Server(ThreadingHTTPServer):
    """The server, with what it was asked so far."""

    daemon_threads = True

    def __init__(self, port, options):
        super().__init__(("127.0.0.1", port), Handler)
        self.options = options
        self.lock = threading.Lock()
        self.failures_left = options.fail
        #: Bodies of the requests, for tests that look at them.
        self.requests = []

    @property
    def base_url(self):
        """What goes where an OpenAI base URL is asked for."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def reply(self, status, body):
        """Sends a JSON body."""
        data = json.dumps(body).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, message):
        """Sends an error in OpenAI's form."""
        self.reply(status, {"error": {"message": message, "type": "mock_error", "code": status}})

    def do_GET(self):
        """The list of models."""
        if self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        else:
            self.refuse(404, "no such path")

    def do_POST(self):
        """A chat completion."""
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 < size <= MAX_BODY:
            self.close_connection = True
            return self.refuse(413, "no body, or too long a body")
        body = self.rfile.read(size)
        if self.path != "/v1/chat/completions":
            return self.refuse(404, "no such path")
        try:
            request = json.loads(body)
            if not isinstance(request["messages"], list):
                raise ValueError("messages is not a list")
        except (ValueError, KeyError, TypeError) as error:
            return self.refuse(400, f"not a chat completion request: {error!r}")
        with self.server.lock:
            self.server.requests.append(request)
            failing = self.server.failures_left > 0
            self.server.failures_left -= failing
        time.sleep(self.server.options.delay)
        if failing:
            return self.refuse(503, "overloaded, as asked for")
        return self.reply(200, completion(request, self.server.options))

    def log_message(self, format, *args):
        """To the log."""
        print(format % args, file=sys.stderr)


def parse(arguments=None):
    """Reads the options."""
    parser = tsp.worker.parser(__doc__)
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port (default: any free)")
    parser.add_argument("--style", choices=("plain", "fenced", "prose", "bare"), default="fenced",
                        help="how the message has the JSON object {\"answer\": …}: alone, in a "
                        "code fence (default), among words; bare: the answer without the object")
    parser.add_argument("--fail", type=int, default=0, metavar="N",
                        help="answer the first N requests with status 503")
    parser.add_argument("--delay", type=float, default=0, metavar="SECONDS",
                        help="think this long before each reply")
    parser.add_argument("--garbage", action="store_true", help="answer nonsense")
    return parser.parse_args(arguments)


def main():
    options = parse()
    server = Server(options.port, options)
    print(f"listening on {server.base_url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
