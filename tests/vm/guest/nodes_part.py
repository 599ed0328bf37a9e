"""A hub with a monitor interface as its radio, and a node, the product's own vesta-node, in a network namespace with a
radio of its own; an original node, played frame by frame. What the node measures and switches are files as the kernel's."""
import json
import os
import struct
import time

import bed
from air import Radio, channel, group, in_space
from bed import VECTORS, Hub, equal, expect, sh, start, stop, wait_for

SECRET = "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A"
HOME, MOVED, ELSEWHERE = 11, 1, 3  # channels
SENSOR = "w1/28-665544332211/w1_slave"
STEPS = 4  # measured while the link is cut
# Items of the node: 1 to 4 the thermometer's places, then the rest.
SET_POINT, HEATING = 6, 7
# The original node of the recorded session, and what it calls itself.
LEGACY, LEGACY_DEVICES = "5ccf7fa00003", [{"id": 1, "type": "thermostat", "control": 1, "name": "House"},
                                          {"id": 2, "type": "thermometer", "control": 0, "name": "Cellar"},
                                          {"id": 3, "type": "thermostat", "control": 2, "name": "Loft"}]
WITNESS = "02cc00000001"

state = {}


def put(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def measures(milli_degrees):
    """As the kernel prints a 1-Wire thermometer: its memory with the checksum of 1-Wire, and what that means."""
    memory = struct.pack("<h", milli_degrees * 16 // 1000) + bytes.fromhex("4b467fff0810")
    checksum = 0
    for byte in memory:
        for bit in range(8):
            mix = (checksum ^ byte >> bit) & 1
            checksum = checksum >> 1 ^ (0x8C if mix else 0)
    text = (memory + bytes([checksum])).hex(" ")
    put(SENSOR, f"{text} : crc={checksum:02x} YES\n{text} t={milli_degrees}\n")


def start_node():
    here = os.getcwd()
    put("gpio/gpio5/direction", "in")
    put("gpio/gpio5/value", "0")
    measures(21500)
    put("secret", SECRET + "\n")
    put("functions.json", json.dumps({"version": 2, "name": "Shed", "ping_s": 1, "functions": [
        {"type": "thermometer", "name": "Tank", "pin": 4, "period_s": 1}, {"type": "relay", "name": "Burner", "pin": 5},
        {"type": "thermostat", "name": "Tank", "sensor": "2811223344556656", "relay": "Burner"}]}))
    put("node.json", json.dumps({"radio_interface": "wlan2", "state": f"{here}/node", "secret_file": f"{here}/secret",
                                 "configuration": f"{here}/functions.json", "gpio": f"{here}/gpio",
                                 "one_wire": f"{here}/w1"}))
    state["node"] = start([*in_space(2), os.environ["VESTA_NODE"], "--config", f"{here}/node.json"], log="node.log")


def hub():
    return state["hub"]


def node():
    """As the hub shows it."""
    return next(n for n in hub().get("nodes")["nodes"] if n["protocol"] == "link")


def online(heard_on):
    def is_online():
        shown = node()
        equal((shown["state"], shown["channel"]), ("online", heard_on), "state and channel")
        return True
    return is_online


def temperatures(name="Tank"):
    """[(time in ms, value)] of a thermometer, as they are kept."""
    for device in hub().get("devices")["devices"]:
        for series in device["series"]:
            if series["field"] == "temperature" and name in device["name"]:
                return [(row[0], row[1]) for row in hub().get(f"readings?series={series['id']}&points=10000")["readings"]]
    return []


def node_says(text):
    """How often."""
    with open("node.log", encoding="utf-8") as file:
        return sum(text in line for line in file)


def measured(wanted):
    return lambda: expect(wanted in [value for _, value in temperatures()], f"no {wanted}: {temperatures()[-3:]}") or True


def wish(item):
    return next(w["state"] for w in node()["wishes"] if w["item"] == item)


def a_node_joins_from_another_channel():
    os.makedirs("home/data", mode=0o700)
    put("home/data/network-home.json", json.dumps({
        "format": "vesta-network", "version": 1, "hub": {"id": 10, "network": 1},
        "nodes": [{"protocol": "vesta-2025", "number": 3, "name": "Old one", "devices": LEGACY_DEVICES}]}))
    os.chmod("home/data/network-home.json", 0o600)
    channel(0, 6)
    channel(2, ELSEWHERE)
    state["hub"] = Hub("home", [{"name": "home", "type": "nodes", "air": "wifi", "radio_interface": "wlan0",
                                 "channel": HOME}])
    hub().wait_open()
    status, body = hub().ask("POST", "nodes/secrets", {"secret": SECRET, "name": "shed"})
    equal(status, 204, f"secret: {body[:200]}")
    start_node()
    wait_for("the node is there", online(HOME), 10)
    wait_for("its first reading", measured(21.5))
    expect(f"channel {HOME}" in sh(" ".join(in_space(2)) + " iw dev wlan2 info"), "the node's radio did not move")


def set_points_are_confirmed_by_the_node():
    status, body = hub().ask("PUT", f"nodes/{node()['id']}/items/{SET_POINT}", {"value": "25.5"})
    equal(status, 204, f"set-point: {body[:200]}")
    wait_for("confirmed", lambda: equal(wish(SET_POINT), "confirmed", "wish") or True, 5)

    def burns():
        with open("gpio/gpio5/value", encoding="utf-8") as file:
            return file.read().strip() == "1"
    wait_for("the burner burns", burns)


def the_access_point_changes_channel_and_all_return():
    """An access point on the hub's radio would take the interface along."""
    channel(0, MOVED)
    wait_for("the hub follows", lambda: hub().source()["counters"].get("channel_moves") == 1)
    measures(22000)
    wait_for("the node is back", online(MOVED), 15)
    wait_for("readings flow", measured(22), 5)
    expect(f"channel {MOVED}" in hub().source()["where"], f"where: {hub().source()['where']}")


def what_was_measured_while_the_link_was_cut_comes_with_its_time():
    misses = node_says("does not hear its hub")
    group(2)
    wait_for("the node misses its hub", lambda: node_says("does not hear its hub") > misses, 5)
    begins_ms = []
    for step in range(STEPS):
        begins_ms.append(time.time() * 1000)
        measures(30000 + 1000 * step)
        time.sleep(2.5 * bed.slowness())  # the node looks once a second
    end_ms = time.time() * 1000
    expect(not [value for _, value in temperatures() if value >= 30], "heard over a cut link")
    group(1)
    wait_for("the node is back", online(MOVED), 20)

    def whole():
        kept = temperatures()
        for step, from_ms in enumerate(begins_ms):
            times = [when for when, value in kept if value == 30 + step]
            expect(times, f"no {30 + step}: {kept[-5:]}")
            # Not when it arrived, but for the second that the clocks of node and hub may differ.
            expect(from_ms - 1000 <= min(times) <= end_ms + 1000, f"{30 + step} at {min(times)}, from {from_ms:.0f}")
        return True
    wait_for("nothing is lost", whole, 5)
    equal(node_says("reports lost"), 0, "the node says that it lost something")


def foreign_traffic_is_counted_and_leaves_the_node_alone():
    witness = Radio(1, WITNESS)
    channel(1, MOVED)
    before = hub().source()["counters"]["foreign_frames"]
    for number in range(20):
        # To another node, and of another protocol to all.
        witness.tell(f"send 02dd00000001 {WITNESS} 1 {number:02x}abcd", f"raw 80000000ffffffffffff{'02cc00000001' * 2}0000")
    wait_for("counted", lambda: equal(hub().source()["counters"]["foreign_frames"] - before, 20, "foreign frames") or True)
    measures(40000)
    wait_for("the node's readings flow", measured(40), 5)
    witness.end()


def an_original_node_pairs_and_reports():
    """The frames of a recorded VESTA 2025 node: pairing, then data to the address that the answer named."""
    with open(f"{VECTORS}/espnow/session.json", encoding="utf-8") as file:
        frames = [bytes.fromhex(one["hex"])[36:-4] for one in json.load(file)["frames"] if one["verdict"] == "espnow"]
    mine = [frame for frame in frames if frame[10:16].hex() == LEGACY]
    pairing, data = mine[0][39:], next(frame for frame in mine if frame[39] == 1)[39:]
    radio = Radio(1, LEGACY)
    radio.tell(f"send ffffffffffff {LEGACY} 1 {pairing.hex()}")

    def answer():
        return next(b for b in radio.bodies() if len(b) == len(pairing) * 2 and b.startswith("000a0a"))
    where = wait_for("the hub's answer", answer)[6:18]
    radio.tell(f"send {where} {LEGACY} 1 {data.hex()}")
    wanted = struct.unpack_from("<f", data, 8)[0]
    wait_for("its temperature", lambda: expect(wanted in [value for _, value in temperatures("House")],
                                               f"no {wanted}") or True)
    radio.end()


def both_end_well():
    equal(stop(state["node"]), 0, "the node's end")
    hub().end()
    channel(0, 6)


TESTS = [a_node_joins_from_another_channel, set_points_are_confirmed_by_the_node,
         the_access_point_changes_channel_and_all_return, what_was_measured_while_the_link_was_cut_comes_with_its_time,
         foreign_traffic_is_counted_and_leaves_the_node_alone, an_original_node_pairs_and_reports, both_end_well]
