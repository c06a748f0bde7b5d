# SPDX-License-Identifier: Apache-2.0
"""The watching of a network works: every alert fires and stays silent where it should, in promtool's unit tests and in a
real Prometheus that tells a (played) Alertmanager; each leads to its runbook; and every metric that alerts and the
dashboard name is one that a running node with every role has."""

import contextlib
import http.server
import json
import re
import shutil
import threading
import time
import urllib.parse

import pytest
import yaml

from tos_harness.chain import DevChain
from tos_harness.paths import OPS, example, text
from tos_harness.ports import free_port
from tos_harness.process import Process, run
from tos_harness.report import say
from tos_harness.rpc import request
from tos_harness.wait import Failed, eventually

WATCH = OPS / "prometheus"
DASHBOARD = OPS / "grafana" / "dashboards" / "tos.json"
# So many times faster than the clock of the rules goes the test with a real Prometheus.
SCALE = 60
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
# Metrics of node_exporter, which is no part of the node; test_offsite.py looks for the metrics of backups.
MACHINE = ("node_", "tos_offsite_", "up")


def rules():
    """All alerts by name."""
    groups = yaml.safe_load(text("ops", "prometheus", "alerts.yml"))["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in found}) == len(found), "two alerts have one name"
    return {rule["alert"]: rule for rule in found}


def cases():
    return yaml.safe_load(text("ops", "prometheus", "cases.yml"))


def promtool(*arguments):
    run("promtool", *arguments)


# --- cases --------------------------------------------------------------------------------------


def labels_of(name, case):
    """The labels that a case's alert carries."""
    every = {"chain": name, "instance": name, "job": "tos"}
    return {**{key: every[key] for key in case.get("by", every)}, **case.get("labels", {})}


def labelled(series, name):
    """A series of a case with the labels of its node or machine."""
    metric, _, rest = series.partition("{")
    labels = {"chain": name, "instance": name, "job": "tos"}
    if metric.startswith(MACHINE):
        del labels["chain"]
    own = rest.rstrip("}")
    return metric, ",".join([*filter(None, [own]), *(f'{key}="{value}"' for key, value in labels.items())])


def target_of(name):
    """The labels that the target of a case has of its own: those of its `up`."""
    up = [series for case in (cases()[name]["fires"], cases()[name]["quiet"]) for series in case if series.startswith("up{")]
    return dict(re.findall(r'(\w+)="([^"]*)"', up[0])) if up else {}


def values(notation):
    """The values that promtool's notation means: `a`, `axN`, `a+bxN`, one after the other."""
    found = []
    for part in notation.split():
        start, step, times = re.fullmatch(r"(-?[0-9.]+)(?:\+([0-9.]+))?(?:x(\d+))?", part).groups()
        found += [float(start) + float(step or 0) * i for i in range(int(times or 0) + 1)]
    return found


def rendered(template, labels):
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: str(labels.get(found[1], "")), template)


# --- files --------------------------------------------------------------------------------------


def test_every_alert_is_documented_and_has_a_case():
    alerts, known = rules(), cases()
    assert set(alerts) == set(known), f"alerts without a case, or the other way: {set(alerts) ^ set(known)}"
    sections = {line[3:].strip() for line in text("docs", "runbooks.md").splitlines() if line.startswith("## ")}
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in ("critical", "warning"), f"{name}: severity"
        notes = rule["annotations"]
        assert notes.get("summary"), f"{name}: no summary"
        assert notes.get("runbook") == f"docs/runbooks.md#{name.lower()}", f"{name}: runbook {notes.get('runbook')}"
        assert name in sections, f"{name}: no section in docs/runbooks.md"
    stray = {section for section in sections if section.startswith("Tos")} - set(alerts)
    assert not stray, f"runbooks of alerts that are not there: {stray}"


def test_the_configuration_is_one_that_prometheus_takes(folder):
    promtool("check", "config", WATCH / "prometheus.yml")
    promtool("check", "rules", WATCH / "alerts.yml")
    # Prometheus reads expressions of the dashboard as well, once its variables stand for something.
    asked = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])]
    recorded = [{"record": f"panel:{i}", "expr": re.sub(r"\$\w+", "x", expr)} for i, expr in enumerate(asked)]
    path = folder / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", path)


def test_every_alert_fires_and_stays_silent_in_unit_tests(folder):
    alerts, tests = rules(), []
    for name, case in cases().items():
        for kind in ("fires", "quiet"):
            series = [{"series": "{}{{{}}}".format(*labelled(key, name)), "values": str(notation)}
                      for key, notation in case[kind].items()]
            expected = []
            if kind == "fires":
                labels = labels_of(name, case)
                notes = {key: rendered(note, labels) for key, note in alerts[name]["annotations"].items()}
                expected = [{"exp_labels": {**labels, **alerts[name]["labels"]}, "exp_annotations": notes}]
            tests.append({"name": f"{name} {kind}", "interval": "1m", "input_series": series,
                          "alert_rule_test": [{"eval_time": case["at"], "alertname": name, "exp_alerts": expected}]})
    path = folder / "units.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(WATCH / "alerts.yml")], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", path)
    say(f"  {len(tests)} unit tests of {len(alerts)} alerts")


