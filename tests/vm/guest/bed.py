"""What every part of the test bed needs: deadlines, processes, a hub and its API.

All waits are in seconds of a machine without emulation and are multiplied by VESTA_VM_SCALE, the only knob. A wait that
is over is prolonged when the guest is slower than usual, since its host has other work.
"""
import http.client
import json
import os
import signal
import subprocess
import time

SCALE = float(os.environ.get("VESTA_VM_SCALE", "10"))
ROOT = os.environ.get("VESTA_ROOT", "")
VECTORS = f"{ROOT}/tests/vectors"
LOOK_S = 0.1  # between two looks at a condition
WORK = 100_000
WORK_S = 0.25  # what the work takes in a guest whose host has nothing else to do
SLOWEST = 4.0  # times as slow; beyond that the run fails

_label = "bed"
_program = ""
_children = []
_next_port = 0


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def slowness():
    """How many times as slow as it should be this guest is now, 1 to SLOWEST: by its host's load, and by a piece of
    work."""
    try:
        with open("/run/logs/host_slowness", encoding="utf-8") as file:
            host = float(file.read() or 1)
    except (OSError, ValueError):
        host = 1.0
    begin = time.perf_counter()
    total = 0
    for number in range(WORK):
        total += number & 7
    return min(SLOWEST, max(1.0, host, (time.perf_counter() - begin) / WORK_S))


def say(line):
    os.write(1, (line + "\n").encode())


def enter(label, program):
    global _label, _program, _next_port
    _label, _program = label, program
    # Parts share the loopback; each has its hundred ports.
    _next_port = 9000 + 100 * (sum(label.encode()) % 50)


def hurry():
    """No time left: whatever is waited for has its last look."""
    global SCALE
    SCALE = 0.01


def leave():
    """Ends what was started; what a program said at its end that it should not have said."""
    problems = []
    for child in reversed(_children):
        if child.poll() is None:
            child.terminate()
    for child in reversed(_children):
        try:
            child.wait(5 * SCALE)
        except subprocess.TimeoutExpired:
            child.kill()
            problems.append(f"{child.args[0]} did not end")
        if _program in child.args and "run" in child.args and child.returncode != 0:
            problems.append(f"a hub ended with {child.returncode}: {child.args[-1]}")
    return problems


def program():
    return _program


def label():
    return _label


def port():
    global _next_port
    _next_port += 1
    return _next_port


class NotYet(Exception):
    """The condition that is waited for says why it does not hold."""


def expect(condition, text):
    if not condition:
        raise NotYet(text)


def equal(got, wanted, text):
    expect(got == wanted, f"{text}: {repr(got)[:200]}, not {repr(wanted)[:200]}")


def wait_for(what, condition, seconds=3.0):
    """Until condition() returns something true without NotYet; that is returned."""
    begin = now()
    while True:
        reason = ""
        try:
            result = condition()
            if result:
                return result
        except (NotYet, OSError, http.client.HTTPException, KeyError, StopIteration) as error:
            reason = f": {error!r}"
        limit = seconds * SCALE
        if now() - begin > limit and (limit < 1 or now() - begin > limit * slowness()):
            raise AssertionError(f"{what}: not within {now() - begin:.0f} s{reason}")
        time.sleep(LOOK_S)


def sh(command):
    """A command line that has to succeed; its output."""
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=20 * SCALE, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def start(arguments, log=None, **options):
    """A program that runs until the part ends; its output goes to a log in the part's folder."""
    output = open(log or os.path.basename(arguments[0]) + ".log", "ab")  # noqa: SIM115  the child's
    child = subprocess.Popen(arguments, stdout=options.pop("stdout", output), stderr=output,
                             stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    output.close()
    _children.append(child)
    return child


def stop(child, how=signal.SIGTERM):
    if child.poll() is None:
        child.send_signal(how)
    return child.wait(10 * SCALE)


class Hub:
    """A hub with its own folder, on a port of its own."""

    def __init__(self, name, sources, outputs=(), prefix=(), address="127.0.0.1", token="", **more):
        self.name = name
        self.port = port()
        self.address = address
        self.token = token
        self.prefix = list(prefix)
        http_part = {"address": address, "port": self.port, **more.pop("http", {})}
        hub_part = {"id": name.replace("_", "-"), "log_level": "debug", **more.pop("hub", {})}
        os.makedirs(name, exist_ok=True)
        os.chmod(name, 0o700)
        config = {"hub": hub_part, "http": http_part, "sources": list(sources), "outputs": list(outputs),
                  "storage": {"directory": os.path.abspath(f"{name}/data"), "commit_s": 1}, **more}
        self.config = f"{name}/vesta.json"
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        self.process = None
        self.run()

    def run(self):
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:exitcode=99",
                           UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        self.process = start([*self.prefix, _program, "run", "--strict", "--config", self.config],
                             log=f"{self.name}/hub.log", env=environment)
        wait_for(f"hub {self.name} answers", self._answers, 8)

    def _answers(self):
        if self.process.poll() is not None:
            with open(f"{self.name}/hub.log", encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"the hub ended with {self.process.poll()}: {log.read()[-800:]}")
        return self.get("health")

    def end(self):
        """A hub that was asked to end says 0, whatever its sanitizers had to say."""
        status = stop(self.process)
        if status != 0:
            with open(f"{self.name}/hub.log", encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"the hub ended with {status}: {log.read()[-1500:]}")

    def get(self, path, accept=(200, 503)):
        status, body = self.ask("GET", path)
        expect(status in accept, f"{path}: HTTP {status} {body[:200]}")
        return json.loads(body)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, self.port, timeout=10 * SCALE)
        try:
            headers = {"Origin": f"http://{self.address}:{self.port}"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            if body is not None:
                body = json.dumps(body)
                headers["Content-Type"] = "application/json"
            connection.request(method, f"/api/v1/{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def source(self, name=None):
        sources = self.get("sources")["sources"]
        return next(s for s in sources if name in (None, s["name"]))

    def wait_open(self, name=None, seconds=5.0):
        def is_open():
            source = self.source(name)
            equal(source["state"], "open", f"source ({source['error']})")
            return source
        return wait_for(f"source {name or ''} of {self.name} open", is_open, seconds)

    def devices(self):
        return {device["identity"]: device for device in self.get("devices")["devices"]}

    def values(self):
        """{identity: {field: VALUE}} of everything that the hub shows."""
        by_series, shown = {}, {}
        for device in self.get("devices")["devices"]:
            shown[device["identity"]] = {}
            for series in device["series"]:
                by_series[series["id"]] = (device["identity"], series["field"])
        for value in self.get("latest")["values"]:
            if value["series"] in by_series:
                identity, field = by_series[value["series"]]
                shown[identity][field] = value
        return shown
