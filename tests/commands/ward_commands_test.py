#!/usr/bin/env python3
"""What a ward does with the commands: a hub on a device's line, its gaps with their reasons, exports that are noted in the
audit log and come back, and the commands that look at a MEDIBUS line without a word.

usage: ward_commands_test.py PATH_OF_VESTA [TEST...]
"""

import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

import commands_test
from commands_test import CANNOT_START, PATIENCE_S, PROBLEMS, CommandTest

DEVICE = "medibus_bed_5700-babyleo-tn500"


def framed(start, code, payload):
    frame = start + code + payload
    return frame + b"%02X\r" % (sum(frame) & 0xFF)


class Device(threading.Thread):
    """A TN500 on a TCP port that answers as it is told: "well", "silent", "damaged", "nak", "no_air"."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.mode = "well"
        self.heard = b""
        self.line = None
        self.start()

    def run(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return  # the port was closed
            self.line = line
            pending = b""
            try:
                while True:
                    if self.mode == "gone":
                        time.sleep(0.02)
                        continue
                    if not select.select([line], [], [], 0.05)[0]:
                        continue
                    bytes_ = line.recv(4096)
                    if not bytes_:
                        break
                    self.heard += bytes_
                    pending += bytes_
                    while b"\r" in pending:
                        message, pending = pending.split(b"\r", 1)
                        if message[:1] == b"\x1b":
                            self.answer(line, message[1:2])
            except OSError:
                pass

    def answer(self, line, code):
        payload = {b"R": b"5700'Babyleo TN500'01.06:06.00",
                   b"$": b"6531.6" if self.mode == "no_air" else b"6531.66D33.3"}.get(code, b"")
        if self.mode == "well" or self.mode == "no_air":
            line.sendall(framed(b"\x01", code, payload))
        elif self.mode == "damaged":
            line.sendall(b"\x01" + code + payload + b"ZZ\r")
        elif self.mode == "nak":
            line.sendall(framed(b"\x01", b"\x15", b""))

    def stop(self):
        if self.listener.fileno() >= 0:
            self.close_port()

    def close_port(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.line is not None:
            self.line.close()


class WardTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.device = Device()
        self.addCleanup(self.device.stop)
        self.data = self.path("data")
        self.config = self.write("vesta.json", json.dumps({
            "storage": {"directory": self.data},
            "sources": [{"name": "bed", "type": "tcp", "protocol": "medibus", "host": "127.0.0.1",
                         "port": self.device.port, "archive": "all", "commit_each_frame": True,
                         "medibus": {"cycle_s": 1, "alarm_s": 1, "response_timeout_s": 3}}]}))
        self.hub = None

    def start_hub(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.hub = subprocess.Popen([commands_test.VESTA, "run", "--config", self.config, "--http", f"127.0.0.1:{port}"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_hub)

    def end_hub(self):
        if self.hub is not None:
            self.hub.terminate()
            self.hub.wait(timeout=PATIENCE_S)
        self.hub = None

    def ask(self, path):
        with urllib.request.urlopen(self.url + "/api/v1/" + path, timeout=PATIENCE_S) as answer:
            return answer.read()

    def until(self, what, condition):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (urllib.error.URLError, ConnectionError, KeyError, IndexError, StopIteration):
                pass
            time.sleep(0.1)
        self.fail(what)

    def value(self, key):
        device = json.loads(self.ask("devices/" + DEVICE))
        series = next(s["id"] for s in device["series"] if s["field"] == key)
        values = json.loads(self.ask("latest?device=" + DEVICE))["values"]
        return next(v["value"] for v in values if v["series"] == series)

    def heard(self):
        return self.value("air_temp") is not None

    def link(self):
        return self.value("link_state")

    def gap_reasons(self):
        out, _ = self.vesta("gaps", "--device", DEVICE, "--data", self.data, "--longer-than", "2", "--json",
                            expect=PROBLEMS)
        return json.loads(out)["gaps"]

    def source(self):
        return json.loads(self.ask("sources"))["sources"][0]

    def frames(self):
        return self.source()["frames_accepted"]

    def recover(self):
        self.device.mode = "well"
        self.until("the link did not recover", lambda: self.link() == "ok")
        before = self.frames()
        self.until("no polls", lambda: self.frames() > before + 5)

    def test_each_kind_of_gap_is_told_with_its_reason(self):
        self.start_hub()
        self.until("nothing was heard", self.heard)

        self.device.mode = "no_air"
        self.until("a value that is missing is unavailable", lambda: self.value("air_temp") is None)
        self.assertIsNotNone(self.value("skin_temp_peripheral"), "the others go on")
        self.recover()

        self.device.mode = "silent"
        self.until("silence", lambda: self.link() == "silent")
        self.recover()

        self.device.mode = "nak"
        self.until("rejected", lambda: self.link() == "rejected")
        time.sleep(3)
        self.recover()

        self.device.mode = "damaged"
        self.until("damaged frames", lambda: self.source()["frames_rejected"].get("checksum", 0) > 1)
        time.sleep(3)
        self.recover()

        self.device.close_port()
        self.until("port closed", lambda: self.link() == "line_closed")
        time.sleep(3)
        self.end_hub()

        gaps = self.gap_reasons()
        reasons = [[(r["reason"], r["text"]) for r in gap["reasons"]] for gap in gaps]
        words = json.dumps(reasons)
        for word in ("became silent", "became rejected", "not believed: checksum", "became line_closed", "port_closed",
                     "hub_stopped"):
            self.assertIn(word, words)
        silent = next(gap for gap in gaps if any("became silent" in r["text"] for r in gap["reasons"]))
        self.assertFalse(silent["goes_on"])
        self.assertGreaterEqual(silent["seconds"], 2)
        self.assertTrue(gaps[-1]["goes_on"], "the last one was never filled")
        # All that was ever said to the device: questions, answers and STOP.
        for message in self.device.heard.split(b"\r"):
            self.assertTrue(message == b"" or message[:1] in (b"\x1b", b"\x01"), message)
            if message[:1] == b"\x1b":
                self.assertIn(message[1:2], b"$%&'()*+,-.0QRSTU")

    def audit(self):
        out, _ = self.vesta("audit", "show", "--data", self.data, "--entries", "0", "--json")
        return [json.loads(line) for line in out.splitlines()]

    def test_exports_are_noted_and_come_back(self):
        self.start_hub()
        self.until("nothing was heard", self.heard)
        self.until("not durable", lambda: self.frames() > 10)
        out, _ = self.vesta("export", "csv", "--data", self.data)
        self.assertIn(f",{DEVICE},medibus,air_temp,decimal,33.3,", out)
        hidden = self.ask("export?format=csv&pseudonymous=true").decode()
        self.assertIn(",medibus,air_temp,decimal,33.3,", hidden)
        self.assertNotIn(DEVICE, hidden)
        self.assertNotIn(",texts,", hidden)
        self.assertEqual(0o600, os.stat(os.path.join(self.data, "export.key")).st_mode & 0o777)
        again, _ = self.vesta("export", "csv", "--data", self.data, "--key-file", os.path.join(self.data, "export.key"))
        self.assertEqual(hidden.splitlines()[1].split(",")[1], again.splitlines()[1].split(",")[1], "the same name")
        time.sleep(0.5)  # the hub goes on writing its own entries behind ours
        self.end_hub()
        self.vesta("export", "jsonl", "--data", self.data, "--out", self.path("all.jsonl"))
        out, _ = self.vesta("audit", "verify", "--data", self.data)
        self.assertIn("whole", out)
        exports = [entry for entry in self.audit() if entry["action"] == "export"]
        self.assertEqual(4, len(exports))
        self.assertEqual(3, sum(entry["actor"].startswith("command:") for entry in exports))
        self.assertEqual(2, sum(entry["details"]["pseudonymous"] == "yes" for entry in exports))

        out, _ = self.vesta("import", "jsonl", self.path("all.jsonl"), "--data", self.data, "--json")
        report = json.loads(out)
        self.assertEqual(0, report["readings"])
        self.assertEqual(report["rows"], report["already_there"])
        os.mkdir(self.path("other"))
        out, _ = self.vesta("import", "jsonl", self.path("all.jsonl"), "--data", self.path("other"), "--json")
        # What was said twice of one instant is one reading.
        self.assertEqual(report["rows"], json.loads(out)["readings"] + json.loads(out)["already_there"])
        first, _ = self.vesta("export", "csv", "--data", self.data)
        second, _ = self.vesta("export", "csv", "--data", self.path("other"))
        self.assertEqual(set(first.splitlines()), set(second.splitlines()))
        self.write("bad.csv", "no,such,columns\n")
        _, err = self.vesta("import", "csv", self.path("bad.csv"), "--data", self.path("other"), expect=CANNOT_START)
        self.assertIn("line 1", err)

    def test_what_looks_at_a_line_says_nothing(self):
        incubator = subprocess.Popen([commands_test.VESTA, "simulate", "incubator", "--tcp", "127.0.0.1:0"],
                                     stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop, incubator)
        where = re.search(r"listens for a host on (\S+)", incubator.stderr.readline()).group(1)
        capture = self.path("c.jsonl")
        self.vesta("capture", "--source", "tcp:" + where, "--protocol", "medibus", "--frames", "1", "--seconds", "20",
                   "--out", capture)
        out, err = self.vesta("decode", "--protocol", "medibus", capture)
        self.assertIn("1 frames accepted", err)
        frame = framed(b"\x01", b"$", b"6531.66D33.3")
        out, _ = self.vesta("decode", "--protocol", "medibus", "--input", "raw", stdin=frame)
        self.assertRegex(out, r"air_temp +33\.3 °C")
        _, err = self.vesta("decode", "--protocol", "medibus", "--input", "raw", stdin=frame[:-3] + b"00\r",
                            expect=PROBLEMS)
        self.assertIn("checksum", err)
        host, port = where.rsplit(":", 1)
        config = self.write("doctor.json", json.dumps({
            "storage": {"directory": self.data},
            "sources": [{"name": "bed", "type": "tcp", "protocol": "medibus", "host": host, "port": int(port)}]}))
        out, _ = self.vesta("doctor", "--config", config, "--seconds", "8", "--json")
        report = json.loads(out)
        self.assertTrue(report["ports"][0]["well"])
        self.assertIn("waits for its host", report["ports"][0]["trials"][0]["says"])
        silent = Device()
        self.addCleanup(silent.stop)
        silent.mode = "gone"
        config = self.write("silent.json", json.dumps({
            "storage": {"directory": self.data},
            "sources": [{"name": "bed", "type": "tcp", "protocol": "medibus", "host": "127.0.0.1",
                         "port": silent.port}]}))
        out, _ = self.vesta("doctor", "--config", config, "--seconds", "1", expect=PROBLEMS)
        self.assertIn("calls its host", out)
        self.assertEqual(b"", silent.heard)


if __name__ == "__main__":
    commands_test.VESTA = os.path.abspath(sys.argv.pop(1))
    unittest.main()
