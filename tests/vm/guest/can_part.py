"""SocketCAN of the real kernel: vcan, vxcan, slcan over a pty. The recorded buses of tests/vectors/masterbus are played
by canplayer, and what the hub shows is held against their device models."""
import glob
import json
import os
import pty
import select
import socket
import struct
import threading
import tty

from bed import VECTORS, Hub, equal, expect, sh, start, stop, wait_for
import bed

# Label and unit of an item in the vectors -> the hub's field.
FIELDS = {("State of Charge", "%"): "state_of_charge", ("Battery", "V"): "battery_voltage",
          ("Battery", "A"): "battery_current", ("Cap. consumed", "Ah"): "charge_consumed",
          ("AC Output", "A"): "ac_output_current", ("AC Input", "A"): "ac_input_current",
          ("Inverter", ""): "inverter_switch", ("State of charger", ""): "charger_state",
          ("Time", ""): "clock_time", ("Date", ""): "clock_date"}

ANNOUNCE = struct.pack("=IB3x8s", 0x043AF412 | socket.CAN_EFF_FLAG, 8, bytes.fromhex("0E12F40200010008"))

_made = 0


def interface(kind="vcan"):
    """A new virtual interface, up. Of a pair: the hub's end; the other has a p behind its name."""
    global _made
    _made += 1
    # The sanitized round must not meet what the plain one left.
    name = f"{kind[:2]}{os.getpid() % 1000}x{_made}"
    peer = f" peer name {name}p" if kind == "vxcan" else ""
    sh(f"ip link add {name} type {kind}{peer} && ip link set {name} up" + (f" && ip link set {name}p up" if peer else ""))
    return name


def source(name, **more):
    return {"name": "boat", "type": "can", "protocol": "masterbus", "interface": name, **more}


def raw_socket(name):
    connection = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    connection.bind((name,))
    return connection


def taken(hub):
    """Frames that the hub has accounted for, whatever became of them."""
    boat = hub.source("boat")
    return boat["frames_accepted"] + sum(boat["frames_rejected"].values()) + sum(boat["frames_discarded"].values())


def play(log, name):
    sh(f"canplayer -I {log} -t -g 2 {name}=can0")


def readings(hub, series):
    rows = hub.get(f"readings?series={series}&points=10000")["readings"]
    return [row[1] for row in rows]


def shown_last(item):
    """The vector's last value as the API says it."""
    if "last_clock" in item:
        clock = item["last_clock"]
        return f"{clock['hour']:02}:{clock['minute']:02}:{clock['second']:02}"
    if "last_date" in item:
        date = item["last_date"]
        return f"{date['year']:04}-{date['month']:02}-{date['day']:02}"
    if item.get("options"):
        return item["options"][str(int(item["last"]))].lower().replace(" ", "_")
    return item["last"]


def near(got, wanted):
    return isinstance(got, (int, float)) and abs(got - wanted) <= 1e-6 * max(1, abs(wanted))


def check_item(hub, device, item, latest):
    key = FIELDS.get((item.get("name", ""), item.get("unit", "")))
    fields = {f"item_{item['item']:02x}", key}
    series = [s for s in device["series"] if s["field"] in fields]
    what = f"{device['identity']} item {item['item']}"
    expect(series, f"{what}: neither {fields}")
    named = [s for s in series if s["field"] == key]
    expect(named or not key, f"{what}: no {key}")
    last = latest[(named or series)[-1]["id"]]["value"]
    wanted = shown_last(item)
    if isinstance(wanted, str):
        expect(wanted == last or (not named and str(last).startswith("unknown")), f"{what}: {last!r}, not {wanted!r}")
    elif item.get("visualization") is not None or not isinstance(last, str):
        expect(near(last, wanted), f"{what}: {last!r}, not {wanted!r}")
    if named and item.get("unit"):
        equal(named[0]["unit"], item["unit"], f"{what}: unit")
    # Nothing lost on the way: as many readings as values on the bus, with the same extremes.
    values = [value for s in series for value in readings(hub, s["id"])]
    equal(len(values), item["values"], f"{what}: readings")
    numbers = [value for value in values if isinstance(value, (int, float))]
    if numbers and len(numbers) == len(values):
        expect(near(min(numbers), item["lowest"]) and near(max(numbers), item["highest"]),
               f"{what}: {min(numbers)} to {max(numbers)}, not {item['lowest']} to {item['highest']}")


