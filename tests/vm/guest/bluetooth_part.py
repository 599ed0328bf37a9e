"""BlueZ of the host on controllers whose air the tests write (controller.py), and on btvirt's as a second opinion."""
import glob
import json
import os
import shutil
import signal

import bed
import victron
from bed import Hub, equal, expect, say, sh, start, stop, wait_for
from controller import NOT_CONNECTABLE, SCANNABLE, Advert, Controller, manufacturer

DAEMON = "/usr/libexec/bluetooth/bluetoothd"
KNOWN = range(400, 460)  # with keys; a source decodes 64 devices at most
STRANGERS = range(700, 840)
EACH_TYPE = 3  # vectors of one record type, for the same reason

state = {}


def bluetoothd(*options):
    state["daemon"] = start([DAEMON, "-n", *options], log="bluetoothd.log")


def hear(advert_hex):
    return manufacturer(victron.COMPANY, bytes.fromhex(advert_hex))


def key_of(index):
    return bytes([index & 255, 0x5A]) + bytes(range(14))


def monitor(index, nonce, voltage_10mv, **more):
    """An advert of a battery monitor of our own."""
    data = victron.encrypted(key_of(index), nonce, victron.BATTERY_MONITOR, 0xA389, victron.battery_payload(voltage_10mv))
    return Advert(victron.address_of(index), manufacturer(victron.COMPANY, data), **more)


