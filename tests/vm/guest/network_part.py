"""MQTT and HTTP over a link that loses, delays, reorders and breaks: a veth pair into a network namespace, netem on both
ends, the broker and the readers on the far side."""
import hashlib
import json
import os
import subprocess
import time

import bed
from bed import Hub, equal, expect, say, sh, start, stop, wait_for

NEAR, FAR = "10.77.0.1", "10.77.0.2"
BROKER = 1883
TOKEN = "far-side-reader"
SPACE = ["ip", "netns", "exec", "far"]
BAD_LINK = "delay 30ms 20ms loss 5% reorder 20% 50%"

state = {}


def link(settings):
    """netem in both directions."""
    for where in ["", "ip netns exec far "]:
        sh(f"{where}tc qdisc replace dev {'near0' if not where else 'far0'} root netem {settings} limit 10000")


def the_far_side_is_there():
    for module in ["veth", "sch_netem"]:
        sh(f"modprobe {module}")
    sh("ip netns add far && ip link add near0 type veth peer name far0 netns far")
    sh(f"ip addr add {NEAR}/24 dev near0 && ip link set near0 up")
    sh(f"ip netns exec far sh -c 'ip link set lo up; ip addr add {FAR}/24 dev far0; ip link set far0 up'")
    with open("mosquitto.conf", "w", encoding="utf-8") as file:
        file.write(f"listener {BROKER} {FAR}\nlistener {BROKER} 127.0.0.1\nallow_anonymous true\n"
                   "max_queued_messages 0\nmax_inflight_messages 0\n")
    state["broker"] = start([*SPACE, "mosquitto", "-c", os.path.abspath("mosquitto.conf")], log="mosquitto.log")
    wait_for("the broker", the_broker_answers, 5)
    listener = [*SPACE, "mosquitto_sub", "-h", "127.0.0.1", "-i", "archive", "-q", "1", "-t", "vesta/history/#",
                "-F", "%p"]
    with open("history.jsonl", "wb") as output:
        state["archive"] = start(listener, stdout=output, log="archive.log")


def the_broker_answers():
    return subprocess.run([*SPACE, "mosquitto_pub", "-h", "127.0.0.1", "-t", "test", "-m", "1"], check=False,
                          capture_output=True).returncode == 0


def a_hub_sends_over_the_bad_link():
    meter = os.path.abspath("meter")
    # A telegram every half second of real time: counters that a loss would show in.
    state["meter"] = start([bed.program(), "simulate", "p1", "--kind", "dsmr5-three-phase", "--pty", meter, "--speed", "2"],
                           log="simulator.log")
    wait_for("the meter", lambda: os.path.exists(meter))
    link(BAD_LINK)
    state["hub"] = Hub(
        "far_away", [{"name": "meter", "type": "serial", "protocol": "p1", "port": meter}], address=NEAR,
        outputs=[{"name": "broker", "type": "mqtt", "host": FAR, "port": BROKER, "keepalive_s": 5}],
        http={"tokens": [{"name": "far", "hash": hashlib.sha256(TOKEN.encode()).hexdigest()}]}, hub={"id": "vesta"},
        token=TOKEN)
    wait_for("the broker is reached", lambda: history()["connected"], 8)
    wait_for("readings arrive", lambda: len(archived()) > 50, 8)


def history():
    return next(o for o in state["hub"].get("outputs")["outputs"] if "history" in o["name"] or o["acknowledged"])


