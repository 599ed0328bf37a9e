"""A real USB serial port: dummy_hcd is the host controller, g_serial the meter's plug. systemd-udevd of the host makes the
names under /dev/serial/by-id, with Debian's own rules."""
import glob
import os
import subprocess
import termios
import tty

import bed
from bed import Hub, equal, expect, sh, start, wait_for

PLUG = "g_serial iManufacturer=Vesta iProduct=P1_cable iSerialNumber=4711"
NAME = "/dev/serial/by-id/usb-Vesta_P1_cable_4711-if00"
RULES = "/usr/lib/udev/rules.d"

state = {}


def telegrams(count, first):
    """Whole telegrams as the simulated meter prints them; each run of this goes on where the last ended."""
    minute, second = divmod(first, 60)
    begin = f"2026-11-01T10:{minute:02}:{second:02}Z"
    text = subprocess.run([bed.program(), "simulate", "p1", "--kind", "dsmr5-three-phase", "--stdout", "--count", str(count),
                           "--start", begin], capture_output=True, check=True, timeout=10 * bed.SCALE).stdout
    parts = [b"/" + part for part in text.split(b"/") if part.strip()]
    equal(len(parts), count, "telegrams of the simulator")
    return parts


def cable(is_in):
    """The socket loses or gets its power: both ends see what a cable that is pulled makes them see, and the meter goes
    on."""
    [path] = glob.glob("/sys/bus/usb/devices/*:1.0/usb*-port1/disable")
    with open(path, "w", encoding="utf-8") as file:
        file.write("0" if is_in else "1")


def meter_port():
    port = os.open("/dev/ttyGS0", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    return port


def say_all(port, data):
    while data:
        data = data[os.write(port, data):]
    termios.tcdrain(port)


def accepted():
    return state["hub"].source()["frames_accepted"]


def flows(count):
    """So many telegrams more, and each is accepted."""
    before = accepted()
    port = meter_port()
    try:
        for telegram in telegrams(count, state.setdefault("second", 0)):
            say_all(port, telegram)
        state["second"] += count
        wait_for(f"{count} telegrams", lambda: equal(accepted() - before, count, "accepted") or True, 5)
    finally:
        os.close(port)


def a_usb_port_gets_its_stable_name():
    # Of udev's rules only those that serial ports need: the others would look at every device of the guest.
    os.makedirs("rules", exist_ok=True)
    for rule in ["50-udev-default.rules", "60-serial.rules"]:
        sh(f"cp {RULES}/{rule} rules/")
    sh(f"mount --bind {os.path.abspath('rules')} {RULES}")
    start(["/usr/lib/systemd/systemd-udevd"], log="udevd.log")
    wait_for("udevd", lambda: os.path.exists("/run/udev/control"))
    for module in ["cdc-acm", "dummy_hcd", PLUG]:
        sh(f"modprobe {module}")
    wait_for("the port by its stable name", lambda: os.path.exists(NAME), 5)
    equal(os.path.realpath(NAME), "/dev/ttyACM0", "port")


def telegrams_flow():
    state["hub"] = Hub("meter", [{"name": "meter", "type": "serial", "protocol": "p1", "port": NAME}])
    state["hub"].wait_open()
    flows(5)
    values = next(iter(state["hub"].values().values()))
    expect("power_import" in values and values["power_import"]["quality"] == "ok", f"values: {sorted(values)}")


def the_cable_is_pulled_and_put_back():
    """In the middle of a telegram; and the port comes back under another number, since somebody still holds the old
    one."""
    hub = state["hub"]
    before = hub.source()
    holder = os.open("/dev/ttyACM0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    port = meter_port()
    half = telegrams(1, state["second"])[0][:300]
    say_all(port, half)
    wait_for("half a telegram", lambda: hub.source()["bytes"] >= before["bytes"] + len(half))
    cable(False)
    wait_for("the port is gone", lambda: not os.path.exists(NAME))
    wait_for("the source says so", lambda: hub.source()["state"] == "waiting")
    equal(hub.source()["frames_accepted"], before["frames_accepted"], "half a telegram is none")
    os.close(port)
    cable(True)
    wait_for("the port by its stable name", lambda: os.path.exists(NAME), 5)
    equal(os.path.realpath(NAME), "/dev/ttyACM1", "port")
    hub.wait_open(seconds=8)
    os.close(holder)
    flows(5)


def the_kernel_takes_the_port_away():
    """As a power switch of a USB hub does it, twice."""
    hub = state["hub"]
    authorized = next(path for path in glob.glob("/sys/bus/usb/devices/*/authorized")
                      if os.path.exists(path.replace("authorized", "serial"))
                      and open(path.replace("authorized", "serial"), encoding="utf-8").read().strip() == "4711")  # noqa: SIM115
    for _ in range(2):
        sh(f"echo 0 > {authorized}")
        wait_for("the source says so", lambda: hub.source()["state"] == "waiting")
        wait_for("the name is gone", lambda: not glob.glob("/dev/serial/by-id/*"))
        sh(f"echo 1 > {authorized}")
        hub.wait_open(seconds=8)
        flows(2)


def counters_are_true():
    source = state["hub"].source()
    equal(source["frames_accepted"], state["second"], "telegrams accepted")
    equal(source["frames_rejected"], {}, "rejected")
    state["hub"].end()


TESTS = [a_usb_port_gets_its_stable_name, telegrams_flow, the_cable_is_pulled_and_put_back,
         the_kernel_takes_the_port_away, counters_are_true]