def check_model(hub, wanted):
    boat = hub.source("boat")
    equal(boat["frames_accepted"], wanted["frames"] - wanted["roles"].get("error_frame", 0), "frames accepted")
    equal(boat["frames_discarded"].get("error_frame", 0), wanted["roles"].get("error_frame", 0), "error frames")
    equal(boat["counters"]["announces"], wanted["roles"]["announce"], "announces")
    devices = hub.devices()
    equal(sorted(devices), [device["address"] for device in wanted["devices"]], "devices")
    latest = {value["series"]: value for value in hub.get("latest")["values"]}
    for one in wanted["devices"]:
        device = devices[one["address"]]
        if one["name"]:
            equal(device["model"], one["name"], "name")
        counter = next(s for s in device["series"] if s["field"] == "announce_counter")
        equal(latest[counter["id"]]["value"], one["counter_last"], f"{one['address']}: announce counter")
        for item in one["items"]:
            check_item(hub, device, item, latest)
    return True


def replayed_buses_equal_their_device_models():
    logs = sorted(glob.glob(f"{VECTORS}/masterbus/*.expect.json"))
    assert len(logs) >= 5
    buses = []
    for log in logs:
        with open(log, encoding="utf-8") as file:
            vector = json.load(file)
        name = interface("vxcan" if vector["log"].startswith("date") else "vcan")
        buses.append((Hub(vector["log"].split(".")[0], [source(name)]), name, vector))
    for hub, name, vector in buses:
        hub.wait_open()
        play(f"{VECTORS}/masterbus/{vector['log']}", name + ("p" if vector["log"].startswith("date") else ""))
    for hub, _, vector in buses:
        wait_for(f"{vector['log']}: the device model", lambda h=hub, v=vector: check_model(h, v["expect"]), 5)
        hub.end()


def attach(link, name):
    """slcand gives the terminal to the kernel, 250 kbit/s."""
    start(["slcand", "-F", "-o", "-c", "-s5", "-S", "115200", os.path.basename(link), name])
    wait_for("the interface", lambda: os.path.exists(f"/sys/class/net/{name}"))
    sh(f"ip link set {name} up")


def a_simulated_boat_answers_through_the_kernels_slcan():
    """slcand and the kernel's line discipline on a pty, with a simulated bus of devices behind it: questions out,
    answers in."""
    link = f"/dev/ttyV{os.getpid()}"
    boat = start([bed.program(), "simulate", "masterbus", "--pty", link], log="simulator.log")
    wait_for("the simulator's terminal", lambda: os.path.exists(link))
    name = f"sl{os.getpid() % 1000}"
    attach(link, name)
    hub = Hub("slcan", [source(name, listen_only=False, masterbus={"read": True, "read_every_s": 1})])
    hub.wait_open()

    def learned():
        named = {d["model"]: [s["field"] for s in d["series"]] for d in hub.devices().values() if d["model"]}
        expect(len(named) >= 2, f"devices with a name: {sorted(named)}")
        expect("battery_voltage" in sum(named.values(), []), f"fields: {named}")
        return True
    wait_for("names and labels that only questions bring", learned, 5)
    counters = hub.source()["counters"]
    expect(counters["questions"] > 0, "no questions")
    bed.say(f"note {bed.label()}: {counters['questions']} questions, {counters['questions_repeated']} repeated, "
            f"{counters['questions_in_vain']} in vain")
    stop(boat)
    # The line hung up: the kernel takes the interface away.
    wait_for("the source says so", lambda: hub.source()["state"] == "waiting")
    hub.end()


class Adapter(threading.Thread):
    """The far end of an slcan line: takes what the host says, and sends what the test wants."""

    def __init__(self, link):
        super().__init__(daemon=True)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.symlink(os.ttyname(self.slave), link)
        self.said = b""
        self.start()

    def run(self):
        while True:
            ready, _, _ = select.select([self.master], [], [], 1)
            if ready:
                try:
                    self.said += os.read(self.master, 4096)
                except OSError:
                    return

    def send(self, text):
        os.write(self.master, text.encode())