def archived():
    """{number: reading} of everything that the subscriber has got, doubles joined."""
    readings = {}
    with open("history.jsonl", encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            message = json.loads(line)
            for reading in message["readings"]:
                known = readings.setdefault(reading["number"], reading)
                equal(known, reading, f"reading {reading['number']} twice")
    return readings


def far_reader():
    return [*SPACE, "/usr/bin/python3", f"{bed.ROOT}/tests/vm/guest/far_reader.py", NEAR, str(state["hub"].port), TOKEN]


def followed():
    """What a follower of the live stream on the far side knows."""
    with open("events.json", encoding="utf-8") as file:
        return json.load(file)


def cuts_and_silence():
    """Cables pulled and a link that swallows everything without a word."""
    start([*far_reader(), "events.json"], log="far_reader.log")
    wait_for("the live stream flows", lambda: followed()["values"], 8)
    for kind in ["pulled", "swallows", "pulled"]:
        if kind == "pulled":
            sh("ip link set near0 down")
        else:
            link("loss 100%")
        before = state_accepted()
        wait_for("readings go on meanwhile", lambda b=before: state_accepted() > b + 3)
        time.sleep(0.8 * bed.SCALE if kind == "swallows" else 0.2 * bed.SCALE)
        sh("ip link set near0 up")
        link(BAD_LINK)
        count = len(archived())
        wait_for(f"history flows again after the link was {kind}", lambda c=count: len(archived()) > c, 12)


def state_accepted():
    """The hub's own side is no part of the bad link."""
    return state["hub"].source()["frames_accepted"]


def nothing_was_lost_and_counters_are_true():
    stop(state["meter"])
    hub = state["hub"]
    # What the line still held is read by then.
    wait_for("the meter's line has ended", lambda: hub.source()["state"] == "waiting")

    def delivered():
        output = history()
        expect(output["waiting"] == 0 and output["accepted"] == output["acknowledged"] + sum(output["dropped"].values()),
               f"accepted {output['accepted']}, acknowledged {output['acknowledged']}, waiting {output['waiting']}")
        equal(output["dropped"], {}, "dropped")
        equal(output["accepted"], hub.source()["readings"], "readings accepted by the output")
        equal(hub.get("health")["journal"]["waiting_readings"], 0, "not on the disk yet")
        return output
    output = wait_for("all is delivered", delivered, 15)
    readings = archived()
    kept = {}
    for line in sh(f"{bed.program()} export jsonl --data far_away/data").splitlines():
        row = json.loads(line)
        if "value" not in row:
            continue  # what the lines are of
        kept[(row["field"], row["time"])] = row["value"]
    far = {(reading["field"], reading["time"]): reading["value"] for reading in readings.values()}
    missing = set(kept) - set(far)
    expect(not missing, f"{len(missing)} of {len(kept)} readings missing at the far side: {sorted(missing)[:3]}")
    # States are names at the far side, and a text that is empty is no value there.
    differing = [(key, far[key], value) for key, value in kept.items() if isinstance(far[key], (int, float)) and far[key] != value]
    equal(differing, [], "values at the far side")
    say(f"note network: {len(readings)} readings over the bad link, {output['connects']} connections")


def the_live_stream_shows_the_newest_values():
    def same():
        shown = followed()
        latest = {str(value["series"]): value["value"] for value in state["hub"].get("latest")["values"]}
        equal({k: shown["values"].get(k) for k in latest}, latest, "values of the live stream")
        return shown
    shown = wait_for("the far page shows what the hub has", same, 12)
    say(f"note network: the live stream took {shown['connections']} connections")


def answers_are_whole():
    """Large answers over the bad link, byte for byte as without it."""
    hub = state["hub"]
    request = " ".join(far_reader()) + " '/api/v1/export?format=csv&from=2020-01-01T00:00:00Z' "
    sh(request + "bad.csv")
    link("delay 0ms")
    sh(request + "good.csv")
    with open("bad.csv", "rb") as bad, open("good.csv", "rb") as good:
        first, second = bad.read(), good.read()
    expect(len(second) > 10000 and first == second, f"{len(first)} and {len(second)} bytes")
    hub.end()


TESTS = [the_far_side_is_there, a_hub_sends_over_the_bad_link, cuts_and_silence, nothing_was_lost_and_counters_are_true,
         the_live_stream_shows_the_newest_values, answers_are_whole]
