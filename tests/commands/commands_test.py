#!/usr/bin/env python3
"""The commands of the program, run as people and scripts run them: real terminals, sockets, files and exit codes.

usage: commands_test.py PATH_OF_VESTA [TEST...]
"""

import hashlib
import json
import os
import pty
import re
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

VESTA = ""
OK, PROBLEMS, WRONG_USAGE, CANNOT_START = 0, 1, 2, 3
PATIENCE_S = 60  # a loaded machine; nothing waits this long when all is well
START = "2025-05-11T12:00:00Z"
KEY = "564553544100112233445566778899AA"
AUTH_KEY = "00112233445566778899AABBCCDDEEFF"


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vesta-commands-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def vesta(self, *arguments, stdin=b"", expect=OK, env=None):
        """Runs a command to its end. Returns its standard output and error as text."""
        run = subprocess.run([VESTA, *arguments], input=stdin, capture_output=True, timeout=PATIENCE_S,
                             env={**os.environ, **(env or {})})
        out, err = run.stdout.decode(), run.stderr.decode()
        self.assertEqual(expect, run.returncode, f"vesta {' '.join(arguments)}\n{out}\n{err}")
        return out, err

    def telegrams(self, *arguments):
        return subprocess.run([VESTA, "simulate", "p1", "--stdout", "--start", START, *arguments], check=True,
                              capture_output=True, timeout=PATIENCE_S).stdout

    def start(self, *arguments):
        """Starts a command that goes on, waits until it says where it listens, returns that place."""
        process = subprocess.Popen([VESTA, *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop, process)
        for line in process.stderr:
            found = re.search(r"listening for readers on (\S+)", line)
            if found:
                return found.group(1)
        self.fail(f"vesta {' '.join(arguments)} ended with {process.wait()}")

    def stop(self, process):
        process.terminate()
        process.communicate(timeout=PATIENCE_S)

    def simulate(self, *arguments, name="meter"):
        return self.start("simulate", "p1", "--pty", self.path(name), *arguments)


class SimulateTest(CommandTest):
    def test_list_tells_kinds_faults_and_key(self):
        out, _ = self.vesta("simulate", "p1", "--list")
        for word in ("dsmr2", "dsmr4", "dsmr5-three-phase", "belgian", "luxembourg", "wrong-crc", KEY, AUTH_KEY):
            self.assertIn(word, out)

    def test_the_same_line_gives_the_same_bytes(self):
        first = self.telegrams("--kind", "belgian", "--count", "3", "--seed", "5")
        self.assertEqual(first, self.telegrams("--kind", "belgian", "--count", "3", "--seed", "5"))
        self.assertNotEqual(first, self.telegrams("--kind", "belgian", "--count", "3", "--seed", "6"))
        self.assertEqual(3, first.count(b"\r\n!"))

    def test_a_vedirect_device_is_understood_by_decode(self):
        blocks = subprocess.run([VESTA, "simulate", "vedirect", "--kind", "battery-monitor", "--stdout", "--count", "4"],
                                check=True, capture_output=True, timeout=PATIENCE_S).stdout
        self.assertEqual(4, blocks.count(b"Checksum\t"))
        out, _ = self.vesta("decode", "--protocol", "vedirect", "--input", "raw", "--json", stdin=blocks)
        self.assertIn("battery_voltage", out)
        self.assertIn("deepest_discharge", out)
        self.vesta("simulate", "vedirect", "--stdout", "--fault", "clock-drift", expect=WRONG_USAGE)

    def test_start_is_the_meters_time(self):
        self.assertIn(b"0-0:1.0.0(250511140000S)", self.telegrams())

    def test_tcp_serves_several_readers(self):
        where = self.start("simulate", "p1", "--tcp", "127.0.0.1:0", "--speed", "20")
        host, port = where.rsplit(":", 1)
        for _ in range(2):
            with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as reader:
                heard = b""
                while b"\r\n!" not in heard:
                    heard += reader.recv(4096)

    def test_a_place_that_is_taken_cannot_be_had(self):
        where = self.start("simulate", "p1", "--tcp", "127.0.0.1:0")
        _, err = self.vesta("simulate", "p1", "--tcp", where, expect=CANNOT_START)
        self.assertIn(where, err)
        file = self.write("file", "mine")
        self.vesta("simulate", "p1", "--pty", file, expect=CANNOT_START)
        with open(file, encoding="utf-8") as kept:
            self.assertEqual("mine", kept.read())

    def test_what_a_meter_cannot_do_is_wrong_usage(self):
        self.vesta("simulate", "p1", "--stdout", "--start", "noon", expect=WRONG_USAGE)
        self.vesta("simulate", "p1", "--stdout", "--kind", "dsmr2", "--fault", "wrong-crc", expect=WRONG_USAGE)


class DecodeTest(CommandTest):
    def frames(self, out):
        return [json.loads(line)["frame"] for line in out.splitlines() if line.startswith('{"frame"')]

    def test_table(self):
        out, err = self.vesta("decode", stdin=self.telegrams("--kind", "belgian"))
        self.assertRegex(out, r"energy_import_t1 +\d+\.\d{3} kWh\n")
        self.assertRegex(out, r"gas_volume +\d+\.\d{3} m³\n")
        self.assertRegex(out, r"demand_month_peak +\d\.\d{3} kW  at 2025-04-30T22:00:00Z\n")
        self.assertRegex(out, r"demand_month_peak_at +2025-04-\d\dT\d\d:\d\d:00Z  at 2025-04-30T22:00:00Z\n")
        self.assertIn("1 frames accepted", err)

    def test_json_lines_keep_every_digit(self):
        telegram = self.telegrams("--kind", "dsmr4")
        printed = re.search(rb"1-0:1\.8\.1\(0*(\d+\.\d{3})\*kWh\)", telegram).group(1).decode()
        out, _ = self.vesta("decode", "--json", stdin=telegram)
        self.assertIn(f'"field":"energy_import_t1","value":{printed},"unit":"kWh","time":"{START}"', out)
        frame, = self.frames(out)
        self.assertEqual("accepted", frame["verdict"])
        devices = [json.loads(line)["device"] for line in out.splitlines() if line.startswith('{"device"')]
        self.assertEqual(["electricity_meter", "gas_meter"], [device["kind"] for device in devices])

    def test_all_forms_of_input_say_the_same(self):
        telegrams = self.telegrams("--kind", "dsmr5-single-phase", "--count", "3")
        raw, _ = self.vesta("decode", "--json", stdin=telegrams)
        hexed, _ = self.vesta("decode", "--json", stdin=telegrams.hex(" ").encode())
        self.assertEqual(raw, hexed)
        lines = ['{"vesta_capture":1}']
        for i, telegram in enumerate(re.findall(rb"/.*?\r\n![0-9A-F]{4}\r\n", telegrams, re.S)):
            lines.append(json.dumps({"t": f"2025-05-11T12:00:0{i}Z", "hex": telegram.hex()}))
        self.assertEqual(4, len(lines))
        captured, _ = self.vesta("decode", "--json", self.write("c.jsonl", "\n".join(lines) + "\n"))
        readings = [[(r["field"], r["value"], r["time"]) for r in f["readings"]] for f in self.frames(raw)]
        self.assertEqual(3, len(readings))
        self.assertEqual(readings, [[(r["field"], r["value"], r["time"]) for r in f["readings"]]
                                    for f in self.frames(captured)])

    def test_rejects_have_precise_reasons(self):
        telegram = self.telegrams()
        spoilt = telegram.replace(b"kWh)", b"kWH)", 1)
        printed = telegram[-6:-2].decode()
        out, err = self.vesta("decode", stdin=spoilt, expect=PROBLEMS)
        self.assertRegex(out, rf"rejected: the checksum is {printed}, but the bytes give [0-9A-F]{{4}} \[crc\]")
        self.assertIn("telegrams, but none can be believed", err)
        out, _ = self.vesta("decode", "--json", stdin=spoilt + telegram)
        self.assertEqual(["rejected", "accepted"], [frame["verdict"] for frame in self.frames(out)])
        out, _ = self.vesta("decode", stdin=telegram[:300], expect=PROBLEMS)
        self.assertIn("the telegram breaks off [cut], 300 bytes", out)

    def test_repairs_are_options(self):
        telegram = self.telegrams().replace(b"\r\n", b"\n")
        self.vesta("decode", stdin=telegram, expect=PROBLEMS)
        self.vesta("decode", "--repair", "line-ends", stdin=telegram)
        parity = self.telegrams("--kind", "dsmr2", "--fault", "parity-bits")
        _, err = self.vesta("decode", stdin=parity, expect=PROBLEMS)
        self.assertIn("7E1", err)
        self.vesta("decode", "--repair", "bit7", stdin=parity)

    def test_keys(self):
        frame = self.telegrams("--kind", "luxembourg")
        _, err = self.vesta("decode", stdin=frame, expect=PROBLEMS)
        self.assertIn("key", err)
        key = self.write("key", KEY.lower() + "\n")
        out, _ = self.vesta("decode", "--key-file", key, "--auth-key", AUTH_KEY, stdin=frame)
        self.assertIn("energy_import_total", out)
        self.vesta("decode", "--key-env", "P1_KEY", "--auth-key-env", "P1_AUTH", stdin=frame,
                   env={"P1_KEY": KEY, "P1_AUTH": AUTH_KEY})
        out, err = self.vesta("decode", "--key", "0" * 32, "--auth-key", AUTH_KEY, stdin=frame, expect=PROBLEMS)
        self.assertIn("[tag]", out)
        for wrong in (KEY[:30], KEY[:31] + "G"):
            _, err = self.vesta("decode", "--key", wrong, stdin=frame, expect=WRONG_USAGE)
            self.assertIn("32 hex digits", err)
            self.assertNotIn(wrong, err)
        self.vesta("decode", "--key-env", "NO_SUCH_VARIABLE", stdin=frame, expect=WRONG_USAGE)

    def test_what_is_no_input_is_named(self):
        _, err = self.vesta("decode", stdin=b"", expect=PROBLEMS)
        self.assertIn("0 bytes", err)
        _, err = self.vesta("decode", "--input", "hex", stdin=b"2F 4G", expect=PROBLEMS)
        self.assertIn('line 1, column 5: "G"', err)
        self.vesta("decode", self.path("nothing"), expect=CANNOT_START)
        broken = self.write("broken.jsonl", '{"vesta_capture":1}\n{"t":"yesterday","hex":"2F"}\n')
        _, err = self.vesta("decode", broken, expect=PROBLEMS)
        self.assertIn("line 2", err)

    def test_hostile_texts_do_not_reach_the_terminal(self):
        telegram = b"/ISK5\x1b]0;own\x07\r\n\r\n1-0:1.7.0(00.512*kW)\r\n!\r\n"
        out, err = self.vesta("decode", stdin=telegram)
        self.assertNotIn("\x1b", out + err)


class CaptureTest(CommandTest):
    def test_serial_frames_come_back_as_they_were(self):
        meter = self.simulate("--speed", "10", "--start", START)
        file = self.path("c.jsonl")
        self.vesta("capture", "--source", "serial:" + meter, "--out", file, "--frames", "5")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(file).st_mode))
        with open(file, encoding="utf-8") as lines:
            header, *frames = [json.loads(line) for line in lines]
        self.assertEqual(1, header["vesta_capture"])
        self.assertEqual(5, len(frames))
        for frame in frames:
            self.assertRegex(bytes.fromhex(frame["hex"]), rb"(?s)^/ISK5.*\r\n![0-9A-F]{4}")
        _, err = self.vesta("decode", file)
        self.assertIn("5 frames accepted", err)
        # What is there already is not written over.
        self.vesta("capture", "--source", "serial:" + meter, "--out", file, "--frames", "1", expect=CANNOT_START)

    def test_noise_is_kept_too(self):
        meter = self.simulate("--speed", "10", "--fault", "inverted")
        file = self.path("c.jsonl")
        _, err = self.vesta("capture", "--source", "serial:" + meter, "--out", file, "--seconds", "4")
        self.assertIn("0 frames", err)
        with open(file, encoding="utf-8") as lines:
            heard = b"".join(bytes.fromhex(json.loads(line).get("hex", "")) for line in lines)
        self.assertIn(b"/ISK5", bytes(byte ^ 0xFF for byte in heard))

    def test_tcp_to_a_pipe(self):
        where = self.start("simulate", "p1", "--tcp", "127.0.0.1:0", "--speed", "10")
        out, _ = self.vesta("capture", "--source", "tcp:" + where, "--frames", "2")
        _, err = self.vesta("decode", stdin=out.encode())
        self.assertIn("2 frames accepted", err)

    def test_nothing_there(self):
        _, err = self.vesta("capture", "--source", "serial:" + self.path("no-port"), "--seconds", "0.5",
                            expect=CANNOT_START)
        self.assertIn("no-port", err)
        self.vesta("capture", "--source", "radio:7", expect=WRONG_USAGE)
        self.vesta("capture", "--source", "tcp:host", expect=WRONG_USAGE)


