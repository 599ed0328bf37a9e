"""ESP-NOW frames between monitor interfaces of simulated radios (air.py); then a hub and nodes on them (nodes_part.py)."""
import json

import nodes_part
from air import Radio, channel, group, radios_are_there
from bed import VECTORS, equal, expect, say, sh, wait_for

OWN = "02aa00000001"
BURST = 1000


def on_the_air():
    """The vectors that can be sent: whole, with a valid checksum, which the driver puts on."""
    with open(f"{VECTORS}/espnow/frames.json", encoding="utf-8") as file:
        for one in json.load(file)["frames"]:
            wanted = one["expect"]
            if wanted.get("reason") in ("capture-truncated", "bad-fcs", "radiotap-length", "radiotap-present-overrun"):
                continue
            if wanted.get("reason") == "not-an-action-frame" or one.get("optional"):
                continue
            frame = bytes.fromhex(one["hex"])[wanted["radiotap"]["len"]:]
            if wanted["radiotap"].get("fcs_present"):
                frame = frame[:-4]
            yield one["id"], wanted, frame


def vectors_cross_the_air():
    near, far = Radio(0, OWN), Radio(2)
    sent = list(on_the_air())
    for _, _, frame in sent:
        near.tell(f"raw {frame.hex()}")
    valid = [(name, wanted) for name, wanted, _ in sent if wanted["verdict"] == "espnow"]

    def heard():
        got = [one for one in far.lines() if one["verdict"] == "espnow"]
        equal(len(got), len(valid), "valid frames heard")
        for one, (name, wanted) in zip(got, valid):
            equal((one["sender"], one["receiver"], one["sequence"], one["retry"], one["body"]),
                  (wanted["addr2"].replace(":", ""), wanted["addr1"].replace(":", ""), wanted["seq"], wanted["retry"],
                   wanted["body_hex"]), name)
            equal((one["channel"], one["signal"] is not None), (6, True), f"{name}: channel, signal strength")
        return got
    got = wait_for("each valid vector", heard)
    expect(len(got) >= 35, f"{len(got)} vectors")
    reasons = {one["reason"] for one in far.lines() if one["verdict"] not in ("espnow",)}
    expect(reasons <= {wanted.get("reason") for _, wanted, _ in sent}, f"reasons: {reasons}")
    expect(not [one for one in near.lines() if one["sender"] == OWN], "its own frames came back through the filter")
    equal(far.end()[1], 0, "dropped")
    near.end()


def the_writer_reaches_every_radio_on_the_channel_and_no_other():
    radios = [Radio(0, OWN), Radio(1), Radio(2)]
    bodies = {size: bytes(i & 255 for i in range(size)).hex() for size in (1, 250, 251, 1470)}
    for size, body in bodies.items():
        radios[0].tell(f"send ffffffffffff {OWN} {1 if size <= 250 else 2} {body}")
    for radio in radios[1:]:
        wait_for("all sizes", lambda r=radio: equal(r.bodies(), list(bodies.values()), "bodies") or True)
    # Another channel: deaf. The same again: all is heard.
    for wanted, heard in ((1, False), (11, False), (6, True)):
        channel(2, wanted)
        mark = f"{wanted:02x}ab"
        radios[0].tell(f"send ffffffffffff {OWN} 1 {mark}")
        wait_for("the radio beside it hears", lambda m=mark: m in radios[1].bodies())
        if heard:
            wait_for("the one that came back hears", lambda m=mark: m in radios[2].bodies())
        else:
            expect(mark not in radios[2].bodies(), f"heard on channel {wanted}")
    # The sender follows: what a change of the access point's channel means.
    for number in (0, 2):
        channel(number, 11)
    radios[0].tell(f"send ffffffffffff {OWN} 1 c0de")
    wait_for("both moved", lambda: "c0de" in radios[2].bodies())
    channel(0, 6)
    channel(2, 6)
    equal(radios[0].lines(), [], "its own frames came back through the filter")
    for radio in radios:
        radio.end()


def a_link_is_cut_and_comes_back():
    near, far = Radio(0, OWN), Radio(2)
    for number, heard in ((2, False), (1, True)):
        group(number)
        mark = f"9{number}"
        witness = Radio(1)
        near.tell(f"send ffffffffffff {OWN} 1 {mark}")
        wait_for("the witness hears", lambda: mark in witness.bodies())
        if heard:
            wait_for("the link is back", lambda: mark in far.bodies())
        else:
            expect(mark not in far.bodies(), "heard over a cut link")
        witness.end()
    near.end()
    far.end()


def a_burst_is_whole_and_in_order():
    near, far = Radio(0, OWN), Radio(2)
    near.tell(*[f"send ffffffffffff {OWN} 1 {number:04x}{'5a' * 198}" for number in range(BURST)])
    wait_for("all", lambda: equal(len(far.bodies()), BURST, "frames") or True, 5)
    equal([int(body[:4], 16) for body in far.bodies()], list(range(BURST)), "order")
    captured, dropped = far.end()
    equal(dropped, 0, "dropped")
    say(f"note wifi: {captured} frames captured")
    near.end()


def an_interface_that_went_down_is_heard_again():
    near, far = Radio(0, OWN), Radio(1)
    sh("ip link set wlan1 down && ip link set wlan1 up && iw dev wlan1 set channel 6")
    near.tell(f"send ffffffffffff {OWN} 1 d0d0")
    wait_for("it hears again on the same socket", lambda: "d0d0" in far.bodies())
    near.end()
    far.end()


TESTS = [radios_are_there, vectors_cross_the_air, the_writer_reaches_every_radio_on_the_channel_and_no_other,
         a_link_is_cut_and_comes_back, a_burst_is_whole_and_in_order, an_interface_that_went_down_is_heard_again, *nodes_part.TESTS]