# --- a real Prometheus --------------------------------------------------------------------------


def faster(expression):
    """Durations in an expression or of a rule, so many times shorter."""
    def shorter(found):
        return f"{round(int(found[1]) * UNITS[found[2]] * 1000 / SCALE)}ms"
    return re.sub(r"\b(\d+)(ms|s|m|h|d)\b", shorter, expression)


class Played:
    """Plays nodes with every fault, and the Alertmanager that is told of them."""

    def __init__(self):
        self.kind, self.since, self.cases = "quiet", time.monotonic(), cases()
        self.told, self.lock = {}, threading.Lock()
        played = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = played.page(self.path.rpartition("/")[2])
                self.send_response(200 if page is not None else 503)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def do_POST(self):
                played.hear(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            # All nodes are scraped at once, and none may have to knock twice.
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def play(self, kind):
        with self.lock:
            self.kind, self.since = kind, time.monotonic()

    def page(self, name):
        """The metrics of the node that has the fault `name`; None when it does not answer."""
        with self.lock:
            elapsed = time.monotonic() - self.since
            kind, minute, since = self.kind, int(elapsed * SCALE / 60), time.time() - elapsed
        lines = []
        for series, notation in self.cases[name][kind].items():
            played = values(str(notation))
            value = played[min(minute, len(played) - 1)]
            if series.partition("{")[0].endswith("_timestamp_seconds"):
                value += since
            if series.partition("{")[0] == "up":
                if value == 0:
                    return None
                continue
            metric, labels = labelled(series, name)
            own = ",".join(part for part in labels.split(",") if not part.startswith(("instance=", "job=")))
            lines.append(f"{metric}{{{own}}} {value}" if own else f"{metric} {value}")
        return "\n".join(lines) + "\n"

    def hear(self, alerts):
        with self.lock:
            for alert in alerts:
                labels = alert["labels"]
                key = (labels["alertname"], labels.get("instance") or labels.get("chain"))
                entry = self.told.setdefault(key, {"starts": set(), "annotations": alert["annotations"]})
                entry["starts"].add(alert["startsAt"])


@pytest.fixture
def played():
    played = Played()
    yield played
    played.server.shutdown()


@pytest.fixture
def prometheus(folder, played):
    """A Prometheus with the rules made faster, which scrapes the played nodes; its address."""
    assert shutil.which("prometheus"), "there is no prometheus; run scripts/setup"
    document = yaml.safe_load(text("ops", "prometheus", "alerts.yml"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = faster(rule["expr"])
            if "for" in rule:
                rule["for"] = faster(rule["for"])
    target = f"127.0.0.1:{played.port}"
    jobs = [{"job_name": name, "metrics_path": f"/{name}",
             "static_configs": [{"targets": [target], "labels": {**target_of(name), "instance": name, "job": "tos"}}]} for name in rules()]
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["fast.yml"], "scrape_configs": jobs,
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}}
    for name, content in (("fast.yml", document), ("fast-prometheus.yml", config)):
        (folder / name).write_text(yaml.safe_dump(content))
    address = f"127.0.0.1:{free_port()}"
    process = Process("prometheus", [
        "prometheus", f"--config.file={folder}/fast-prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address={address}", "--rules.alert.resend-delay=1s"], folder / "prometheus.log").start()
    eventually("Prometheus is ready", lambda: request("GET", f"http://{address}/-/ready", limit=2).status_code == 200, alive=process.check)
    yield address
    process.stop()


def test_every_alert_reaches_an_alertmanager_once(played, prometheus):
    """Every alert fires once for its own fault, none for another one, and none before."""
    alerts = rules()
    played.play("quiet")
    # A quarter of an hour of the rules in which nothing is wrong.
    time.sleep(15)
    assert not played.told, f"alerts while nothing is wrong: {sorted(played.told)}"
    played.play("fires")
    began, wanted = time.monotonic(), {(name, name) for name in alerts}
    eventually("every alert is told", lambda: wanted <= set(played.told),
               detail=lambda: f"missing: {sorted(name for name, _ in wanted - set(played.told))}")
    say(f"  {len(alerts)} alerts told within {time.monotonic() - began:.0f} s")
    time.sleep(2)
    assert set(played.told) == wanted, f"alerts for faults of others: {sorted(set(played.told) - wanted)}"
    for (name, _), entry in played.told.items():
        # A node that is not read in half a second is as good as gone, and its alert begins anew: on a machine with other work,
        # that is no fault of the rule.
        assert len(entry["starts"]) == 1 or "up" not in played.cases[name]["fires"] and missed(prometheus, name), (
            f"{name} fired {len(entry['starts'])} times")
        assert entry["annotations"]["runbook"].endswith(f"#{name.lower()}"), f"{name}: told without its runbook"


def missed(prometheus, name):
    """True when Prometheus could not read the node with the fault `name` at some time."""
    query = urllib.parse.urlencode({"query": f'min_over_time(up{{instance="{name}"}}[10m])'})
    result = request("GET", f"http://{prometheus}/api/v1/query?{query}").json()["data"]["result"]
    return [sample["value"][1] for sample in result] == ["0"]


# --- a running node -----------------------------------------------------------------------------


def metrics_in(expression):
    """The names of metrics in an expression."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|ignoring|without|group_left)\s*\([^)]*\)", " ", bare)
    return {name for name in re.findall(r"\b[a-z_][a-z0-9_]*\b(?!\s*\()", bare)
            if name.startswith(("tos_", "substrate_", "node_")) or name == "up"}


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_metrics():
    dashboard = json.loads(DASHBOARD.read_text())
    found, ids = {}, []
    for panel in panels(dashboard):
        ids.append(panel["id"])
        if panel["type"] == "row":
            continue
        assert panel.get("title") and panel.get("targets"), f"panel {panel['id']} is empty"
        for target in panel["targets"]:
            names = metrics_in(target["expr"])
            assert names, f"{panel['title']}: no metric in {target['expr']}"
            found.update({name: panel["title"] for name in names})
    assert len(ids) == len(set(ids)), "two panels have one id"
    return found


def test_every_metric_that_is_named_is_one_of_a_running_node(binaries, folder):
    named = {name: f"panel {panel}" for name, panel in dashboard_metrics().items()}
    for alert, rule in rules().items():
        names = metrics_in(rule["expr"])
        assert names, f"{alert}: no metric"
        named.update({name: f"alert {alert}" for name in names})
    chain = DevChain(binaries, folder, exports_metrics=True).start()
    node, seen = chain.node, set()
    # Some metrics are only those of a node that proves a store, which is there once a provider has registered.
    made = chain.call("provider", "//Ferdie", "storage", "init", "--bond", "5000", "--public-url", f"http://127.0.0.1:{free_port()}")
    node.stop()
    node.start("--storage-provider", made["dir"]).ready()
    missing = {name for name in named if not name.startswith(MACHINE)}

    def read(**labels):
        """Values by name, those of series with these labels or without such labels."""
        samples = node.metrics()
        seen.update(sample.name for sample in samples)
        return {sample.name: sample.value for sample in samples if all(sample.labels.get(key, value) == value for key, value in labels.items())}

    secret = chain.call("provider", "//Ferdie", "keys", "export", "storage-proof")["secret"]
    node.rpc("author_insertKey", "tosp", secret, made["proofKey"])
    with contextlib.suppress(Failed):
        chain.eventually("all metrics", lambda: read() and missing <= seen)
    gone = sorted(missing - seen)
    assert not gone, "the node has no " + ", ".join(f"{name} ({named[name]})" for name in gone)

    def alive():
        value = read()
        return value["tos_block"] > 3 and value["tos_finalised_block"] > 0 and value["tos_process_resident_bytes"] > 2**24 and value

    value = chain.eventually("the protocol's metrics follow the chain", alive)
    chain.eventually("the prover, which has its key now, works", lambda: read()["tos_storage_prover_running"] == 1)
    assert value["tos_metrics_failed_reads"] == 0, "reading the best block fails"
    assert value["tos_metrics_unread_blocks_total"] == 0, "events of final blocks cannot be read"
    # A task published and withdrawn, for everything that counts events.
    made = chain.tos("task", "publish", "--type", "general", "--difficulty", "beginner", "--reward", "10", "--spec",
                     example("tsp", "berlin52.json"), "--open-for", "600", "--min-quality", "1", "--max-participants", "1",
                     "--param", "subject=metrics", key="//Alice")
    chain.tos("task", "cancel", made["task"], key="//Alice")
    once = ("tos_tasks_published_total", "tos_tasks_closed_total", "tos_task_life_blocks_count", "tos_tasks")

    def counted():
        value = read(closure="cancelled")
        return {name: value[name] for name in once}

    eventually("a task published and withdrawn is counted once", lambda: set(counted().values()) == {1}, detail=lambda: str(counted()))
    say(f"  {len(missing)} metrics of alerts and dashboard are there, {len(seen)} in all")
    chain.close()