class ReplayTest(CommandTest):
    def capture(self):
        telegrams = re.findall(rb"/.*?\r\n![0-9A-F]{4}\r\n", self.telegrams("--count", "20"), re.S)
        lines = ['{"vesta_capture":1}']
        lines += [json.dumps({"t": 1746964800000000 + i * 1000000, "hex": telegram.hex()})
                  for i, telegram in enumerate(telegrams)]
        return telegrams, "\n".join(lines) + "\n"

    def read_all(self, process, port):
        heard = b""
        while True:
            try:
                chunk = os.read(port, 4096)
            except OSError:  # the far end of the terminal is gone
                break
            if not chunk:
                break
            heard += chunk
        process.wait(timeout=PATIENCE_S)
        return heard

    def replay_to_pty(self, file, *arguments):
        link = self.path("port")
        process = subprocess.Popen([VESTA, "replay", file, "--to", "pty:" + link, *arguments],
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        process.stderr.readline()  # it listens
        return process, os.open(link, os.O_RDWR | os.O_NOCTTY)

    def test_every_byte_comes_back(self):
        telegrams, text = self.capture()
        process, port = self.replay_to_pty(self.write("c.jsonl", text), "--speed", "0")
        self.assertEqual(b"".join(telegrams), self.read_all(process, port))
        self.assertEqual(OK, process.returncode)

    def test_at_its_own_pace(self):
        telegrams, text = self.capture()
        started = time.monotonic()
        process, port = self.replay_to_pty(self.write("c.jsonl", text), "--speed", "40")
        self.assertEqual(b"".join(telegrams), self.read_all(process, port))
        self.assertGreaterEqual(time.monotonic() - started, 19 / 40)

    def test_bad_lines_are_left_out_and_told(self):
        telegrams, text = self.capture()
        file = self.write("c.jsonl", text + "no json\n")
        process, port = self.replay_to_pty(file, "--speed", "0")
        self.assertEqual(b"".join(telegrams), self.read_all(process, port))
        self.assertEqual(PROBLEMS, process.returncode)
        self.assertIn("line 22", process.stderr.read())

    def test_tcp(self):
        telegrams, text = self.capture()
        where = self.start("replay", self.write("c.jsonl", text), "--to", "tcp:0", "--speed", "0", "--repeat")
        host, port = where.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as reader:
            heard = b""
            while len(heard) < 2 * len(b"".join(telegrams)):
                heard += reader.recv(65536)
        self.assertTrue(heard.startswith(b"".join(telegrams) * 2))

    def test_no_capture(self):
        self.vesta("replay", self.path("nothing"), "--to", "tcp:0", expect=CANNOT_START)
        self.vesta("replay", self.write("empty", ""), "--to", "tcp:0", expect=CANNOT_START)
        _, text = self.capture()
        self.vesta("replay", self.write("c.jsonl", text), "--to", "moon", expect=CANNOT_START)


class DoctorTest(CommandTest):
    def examine(self, *arguments, expect, seconds="3"):
        out, _ = self.vesta("doctor", "--seconds", seconds, "--json", *arguments, expect=expect)
        return json.loads(out)

    def finding(self, *arguments, seconds="3"):
        port = self.simulate("--speed", "10", *arguments)
        report = self.examine("--port", port, expect=OK if not arguments else PROBLEMS, seconds=seconds)
        return report["ports"][0]["trials"]

    def test_a_meter(self):
        trial, = self.finding()
        self.assertEqual(("telegrams", "115200 8N1", "50"), (trial["finding"], trial["setting"], trial["version"]))
        self.assertEqual("electricity_meter", trial["devices"][0]["kind"])
        self.assertEqual("", trial["advice"])

    def test_in_words(self):
        port = self.simulate("--speed", "10", "--kind", "belgian")
        out, _ = self.vesta("doctor", "--seconds", "3", "--port", port)
        self.assertIn("115200 8N1: ", out)
        self.assertIn("for the configuration:", out)
        self.assertIn("clock:", out)

    def test_the_usual_mistakes(self):
        self.assertEqual({"bit7"}, {t["finding"] for t in self.finding("--kind", "dsmr2", "--fault", "parity-bits")
                                    if not t["setting"].endswith("7E1")})
        self.assertEqual("inverted", self.finding("--fault", "inverted", seconds="1")[0]["finding"])
        trial, = self.finding("--kind", "luxembourg")
        self.assertEqual("key_needed", trial["finding"])
        self.assertIn("grid operator", trial["advice"])

    def test_silence_is_not_tried_thrice(self):
        port = self.simulate("--speed", "0.001", "--kind", "dsmr4")
        report = self.examine("--port", port, expect=PROBLEMS, seconds="0.3")
        trial, = report["ports"][0]["trials"]
        self.assertEqual("nothing", trial["finding"])
        self.assertIn("data request", trial["advice"])

    def test_a_port_that_is_not_there(self):
        report = self.examine("--port", self.path("no-port"), expect=PROBLEMS)
        self.assertIn("no-port", report["ports"][0]["error"])
        self.assertFalse(report["well"])

    def test_the_sources_of_a_configuration(self):
        serial = self.simulate("--speed", "10")
        tcp = self.start("simulate", "p1", "--tcp", "127.0.0.1:0", "--speed", "10", "--kind", "luxembourg")
        sources = [
            {"name": "house", "type": "serial", "protocol": "p1", "port": serial},
            {"name": "barn", "type": "tcp", "protocol": "p1", "host": "127.0.0.1", "port": int(tcp.rsplit(":", 1)[1]),
             "p1": {"encryption_key_file": self.write("key", KEY), "authentication_key_file": self.write("auth", AUTH_KEY)}},
        ]
        os.chmod(self.path("key"), 0o600)
        os.chmod(self.path("auth"), 0o600)
        good = self.write("good.json", json.dumps({"sources": sources}))
        report = self.examine("--config", good, expect=OK, seconds="10")
        self.assertEqual({"house": True, "barn": True}, {port["name"]: port["well"] for port in report["ports"]})
        sources.append({"name": "gone", "type": "serial", "protocol": "p1", "port": self.path("gone")})
        bad = self.write("bad.json", json.dumps({"sources": sources}))
        report = self.examine("--config", bad, expect=PROBLEMS, seconds="10")
        self.assertEqual({"house": True, "barn": True, "gone": False},
                         {port["name"]: port["well"] for port in report["ports"]})
        self.vesta("doctor", "--config", self.path("nothing"), expect=CANNOT_START)


class PasswdTest(CommandTest):
    def test_stdin(self):
        out, _ = self.vesta("passwd", "--stdin", stdin=b"correct horse\n")
        self.assertRegex(out, r'^"password_hash": "\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$[^"]+"\n$')
        again, _ = self.vesta("passwd", "--stdin", "--json", stdin=b"correct horse\n")
        self.assertNotIn(json.loads(again)["password_hash"], out)
        config = self.write("c.json", json.dumps({"http": json.loads(again)}))
        self.vesta("check", config)
        self.vesta("passwd", "--stdin", stdin=b"short\n", expect=PROBLEMS)
        self.vesta("passwd", "--stdin", stdin=b"", expect=PROBLEMS)

    def ask(self, first, second):
        """Answers both questions on a terminal; returns what the terminal showed, and the exit code."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(VESTA, [VESTA, "passwd"])
        shown = b""

        def wait_for(text):
            nonlocal shown
            give_up = time.monotonic() + PATIENCE_S
            while text not in shown and time.monotonic() < give_up:
                if select.select([terminal], [], [], 0.5)[0]:
                    shown += os.read(terminal, 4096)

        wait_for(b"Password: ")
        self.wait_for_silence(terminal)
        os.write(terminal, first + b"\n")
        wait_for(b"The same again: ")
        self.wait_for_silence(terminal)
        os.write(terminal, second + b"\n")
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:  # the program has ended
            pass
        os.close(terminal)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def wait_for_silence(self, terminal):
        """The question stands before the echo is switched off."""
        import termios
        give_up = time.monotonic() + PATIENCE_S
        while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < give_up:
            time.sleep(0.01)

    def test_asks_twice_without_echo(self):
        shown, code = self.ask(b"correct horse", b"correct horse")
        self.assertEqual(OK, code, shown)
        self.assertIn(b"$argon2id$", shown)
        self.assertNotIn(b"horse", shown)

    def test_a_slip_makes_nothing(self):
        shown, code = self.ask(b"correct horse", b"correct house")
        self.assertEqual(PROBLEMS, code)
        self.assertNotIn(b"argon2id", shown)

    def test_tokens(self):
        out, _ = self.vesta("passwd", "--token", "wall display", "--scope", "operate", "--json")
        made = json.loads(out)
        self.assertGreaterEqual(len(made["token"]), 32)
        self.assertEqual({"name": "wall display", "scope": "operate",
                          "hash": hashlib.sha256(made["token"].encode()).hexdigest()}, made["entry"])
        self.vesta("check", self.write("c.json", json.dumps({"http": {"tokens": [made["entry"]]}})))
        self.vesta("passwd", "--token", 'a"b', expect=WRONG_USAGE)


class CheckTest(CommandTest):
    def test_fine(self):
        out, _ = self.vesta("check", self.write("c.json", """{
          // A comment.
          "sources": [{"name": "meter", "type": "serial", "protocol": "p1", "port": "/dev/ttyUSB0"}]
        }"""))
        self.assertIn("is fine: 1 sources", out)

    def test_every_problem_has_its_place(self):
        file = self.write("c.json", """{
  "sources": [
    {"name": "meter", "type": "serial", "protocol": "p1", "prot": "/dev/ttyUSB0", "baud": "fast"}
  ]
}""")
        out, _ = self.vesta("check", file, expect=PROBLEMS)
        self.assertRegex(out, rf"{re.escape(file)}:3:\d+: ")
        self.assertIn("port", out)
        out, _ = self.vesta("check", file, "--json", expect=PROBLEMS)
        report = json.loads(out)
        self.assertFalse(report["ok"])
        self.assertTrue(report["usable"])
        self.assertGreaterEqual(len(report["problems"]), 2)
        self.assertTrue(all(problem["line"] == 3 for problem in report["problems"]))

    def test_no_file(self):
        self.vesta("check", self.path("nothing"), expect=CANNOT_START)

    def test_not_json(self):
        out, _ = self.vesta("check", self.write("c.json", '{"sources": [\n}'), expect=PROBLEMS)
        self.assertIn(":2:", out)


class KeysTest(CommandTest):
    ADDRESS = "c0ffee112233"
    DEVICE_KEY = "adeccb947395801a4dd45a2eaa44bf17"
    # The worked example of the reference: a solar charger's advert under this key.
    ADVERT = "01" + ADDRESS + "00ba00" + "17ffe102" + "100242a0016207adceb37b605d7e0ee21b24df5c"

    def start_hub(self):
        """A hub that hears adverts by UDP; returns the options that lead to it, and the port of the adverts."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, socket.socket() as web:
            probe.bind(("127.0.0.1", 0))
            web.bind(("127.0.0.1", 0))
            adverts, page = probe.getsockname()[1], web.getsockname()[1]
        config = self.write("vesta.json", json.dumps({
            "storage": {"directory": self.path("data"), "commit_s": 0.2},
            "sources": [{"name": "relay", "type": "udp", "protocol": "victron", "port": adverts}]}))
        self.hub = subprocess.Popen([VESTA, "run", "--config", config, "--http", f"127.0.0.1:{page}"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.hub.stdout.close)
        self.addCleanup(self.end_hub)
        self.assertIn("The page is at", self.hub.stdout.readline())
        return ("--hub", f"http://127.0.0.1:{page}"), adverts

    def end_hub(self):
        self.hub.terminate()
        self.hub.wait(timeout=PATIENCE_S)

    def hear(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(bytes.fromhex(self.ADVERT), ("127.0.0.1", port))

    def check_until(self, code, *arguments):
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            run = subprocess.run([VESTA, "keys", "check", "--json", *arguments], capture_output=True, text=True)
            if run.stdout and json.loads(run.stdout)["code"] == code:
                return run
            time.sleep(0.05)
        self.fail(f"never {code}: {run.stdout} {run.stderr}")

    def test_with_the_running_hub(self):
        hub, port = self.start_hub()
        self.vesta("keys", "check", self.DEVICE_KEY, *hub, expect=PROBLEMS)  # nothing is heard yet
        self.hear(port)
        self.check_until("opens", self.DEVICE_KEY, *hub)
        out, _ = self.vesta("keys", "check", self.DEVICE_KEY[1:], *hub, expect=PROBLEMS)
        self.assertIn("31", out)
        out, _ = self.vesta("keys", "check", "--device", "c0:ff:ee:00:00:00", *hub, stdin=self.DEVICE_KEY.encode(),
                            expect=PROBLEMS)
        self.assertIn("c0:ff:ee:11:22:33", out)
        out, _ = self.vesta("keys", "add", "C0:FF:EE:11:22:33", "--name", "Roof", *hub,
                            stdin=self.DEVICE_KEY.encode() + b"\n")
        self.assertIn("It opens", out)
        listed, _ = self.vesta("keys", "list", *hub)
        self.assertIn(self.ADDRESS, listed)
        self.assertIn("Roof", listed)
        self.assertNotIn(self.DEVICE_KEY[:6], out + listed)
        self.vesta("keys", "add", self.ADDRESS, "12", *hub, expect=PROBLEMS)
        self.vesta("keys", "add", "nobody", self.DEVICE_KEY, *hub, expect=WRONG_USAGE)
        self.vesta("keys", "remove", self.ADDRESS, *hub)
        self.vesta("keys", "remove", self.ADDRESS, *hub, expect=PROBLEMS)
        # A macOS table: no address, but the key opens one device heard.
        table = self.write("keys.txt", "{763aeff5-1334-e64a-ab30-a0f478020fe1}|" + self.DEVICE_KEY + "\n")
        out, _ = self.vesta("keys", "import", table, *hub)
        self.assertIn(self.ADDRESS, out)
        self.assertIn("1 of 1 keys", out)
        self.assertIn(self.ADDRESS, self.vesta("keys", "list", *hub)[0])

    def test_without_a_running_hub(self):
        _, port = self.start_hub()
        self.hear(port)
        data = ("--data", self.path("data"))
        self.check_until("opens", self.DEVICE_KEY, *data)  # reading is possible beside a hub
        self.vesta("keys", "add", self.ADDRESS, self.DEVICE_KEY, *data, expect=CANNOT_START)
        self.end_hub()
        out, _ = self.vesta("keys", "add", self.ADDRESS, self.DEVICE_KEY, *data)
        self.assertIn("It opens", out)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path("data/keys.json")).st_mode))
        self.assertIn(self.ADDRESS, self.vesta("keys", "list", *data)[0])
        self.vesta("keys", "list", "--hub", "http://127.0.0.1:1", expect=PROBLEMS)

    def test_on_a_capture(self):
        capture = self.write("c.jsonl", json.dumps({"t": START, "hex": self.ADVERT}) + "\n")
        out, _ = self.vesta("keys", "check", self.DEVICE_KEY, "--capture", capture)
        self.assertIn("(c0:ff:ee:11:22:33)", out)
        self.vesta("keys", "check", self.DEVICE_KEY, "--capture", self.path("nothing"), expect=PROBLEMS)


class UsageTest(CommandTest):
    def test_help_is_not_an_error(self):
        out, err = self.vesta("--help")
        self.assertEqual("", err)
        for command in ("run", "demo", "check", "decode", "capture", "replay", "simulate", "doctor", "passwd", "keys",
                        "export", "import"):
            self.assertIn(command, out)
            self.assertIn("Exit codes", self.vesta(command, "--help")[0])

    def test_wrong_usage(self):
        for arguments in ([], ["fly"], ["decode", "--colour"], ["simulate", "p1"], ["replay"], ["keys"], ["keys", "add"]):
            out, err = self.vesta(*arguments, expect=WRONG_USAGE)
            self.assertEqual("", out)
            self.assertIn("--help", err)


if __name__ == "__main__":
    VESTA = os.path.abspath(sys.argv.pop(1))
    unittest.main()