def hub_with_keys(name, keys, **more):
    """keys: {address: key in hex}"""
    path = os.path.abspath(f"{name}-keys.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"keys": [{"address": address, "key": key} for address, key in keys.items()]}, file)
    os.chmod(path, 0o600)
    source = {"name": "radio", "type": "bluetooth", "protocol": "victron", **more}
    return Hub(name, [source], hub={"keys_file": path})


def voltage(hub, index):
    return hub.values()[victron.identity(victron.address_of(index))]["battery_voltage"]["value"]


def says(hub, error):
    source = hub.source()
    equal((source["state"], source["error"]), ("waiting", error), "state")
    return True


def the_bus_and_a_controller_are_there():
    for module in ["bluetooth", "hci_vhci", "algif_skcipher", "cmac"]:
        sh(f"modprobe {module}")
    socket = "/run/dbus/system_bus_socket"
    if os.path.exists(socket):  # of an earlier round, whose bus has ended
        os.unlink(socket)
    start(["dbus-daemon", "--system", "--nofork", "--nopidfile"], log="dbus.log")
    wait_for("the system bus", lambda: os.path.exists(socket))
    shutil.rmtree("/var/lib/bluetooth", ignore_errors=True)
    os.makedirs("/var/lib/bluetooth")
    state["radio"] = Controller()


def every_record_type_is_heard_passively():
    """bluetoothd with -E offers monitors: the controller must only listen, and each vector be right in the API."""
    bluetoothd("-E")
    of_type = {}
    for record in victron.records():
        of_type.setdefault(record["expected"]["record_type"], []).append(record)
    equal(len(of_type), 19, "record types in the vectors")
    records = [record for group in of_type.values() for record in group[:EACH_TYPE]]
    keys = {victron.address_of(i): r["key_hex"] for i, r in enumerate(records) if r["key_hex"]}
    hub = state["hub"] = hub_with_keys("passive", keys)
    radio = state["radio"]
    hub.wait_open(seconds=8)
    wait_for("the controller scans", lambda: radio.scanning)
    radio.put(*[Advert(victron.address_of(i), hear(r["advert_hex"]), rssi=-40 - i % 50, random=i % 2 == 1)
                for i, r in enumerate(records)])
    states = victron.state_names(hub)

    def all_right():
        shown = hub.values()
        for index, record in enumerate(records):
            if not record["expected"]["decoded"]:
                continue
            device = victron.identity(victron.address_of(index))
            expect(device in shown, f"{record['name']}: not heard")
            try:
                victron.check_record(record, shown[device], states)
            except bed.NotYet as error:
                raise bed.NotYet(f"{record['name']}: {error}") from error
        return True
    wait_for("every vector is right in the API", all_right, 10)
    equal([active for active, _ in radio.scans], [False] * len(radio.scans), "scans that ask")
    rejected = hub.source()["frames_rejected"]
    expect(set(rejected) == {"unknown_type"}, f"rejected: {rejected}")
    heard = {one["address"].replace(":", "").lower(): one for one in hub.get("heard")["heard"]}
    for index in range(len(records)):
        equal(heard[victron.identity(victron.address_of(index))]["rssi_dbm"], -40 - index % 50, f"rssi of {index}")
    radio.silence()


def changes_arrive_one_by_one():
    """Passive listening reports what is new: every change of a device's advert becomes a reading."""
    hub, radio = state["hub"], state["radio"]
    index = 300
    status, body = hub.ask("PUT", f"keys/{victron.identity(victron.address_of(index))}", {"key": key_of(index).hex()})
    equal(status, 200, f"key: {body[:200]}")
    for step in range(10):
        radio.put(monitor(index, 100 + step, 1200 + step, interval_s=0.3))
        wait_for(f"step {step}", lambda s=step: equal(voltage(hub, index), 12 + s / 100, "voltage") or True)
    device = hub.devices()[victron.identity(victron.address_of(index))]
    series = next(s["id"] for s in device["series"] if s["field"] == "battery_voltage")

    def kept():
        rows = hub.get(f"readings?series={series}")["readings"]
        equal([row[1] for row in rows], [(1200 + step) / 100 for step in range(10)], "history")
        return True
    wait_for("each in the history, once", kept)
    radio.silence()


def pull_and_return(index, nonce, *options):
    hub = state["hub"]
    state["radio"].unplug()

    def told():
        error = hub.source()["error"]
        expect(error in ("there is no Bluetooth adapter", "bluetoothd is not running"), f"error: {error!r}")
        return error
    error = wait_for("the source says so", told)
    # BlueZ 5.66 with a monitor in place may die of the adapter's leaving, or hang. Whoever looks after it starts it anew.
    if error != "there is no Bluetooth adapter":
        stop(state["daemon"], signal.SIGKILL)
        say(f"note {bed.label()}: bluetoothd {' '.join(options)} did not outlive the adapter")
    radio = state["radio"] = Controller()
    if state["daemon"].poll() is not None:
        bluetoothd(*options)
    hub.wait_open(seconds=10)
    radio.put(monitor(index, nonce, 1310))
    wait_for("readings flow", lambda: equal(voltage(hub, index), 13.1, "voltage") or True)
    radio.silence()


def an_adapter_is_pulled_and_returned():
    pull_and_return(300, 200, "-E")


def bluetoothd_is_restarted():
    hub, radio = state["hub"], state["radio"]
    stop(state["daemon"], signal.SIGKILL)
    wait_for("the source says so", lambda: says(hub, "bluetoothd is not running"))
    bluetoothd("-E")
    hub.wait_open(seconds=10)
    radio.put(monitor(300, 300, 1320))
    wait_for("readings flow", lambda: equal(voltage(hub, 300), 13.2, "voltage") or True)
    radio.silence()
    hub.end()
    wait_for("a hub that ended listens no more", lambda: not radio.scanning)


def without_experimental_it_discovers():
    """bluetoothd as Debian 12 starts it has no monitors; the hub asks for discovery with duplicates."""
    stop(state["daemon"])
    shutil.rmtree("/var/lib/bluetooth", ignore_errors=True)
    os.makedirs("/var/lib/bluetooth")
    bluetoothd()
    radio = state["radio"]
    del radio.scans[:]
    hub = state["hub"] = hub_with_keys("discovery", {victron.address_of(i): key_of(i).hex() for i in KNOWN})
    hub.wait_open(seconds=8)
    wait_for("the controller scans", lambda: radio.scanning)
    # Whatever the hub asks for, the kernel tells the controller to filter duplicates while it asks.
    expect(radio.scans[-1][0], "the scan does not ask")
    radio.put(monitor(400, 1, 1234, rssi=-77, kind=SCANNABLE, response=b"\x05\x09Roof"))
    wait_for("a reading", lambda: equal(voltage(hub, 400), 12.34, "voltage") or True)

    def named():
        one = next(h for h in hub.get("heard")["heard"] if victron.identity(h["address"]) == "c0ffee000190")
        equal((one["name"].split()[0], one["rssi_dbm"]), ("Roof", -77), "name and strength")
        return True
    wait_for("the name of the scan response", named)
    radio.silence()


def two_hundred_devices_at_once():
    """60 with keys, 140 without, and 30 foreign ones between: each is heard."""
    hub, radio = state["hub"], state["radio"]
    adverts = [monitor(i, 10, 1100 + i - 400, interval_s=2) for i in KNOWN]
    adverts += [monitor(i, 10, 1200, interval_s=2) for i in STRANGERS]
    foreign = [Advert(f"DE:AD:BE:EF:00:{i:02X}", manufacturer(0x0499, bytes([5, i])), interval_s=2) for i in range(30)]
    radio.put(*adverts, *foreign)

    def all_heard():
        shown = hub.values()
        missing = [i for i in KNOWN
                   if shown.get(victron.identity(victron.address_of(i)), {}).get("battery_voltage", {}).get("value")
                   != (1100 + i - 400) / 100]
        expect(not missing, f"{len(missing)} of {len(KNOWN)} not shown")
        heard = {victron.identity(one["address"]) for one in hub.get("heard")["heard"]}
        unheard = [i for i in STRANGERS if victron.identity(victron.address_of(i)) not in heard]
        expect(not unheard, f"{len(unheard)} strangers not heard")
        rejected = hub.source()["frames_rejected"]
        expect(rejected.get("no_key", 0) >= len(STRANGERS) and rejected.get("foreign", 0) >= 30, f"rejected: {rejected}")
        return True
    wait_for("all are heard", all_heard, 12)
    equal(hub.source()["frames_discarded"], {}, "lost")
    radio.silence()


def after_a_burst_the_next_value_is_right():
    """Fifty adverts of each of ten devices as fast as the host takes them. BlueZ joins changes of one device that come
    together, and the kernel drops what bluetoothd does not read in time; no more than that may come of it."""
    hub, radio = state["hub"], state["radio"]
    before = radio.reports
    adverts = [monitor(400 + device, 100 + step, 2000 + 100 * device + step) for step in range(50) for device in range(10)]
    sent = radio.burst(adverts)
    equal(sent, 500, "reports to the host")
    radio.put(*[monitor(400 + device, 200, 2000 + 100 * device + 50) for device in range(10)])
    for device in range(10):
        wait_for(f"the newest of {device}",
                 lambda d=device: equal(voltage(hub, 400 + d), (2000 + 100 * d + 50) / 100, "voltage") or True)
    radio.silence()
    say(f"note {bed.label()}: of {radio.reports - before} adverts in a burst BlueZ handed on "
        f"{sum(h['frames'] for h in hub.get('heard')['heard'] if victron.identity(h['address']) in burst_identities())}")
    equal(hub.source()["frames_discarded"], {}, "lost")


def a_controller_that_tells_of_a_device_once_does_not_stop_the_flow():
    """Some controllers filter duplicates by address alone. BlueZ begins its discovery anew every few seconds, and each
    time the newest value has to come."""
    hub, radio = state["hub"], state["radio"]
    radio.strict = True
    for step in range(2):
        radio.put(monitor(401, 500 + step, 2700 + step, interval_s=0.2))
        wait_for(f"value {step}", lambda s=step: equal(voltage(hub, 401), 27 + s / 100, "voltage") or True, 5)
    radio.strict = False
    radio.silence()


def an_adapter_is_pulled_while_discovering():
    pull_and_return(400, 1000)
    state["hub"].end()
    state["radio"].unplug()


def burst_identities():
    return {victron.identity(victron.address_of(400 + device)) for device in range(10)}


def btvirt_agrees():
    """A second opinion: two controllers of BlueZ's own emulator, a peer that advertises through bluetoothd."""
    stop(state["daemon"])
    wait_for("the controllers are gone", lambda: not glob.glob("/sys/class/bluetooth/hci*"))
    emulator = start(["btvirt", "-L", "-l2"], log="btvirt.log")
    wait_for("two controllers", lambda: len(glob.glob("/sys/class/bluetooth/hci*")) == 2)
    listener, talker = sorted(os.path.basename(path) for path in glob.glob("/sys/class/bluetooth/hci*"))
    bluetoothd("-E")
    hub = hub_with_keys("btvirt", {}, adapters=[listener])
    hub.wait_open(seconds=10)
    record = next(r for r in victron.records() if r["name"] == "solarsense-1")  # needs no key
    peer = start(["/usr/bin/python3", f"{bed.ROOT}/tests/vm/guest/advertiser.py", talker, str(victron.COMPANY),
                  record["advert_hex"]])

    def right():
        shown = hub.values()
        equal(len(shown), 1, "devices")
        victron.check_record(record, next(iter(shown.values())), victron.state_names(hub))
        return True
    wait_for("the advert is right in the API", right, 10)
    stop(peer)
    hub.end()
    stop(emulator)
    stop(state["daemon"])


TESTS = [the_bus_and_a_controller_are_there, every_record_type_is_heard_passively, changes_arrive_one_by_one,
         an_adapter_is_pulled_and_returned, bluetoothd_is_restarted, without_experimental_it_discovers,
         two_hundred_devices_at_once, after_a_burst_the_next_value_is_right,
         a_controller_that_tells_of_a_device_once_does_not_stop_the_flow, an_adapter_is_pulled_while_discovering, btvirt_agrees]
