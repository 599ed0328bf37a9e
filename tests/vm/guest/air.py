"""Simulated Wi-Fi radios (mac80211_hwsim) as monitor interfaces, and ESP-NOW frames on them through the product's own
filter, reader and writer (tests/vm/espnow_radio.cc). Radio 2 lives in a network namespace of its own, as a node would."""
import glob
import json
import os
import subprocess

import bed
from bed import sh, start, wait_for

RADIOS = 3

state = {}


def in_space(number):
    return ["ip", "netns", "exec", "node"] if number == 2 else []


class Radio:
    def __init__(self, number, *options):
        self.log = f"radio{number}-{len(state)}.jsonl"
        state[self.log] = self
        with open(self.log, "wb") as output:
            self.child = start([*in_space(number), os.environ["VESTA_RADIO"], f"wlan{number}", *options], stdout=output,
                               stdin=subprocess.PIPE, log="radio.log")
        wait_for(f"radio {number}", lambda: self.lines("open"))

    def tell(self, *lines):
        self.child.stdin.write(("\n".join(lines) + "\n").encode())
        self.child.stdin.flush()

    def lines(self, key="verdict"):
        with open(self.log, encoding="utf-8") as file:
            return [one for one in map(json.loads, (line for line in file if line.endswith("\n"))) if key in one]

    def bodies(self):
        return [one["body"] for one in self.lines() if one["verdict"] == "espnow" and not one["sent"]]

    def end(self):
        """(captured, dropped) as the kernel counted."""
        self.tell("end")
        counts = wait_for("the radio's counts", lambda: self.lines("captured"))[0]
        self.child.stdin.close()
        self.child.wait(5 * bed.SCALE)
        return counts["captured"], counts["dropped"]


def channel(number, wanted):
    sh(" ".join(in_space(number)) + f" iw dev wlan{number} set channel {wanted}")


def group(number):
    """Of radio 2: those in another group hear and are heard by nobody, and no interface goes down."""
    with open(state["group"], "w", encoding="utf-8") as file:
        file.write(str(number))


def radios_are_there():
    # Two channels or more make the radios' channels count; with one, radios on different channels hear each other.
    sh(f"modprobe mac80211_hwsim radios={RADIOS} channels=2")
    wait_for("the radios", lambda: os.path.exists(f"/sys/class/net/wlan{RADIOS - 1}"))
    sh("ip netns add node")
    physical = os.path.basename(os.readlink("/sys/class/net/wlan2/phy80211"))
    state["group"] = glob.glob(f"/sys/kernel/debug/ieee80211/{physical}/hwsim/group")[0]
    sh(f"iw phy {physical} set netns name node")
    for number in range(RADIOS):
        space = " ".join(in_space(number))
        sh(f"{space} ip link set wlan{number} down; {space} iw dev wlan{number} set type monitor && "
           f"{space} ip link set wlan{number} mtu 2304 up && {space} iw dev wlan{number} set channel 6")
