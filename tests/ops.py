#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What watches a network works: every alert fires and stays silent where it should, in promtool's unit tests and in a
real Prometheus that tells a (played) Alertmanager; each leads to its runbook; and every metric that alerts and the
dashboard name is one that a running node has.

    tests/ops.py --bin DIR
"""

import argparse
import contextlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WATCH = os.path.join(ROOT, "ops", "prometheus")
DASHBOARD = os.path.join(ROOT, "ops", "grafana", "dashboards", "tos.json")
sys.path.insert(0, os.path.join(ROOT, "zombienet"))

from network import Failed, free_port  # noqa: E402

# So many times faster than the clock of the rules goes the test with a real Prometheus.
SCALE = 60
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
# Seconds within which what should happen does, also beside a build.
LATE = 240
# What node_exporter has, which is no part of the node; tests/offsite.py looks for the metrics of backups.
MACHINE = ("node_", "tos_offsite_", "up")


def check(holds, what):
    """Fails unless it holds."""
    if not holds:
        raise Failed(what)


def text(*parts):
    """The text of a file of the repository."""
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def rules():
    """All alerts by name."""
    groups = yaml.safe_load(text("ops", "prometheus", "alerts.yml"))["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    check(len({rule["alert"] for rule in found}) == len(found), "two alerts have one name")
    return {rule["alert"]: rule for rule in found}


def cases():
    return yaml.safe_load(text("ops", "prometheus", "cases.yml"))


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=LATE)
    check(done.returncode == 0, f"promtool {' '.join(arguments[:2])}:\n{done.stdout}{done.stderr}")


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


def every_alert_is_documented_and_has_a_case(_, __):
    alerts, known = rules(), cases()
    check(set(alerts) == set(known), f"alerts without a case, or the other way: {set(alerts) ^ set(known)}")
    sections = {line[3:].strip() for line in text("docs", "runbooks.md").splitlines() if line.startswith("## ")}
    for name, rule in alerts.items():
        check(rule["labels"]["severity"] in ("critical", "warning"), f"{name}: severity")
        notes = rule["annotations"]
        check(notes.get("summary"), f"{name}: no summary")
        check(notes.get("runbook") == f"docs/runbooks.md#{name.lower()}", f"{name}: runbook {notes.get('runbook')}")
        check(name in sections, f"{name}: no section in docs/runbooks.md")
    stray = {section for section in sections if section.startswith("Tos")} - set(alerts)
    check(not stray, f"runbooks of alerts that are not there: {stray}")


def the_configuration_is_one_that_prometheus_takes(_, folder):
    promtool("check", "config", os.path.join(WATCH, "prometheus.yml"))
    promtool("check", "rules", os.path.join(WATCH, "alerts.yml"))
    # Prometheus reads expressions of the dashboard as well, once its variables stand for something.
    with open(DASHBOARD, encoding="utf-8") as file:
        asked = [target["expr"] for panel in json.load(file)["panels"] for target in panel.get("targets", [])]
    recorded = [{"record": f"panel:{i}", "expr": re.sub(r"\$\w+", "x", expr)} for i, expr in enumerate(asked)]
    path = os.path.join(folder, "dashboard.yml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}, file)
    promtool("check", "rules", path)


def every_alert_fires_and_stays_silent_in_unit_tests(_, folder):
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
    path = os.path.join(folder, "units.yml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({"rule_files": [os.path.join(WATCH, "alerts.yml")], "evaluation_interval": "1m", "tests": tests}, file)
    promtool("test", "rules", path)
    print(f"  {len(tests)} unit tests of {len(alerts)} alerts", flush=True)


# --- a real Prometheus --------------------------------------------------------------------------


def faster(expression):
    """Durations in an expression or of a rule, so many times shorter."""
    def shorter(found):
        return f"{round(int(found[1]) * UNITS[found[2]] * 1000 / SCALE)}ms"
    return re.sub(r"\b(\d+)(ms|s|m|h|d)\b", shorter, expression)


class Stage:
    """Plays nodes with every fault, and the Alertmanager that is told of them."""

    def __init__(self):
        self.kind, self.since, self.cases = "quiet", time.monotonic(), cases()
        self.told, self.lock = {}, threading.Lock()
        stage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = stage.page(self.path.rpartition("/")[2])
                self.send_response(200 if page is not None else 503)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def do_POST(self):
                stage.hear(json.loads(self.rfile.read(int(self.headers["content-length"]))))
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


def every_alert_reaches_an_alertmanager_once(_, folder):
    """Every alert fires once for its own fault, none for another one, and none before."""
    alerts = rules()
    check(shutil.which("prometheus"), "there is no prometheus; run scripts/setup")
    document = yaml.safe_load(text("ops", "prometheus", "alerts.yml"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = faster(rule["expr"])
            if "for" in rule:
                rule["for"] = faster(rule["for"])
    stage, port = Stage(), free_port()
    jobs = [{"job_name": name, "metrics_path": f"/{name}",
             "static_configs": [{"targets": [f"127.0.0.1:{stage.port}"], "labels": {**target_of(name), "instance": name, "job": "tos"}}]}
            for name in alerts]
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["fast.yml"], "scrape_configs": jobs,
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{stage.port}"]}]}]}}
    for name, content in (("fast.yml", document), ("fast-prometheus.yml", config)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file)
    log = os.path.join(folder, "prometheus.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/fast-prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        eventually("Prometheus is ready", lambda: ready(port))
        stage.play("quiet")
        # A quarter of an hour of the rules in which nothing is wrong.
        time.sleep(15)
        check(not stage.told, f"alerts while nothing is wrong: {sorted(stage.told)}")
        stage.play("fires")
        began, wanted = time.monotonic(), {(name, name) for name in alerts}
        eventually("every alert is told", lambda: wanted <= set(stage.told),
                   lambda: f"missing: {sorted(name for name, _ in wanted - set(stage.told))}")
        print(f"  {len(alerts)} alerts told within {time.monotonic() - began:.0f} s", flush=True)
        time.sleep(2)
        check(set(stage.told) == wanted, f"alerts for faults of others: {sorted(set(stage.told) - wanted)}")
        for (name, _), entry in stage.told.items():
            # A node that is not read in half a second is as good as gone, and its alert begins anew: on a machine with other work,
            # that is no fault of the rule.
            check(len(entry["starts"]) == 1 or "up" not in stage.cases[name]["fires"] and missed(port, name),
                  f"{name} fired {len(entry['starts'])} times")
            check(entry["annotations"]["runbook"].endswith(f"#{name.lower()}"), f"{name}: told without its runbook")
    except Failed:
        with open(log, encoding="utf-8", errors="replace") as file:
            print("".join(file.readlines()[-5:]), file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait()
        stage.server.shutdown()


def ready(port):
    with contextlib.suppress(urllib.error.URLError, OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as answer:
            return answer.status == 200
    return False


def missed(port, name):
    """Whether Prometheus could not read the node with the fault `name` at some time."""
    query = urllib.parse.urlencode({"query": f'min_over_time(up{{instance="{name}"}}[10m])'})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=20) as answer:
        result = json.load(answer)["data"]["result"]
    return [sample["value"][1] for sample in result] == ["0"]


def eventually(what, probe, detail=lambda: "", limit=LATE):
    deadline = time.monotonic() + limit
    while not probe():
        check(time.monotonic() < deadline, f"not within {limit} s: {what} {detail()}")
        time.sleep(0.2)


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
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    found, ids = {}, []
    for panel in panels(dashboard):
        ids.append(panel["id"])
        if panel["type"] == "row":
            continue
        check(panel.get("title") and panel.get("targets"), f"panel {panel['id']} is empty")
        for target in panel["targets"]:
            names = metrics_in(target["expr"])
            check(names, f"{panel['title']}: no metric in {target['expr']}")
            found.update({name: panel["title"] for name in names})
    check(len(ids) == len(set(ids)), "two panels have one id")
    return found


def every_metric_that_is_named_is_one_of_a_running_node(binary, folder):
    named = {name: f"panel {panel}" for name, panel in dashboard_metrics().items()}
    for alert, rule in rules().items():
        names = metrics_in(rule["expr"])
        check(names, f"{alert}: no metric")
        named.update({name: f"alert {alert}" for name in names})
    port, rpc = free_port(), free_port()
    log = os.path.join(folder, "node.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [binary, "--chain", "dev-fast", "--alice", "--validator", "--force-authoring", "--base-path",
             os.path.join(folder, "node"), "--rpc-port", str(rpc), "--port", str(free_port()), "--prometheus-port",
             str(port), "--no-telemetry", "--no-mdns", "--unsafe-force-node-key-generation"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def tos(*arguments):
        done = subprocess.run(
            [os.path.join(os.path.dirname(binary), "tos"), "--json", "--url", f"ws://127.0.0.1:{rpc}", "--suri", "//Alice",
             "--data-dir", os.path.join(folder, "tos"), *arguments], capture_output=True, text=True, timeout=LATE)
        check(done.returncode == 0, f"tos {' '.join(arguments[:2])}: {done.stderr}")
        return json.loads(done.stdout)

    try:
        seen, page = set(), {}
        missing = {name for name in named if not name.startswith(MACHINE)}

        def read():
            with contextlib.suppress(urllib.error.URLError, OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    for line in answer.read().decode().splitlines():
                        if not line.startswith("#"):
                            series, value = line.rsplit(" ", 1)
                            page[series] = float(value)
                            seen.add(series.partition("{")[0])
            return missing <= seen

        with contextlib.suppress(Failed):
            eventually("all metrics", read)
        gone = sorted(missing - seen)
        check(not gone, "the node has no " + ", ".join(f"{name} ({named[name]})" for name in gone))

        def alive():
            read()
            value = {series.partition("{")[0]: number for series, number in page.items()}
            return value["tos_block"] > 3 and value["tos_finalised_block"] > 0 and value["tos_process_resident_bytes"] > 2**24

        eventually("the protocol's metrics follow the chain", alive)
        value = {series.partition("{")[0]: number for series, number in page.items()}
        check(value["tos_metrics_failed_reads"] == 0, "reading the best block fails")
        check(value["tos_metrics_unread_blocks_total"] == 0, "events of final blocks cannot be read")
        # A task published and withdrawn, for everything that counts events.
        spec = os.path.join(ROOT, "client", "examples", "tsp", "berlin52.json")
        made = tos("task", "publish", "--type", "general", "--difficulty", "beginner", "--reward", "10", "--spec", spec,
                   "--open-for", "600", "--min-quality", "1", "--max-participants", "1", "--param", "subject=metrics")
        tos("task", "cancel", made["task"])

        def counted():
            read()
            return {series.partition("{")[0]: number for series, number in page.items()
                    if 'closure="' not in series or 'closure="cancelled"' in series}

        once = ("tos_tasks_published_total", "tos_tasks_closed_total", "tos_task_life_blocks_count", "tos_tasks")
        eventually("a task published and withdrawn is counted once", lambda: all(counted()[name] == 1 for name in once),
                   lambda: str({name: counted()[name] for name in once}))
        print(f"  {len(missing)} metrics of alerts and dashboard are there, {len(seen)} in all", flush=True)
    finally:
        process.terminate()
        process.wait()


TESTS = (every_alert_is_documented_and_has_a_case, the_configuration_is_one_that_prometheus_takes,
         every_alert_fires_and_stays_silent_in_unit_tests, every_alert_reaches_an_alertmanager_once,
         every_metric_that_is_named_is_one_of_a_running_node)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of tos-node")
    parser.add_argument("--only", choices=[test.__name__ for test in TESTS], action="append", help="just this one; repeatable")
    options = parser.parse_args()
    binary, failed = os.path.join(os.path.abspath(options.bin), "tos-node"), 0
    with tempfile.TemporaryDirectory(prefix="tos-ops-") as folder:
        for test in TESTS:
            if options.only and test.__name__ not in options.only:
                continue
            name, began = test.__name__.replace("_", " "), time.monotonic()
            try:
                test(binary, folder)
                print(f"ok      {name} ({time.monotonic() - began:.0f} s)", flush=True)
            except Failed as error:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
