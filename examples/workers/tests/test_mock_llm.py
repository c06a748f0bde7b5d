# SPDX-License-Identifier: Apache-2.0
"""The mock endpoint."""

import json
import threading
import unittest
import urllib.error
import urllib.request

from tests import mock_llm, support

TSP = support.read("tsp", "berlin52.json")
REVIEW = support.read("code-review", "inventory.json")


class MockEndpoint(unittest.TestCase):
    def start(self, *arguments):
        server = mock_llm.Server(0, mock_llm.parse(arguments))
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def post(self, server, body, path="/chat/completions"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(server.base_url + path, data,
                                         {"Content-Type": "application/json"})
        # A proxy of the environment has no business with a local server.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as reply:
            return json.load(reply)

    def ask(self, server, text):
        reply = self.post(server, {"model": "m", "messages": [
            {"role": "system", "content": "Answer with JSON like {\"answer\": 1}."},
            {"role": "user", "content": text}]})
        self.assertEqual(reply["object"], "chat.completion")
        self.assertEqual(reply["model"], "m")
        return reply["choices"][0]["message"]["content"]

    def test_a_tour_for_a_worker_request_and_for_a_bare_specification(self):
        server = self.start("--style", "plain")
        whole = "Your task:\n" + json.dumps(support.solver_request(TSP, "tsp"))
        for text in whole, TSP, f"{{not json}} {TSP} thanks":
            answer = json.loads(self.ask(server, text))["answer"]
            score, = support.judge("tsp/judge.py", support.judge_request(TSP, "tsp", [answer]))
            self.assertGreaterEqual(score["quality"], 50)

    def test_findings_for_a_review_and_an_apology_for_anything_else(self):
        server = self.start("--style", "plain")
        answer = json.loads(self.ask(server, REVIEW))["answer"]
        score, = support.judge("code-review/judge.py",
                               support.judge_request(REVIEW, "code-review", [answer]))
        self.assertGreaterEqual(score["quality"], 40)
        self.assertIn("text", json.loads(self.ask(server, "How are you?"))["answer"])

    def test_styles_wrap_the_same_answer(self):
        texts = [self.ask(self.start("--style", style), TSP)
                 for style in ("plain", "fenced", "prose", "bare")]
        self.assertEqual(texts[1], f"```json\n{texts[0]}\n```")
        self.assertIn(texts[1], texts[2])
        self.assertEqual(json.loads(texts[3]), json.loads(texts[0])["answer"])
        self.assertEqual(texts[2], self.ask(self.start("--style", "prose"), TSP))

    def test_failures_and_garbage_on_demand(self):
        server = self.start("--fail", "1", "--garbage", "--style", "plain")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask(server, TSP)
        self.assertEqual(caught.exception.code, 503)
        caught.exception.close()
        self.assertEqual(json.loads(self.ask(server, TSP)), {"answer": {"noise": "lorem ipsum"}})
        self.assertEqual(len(server.requests), 2)

    def test_bad_requests_are_refused(self):
        server = self.start()
        for body, path, code in ((b"{", "/chat/completions", 400), ({}, "/chat/completions", 400),
                                 ({"messages": 1}, "/chat/completions", 400), ({}, "/other", 404)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.post(server, body, path)
            self.assertEqual(caught.exception.code, code)
            caught.exception.close()


if __name__ == "__main__":
    unittest.main()