def error_frames_of_the_kernel_are_counted_by_kind():
    """The kernel's slcan makes error frames out of what an adapter tells of the bus."""
    link = f"/dev/ttyE{os.getpid()}"
    adapter = Adapter(link)
    name = f"se{os.getpid() % 1000}"
    attach(link, name)
    wait_for("the adapter is told speed and to open", lambda: b"S5\r" in adapter.said and b"O\r" in adapter.said)
    hub = Hub("errors", [source(name)])
    hub.wait_open()
    adapter.send("T043AF41280E12F40200010008\r")  # an announce
    wait_for("a frame", lambda: hub.source()["frames_accepted"] == 1)
    adapter.send("sw097000\r")
    wait_for("a warning", lambda: hub.source()["counters"]["bus_warnings"] == 1)
    adapter.send("sp000129\r")
    wait_for("passive", lambda: hub.source()["counters"]["bus_passives"] == 1)
    adapter.send("e1s\r")
    wait_for("a bus error", lambda: hub.source()["counters"]["error_frames"] == 3)
    adapter.send("sb256256\r")
    wait_for("bus off", lambda: hub.source()["counters"]["bus_offs"] == 1)
    equal(hub.source()["frames_discarded"], {"error_frame": 4}, "discarded")
    hub.end()


def down_up_and_gone():
    name = interface()
    hub = Hub("updown", [source(name)])
    hub.wait_open()

    def flows(count):
        # A socket that saw its interface go down says so once; this one is new.
        with raw_socket(name) as peer:
            peer.send(ANNOUNCE)
        wait_for("a frame arrives", lambda: hub.source()["frames_accepted"] == count)
    flows(1)
    sh(f"ip link set {name} down")
    down = wait_for("down is said", lambda: hub.source()["state"] == "waiting" and hub.source())
    expect("down" in down["error"], f"error: {down['error']}")
    sh(f"ip link set {name} up")
    hub.wait_open(seconds=10)
    flows(2)
    sh(f"ip link del {name}")
    wait_for("gone is said", lambda: hub.source()["state"] == "waiting")
    sh(f"ip link add {name} type vcan && ip link set {name} up")
    hub.wait_open(seconds=10)
    flows(3)
    equal(hub.source()["opens"], 3, "times opened")
    hub.end()


def a_burst_is_counted_to_the_last_frame():
    """Standard, extended and remote frames as fast as they can be sent: taken or counted as dropped."""
    name = interface()
    hub = Hub("burst", [source(name)])
    hub.wait_open()
    sh(f"cangen {name} -g 0 -n 1000 -R; cangen {name} -g 0 -n 1000 -e -R")
    with raw_socket(name) as peer:
        peer.send(ANNOUNCE)  # the kernel tells what it dropped with the next frame
    wait_for("all are accounted for", lambda: equal(taken(hub), 2001, "frames") or True, 5)
    hub.end()


def a_hub_that_is_held_up_counts_what_the_kernel_dropped():
    name = interface()
    hub = Hub("stalled", [source(name)])
    hub.wait_open()
    peer = raw_socket(name)
    # A full bus of 250 kbit/s has some 1,900 such frames a second.
    stop_signal, go_on = 19, 18
    hub.process.send_signal(stop_signal)
    for _ in range(8000):
        peer.send(ANNOUNCE)
    hub.process.send_signal(go_on)
    wait_for("what was kept", lambda: hub.source()["frames_accepted"] > 0)
    peer.send(ANNOUNCE)  # the kernel tells what it dropped with the next frame
    wait_for("all are accounted for", lambda: equal(taken(hub), 8001, "frames") or True, 5)
    boat = hub.source()
    bed.say(f"note {bed.label()}: of 8000 frames in a stall {boat['frames_accepted'] - 1} were kept")
    hub.end()


def a_hub_that_only_listens_sends_nothing():
    name = interface("vxcan")
    hub = Hub("silent", [source(name, masterbus={"read": False})])
    hub.wait_open()
    play(f"{VECTORS}/masterbus/idle.log", f"{name}p")
    wait_for("the bus is heard", lambda: len(hub.devices()) == 3)
    peer = raw_socket(f"{name}p")
    peer.settimeout(0.2 * bed.SCALE)
    try:
        frame = peer.recv(16)
        raise AssertionError(f"something was sent: {frame.hex()}")
    except socket.timeout:
        pass
    hub.end()


def modules_are_there():
    for module in ["vcan", "vxcan", "slcan", "can-raw"]:
        sh(f"modprobe {module}")


TESTS = [modules_are_there, replayed_buses_equal_their_device_models, down_up_and_gone,
         a_burst_is_counted_to_the_last_frame, a_hub_that_is_held_up_counts_what_the_kernel_dropped,
         a_hub_that_only_listens_sends_nothing, error_frames_of_the_kernel_are_counted_by_kind,
         a_simulated_boat_answers_through_the_kernels_slcan]
