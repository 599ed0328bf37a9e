#!/usr/bin/env python3
"""Writes the golden vectors of the node link, tests/vectors/link/*.json, from docs/formats/link.md.

An implementation of its own on top of the Python package `cryptography`: it shares no code with protocols/link, so that
a mistake would have to be made twice. Run it only when the format changes; its output is checked in.
"""

import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OUT = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "link"
UP, DOWN = 0, 1
NODE = bytes.fromhex("02bb00000001")
HUB = bytes.fromhex("02aa00000001")
KEY = hashlib.sha256(b"key of the link vectors").digest()
SEALED, SLEEPY = 0x10, 0x20
TYPES = {
    "hello": 0x01, "offer": 0x02, "refuse": 0x03, "join": 0x04, "accept": 0x05, "resume": 0x06, "resumed": 0x07,
    "resume_wanted": 0x08, "data": 0x10, "ack": 0x11, "command": 0x12, "result": 0x13, "describe": 0x14,
    "description": 0x15, "blob_offer": 0x16, "blob_request": 0x17, "blob_block": 0x18, "blob_status": 0x19,
}
CLEAR = ("hello", "offer", "refuse")


def sample(label, size):
    """Bytes that look random and are always the same."""
    return hashlib.shake_128(label.encode()).digest(size)


def header(kind, flags=0, network=10, node=3, session=0x11223344, counter=7, mark=0x4C56, version=1):
    return struct.pack("<HBBHHII", mark, version | flags, kind, network, node, session, counter)


def seal(head, direction, body, clear=b"", key=KEY, sender=None, receiver=None):
    sender = sender or (NODE if direction == UP else HUB)
    receiver = receiver or (HUB if direction == UP else NODE)
    nonce = bytes([direction, 0, 0, 0]) + head[8:16]
    return head + clear + ChaCha20Poly1305(key).encrypt(nonce, body, head + sender + receiver + clear)


def hkdf_expand(key, info, size):
    out, block, number = b"", b"", 1
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([number]), hashlib.sha256).digest()
        out += block
        number += 1
    return out[:size]


def item(index, kind, value, status=0):
    forms = {1: "<b", 2: "<h", 3: "<i", 4: "<q", 5: "<f", 7: "<B"}
    head = bytes([index, status << 4 | kind])
    if kind == 0:
        return head
    if kind == 6:
        return head + bytes([len(value)]) + value
    return head + struct.pack(forms[kind], value)


def item_json(index, kind, value, status=0):
    return {"index": index, "type": kind, "status": status, "value": value.hex() if kind == 6 else value}


INFO = {"firmware": 0x00010203, "description_hash": 0xCAFEBABE, "configuration": 4, "epoch": 0x01020304,
        "hardware": 0xC3, "capabilities": 5, "channel": 6, "name": "greenhouse"}


def info_bytes(info):
    name = info["name"].encode()
    return struct.pack("<IIIIIHBB", info["firmware"], info["description_hash"], info["configuration"], info["epoch"],
                       info["hardware"], info["capabilities"], info["channel"], len(name)) + name


def manifest(kind, digest, signature, version=9, size=1000, target=0xC3):
    return struct.pack("<BIII", kind, target, version, size) + digest + signature


def bodies():
    """name, type, direction, body, what it says"""
    commit, cookie, hub_key = sample("commit", 16), sample("cookie", 16), sample("hub key", 32)
    node_random, hub_random, tag = sample("node random", 16), sample("hub random", 16), sample("tag", 16)
    yield "hello", "hello", UP, commit + struct.pack("<I", 0xA1B2C3D4) + info_bytes(INFO), {
        "commit": commit.hex(), "secret_id": 0xA1B2C3D4, "info": INFO}
    yield "hello-without-name", "hello", UP, commit + bytes(4) + info_bytes({**INFO, "name": ""}), {
        "commit": commit.hex(), "secret_id": 0, "info": {**INFO, "name": ""}}
    for mode in (1, 2):
        yield f"offer-mode-{mode}", "offer", DOWN, cookie + hub_key + HUB + bytes([6, mode]) + commit, {
            "cookie": cookie.hex(), "hub_key": hub_key.hex(), "hub_address": HUB.hex(), "channel": 6, "mode": mode,
            "commit": commit.hex()}
    for reason in range(1, 8):
        yield f"refuse-{reason}", "refuse", DOWN, bytes([reason, 6]), {"reason": reason, "channel": 6}
    for result in (0, 1):
        yield f"accept-{result}", "accept", DOWN, struct.pack("<BHB", result, 3, 6), {
            "result": result, "node": 3, "channel": 6}
    yield "resume", "resume", UP, node_random + info_bytes(INFO), {"node_random": node_random.hex(), "info": INFO}
    yield "resumed", "resumed", DOWN, node_random + hub_random + HUB + struct.pack("<IBI", 0x55667788, 6, 41), {
        "node_random": node_random.hex(), "hub_random": hub_random.hex(), "hub_address": HUB.hex(),
        "session": 0x55667788, "channel": 6, "received": 41}
    yield "resume-wanted", "resume_wanted", DOWN, tag + b"\x01", {"tag": tag.hex(), "reason": 1}
    values = [(0, 7, 1), (1, 2, -1206), (2, 3, 70000), (3, 4, -(1 << 40)), (4, 5, 21.5), (5, 0, None, 3),
              (6, 1, -5, 1), (7, 6, bytes.fromhex("0102ff"))]
    yield "data-all-types", "data", UP, struct.pack("<II", 42, 1500) + b"".join(item(*v) for v in values), {
        "sequence": 42, "age_ms": 1500, "items": [item_json(*v) for v in values]}
    yield "data-poll", "data", UP, bytes(8), {"sequence": 0, "age_ms": 0, "items": []}
    full = (1, 6, bytes(range(207)))
    yield "data-full", "data", UP, struct.pack("<II", 43, 0xFFFFFFFF) + item(*full), {
        "sequence": 43, "age_ms": 0xFFFFFFFF, "items": [item_json(*full)]}
    time_ms = 1795282638123
    ack = struct.pack("<III", 7, 42, 40) + time_ms.to_bytes(6, "little")
    for result in (0, 1, 2):
        yield f"ack-{result}", "ack", DOWN, ack + bytes([result, 1, 6, 2]), {
            "counter": 7, "sequence": 42, "kept": 40, "time_ms": time_ms, "result": result, "flags": 1, "channel": 6,
            "waiting": 2}
    yield "command", "command", DOWN, struct.pack("<I", 1795282638) + item(5, 2, 2150), {
        "version": 1795282638, "item": item_json(5, 2, 2150)}
    yield "command-restart", "command", DOWN, struct.pack("<I", 8) + item(0xF1, 0, None), {
        "version": 8, "item": item_json(0xF1, 0, None)}
    for outcome in range(4):
        yield f"result-{outcome}", "result", UP, struct.pack("<IB", 1795282638, outcome) + item(5, 2, 2100), {
            "version": 1795282638, "outcome": outcome, "item": item_json(5, 2, 2100)}
    yield "describe", "describe", DOWN, b"\x02", {"chunk": 2}
    text = sample("description", 200)
    yield "description", "description", UP, struct.pack("<IBB", 0xCAFEBABE, 2, 4) + text, {
        "hash": 0xCAFEBABE, "chunk": 2, "count": 4, "bytes": text.hex()}
    digest, signature = sample("digest", 32), sample("signature", 64)
    for kind in (1, 2):
        yield f"blob-offer-{kind}", "blob_offer", DOWN, manifest(kind, digest, signature), {
            "kind": kind, "target": 0xC3, "version": 9, "size": 1000, "digest": digest.hex(),
            "signature": signature.hex()}
    yield "blob-request", "blob_request", UP, struct.pack("<BIHI", 1, 9, 32, 0x80000001), {
        "kind": 1, "version": 9, "first": 32, "wanted": 0x80000001}
    block = sample("block", 192)
    yield "blob-block", "blob_block", DOWN, struct.pack("<BIH", 1, 9, 33) + block, {
        "kind": 1, "version": 9, "block": 33, "bytes": block.hex()}
    for result in range(7):
        yield f"blob-status-{result}", "blob_status", UP, struct.pack("<BIB", 1, 9, result), {
            "kind": 1, "version": 9, "result": result}


def case(name, kind, direction, frame, verdict, says=None, clear_size=0, **more):
    out = {"name": name, "type": kind, "direction": "up" if direction == UP else "down", "frame": frame.hex(),
           "verdict": verdict}
    if clear_size:
        out["clear_size"] = clear_size
    if says is not None:
        out["body"] = says
    out.update(more)
    return out


def messages():
    cases = []
    for name, kind, direction, body, says in bodies():
        if kind in CLEAR:
            frame = header(TYPES[kind], 0, 10, 0, 0, 0) + body
        else:
            flags = SEALED | (SLEEPY if direction == UP and kind == "data" else 0)
            frame = seal(header(TYPES[kind], flags), direction, body)
        assert len(frame) <= 250, name
        cases.append(case(name, kind, direction, frame, "ok", says))
    head = sample("node key", 32) + sample("node random", 16) + sample("cookie", 16)
    frame = seal(header(0x04, SEALED, 10, 0, 0xA1B2C3D4, 0), UP, info_bytes(INFO), head)
    cases.append(case("join", "join", UP, frame, "ok", INFO, 64, head={
        "node_key": head[:32].hex(), "node_random": head[32:48].hex(), "cookie": head[48:].hex()}))
    return cases


def bad_messages():
    data = struct.pack("<II", 42, 1500) + item(1, 2, -1206)
    good = seal(header(0x10, SEALED), UP, data)
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    clear_head = bytearray(seal(header(0x04, SEALED, 10, 0, 0, 0), UP, info_bytes(INFO), sample("head", 64)))
    clear_head[20] ^= 1

    def sealed(name, kind, direction, body, verdict="body"):
        return case(name, kind, direction, seal(header(TYPES[kind], SEALED), direction, body), verdict)

    def clear(name, kind, direction, body):
        return case(name, kind, direction, header(TYPES[kind], 0, 10, 0, 0, 0) + body, "body")

    hello = sample("commit", 16) + bytes(4)
    offer = sample("cookie", 16) + sample("hub key", 32) + HUB
    return [
        case("empty", "data", UP, b"", "short"),
        case("half-a-header", "data", UP, good[:15], "short"),
        case("sealed-without-a-tag", "data", UP, good[:31], "short"),
        case("another-mark", "data", UP, b"XL" + good[2:], "magic"),
        case("version-2", "data", UP, seal(header(0x10, SEALED, version=2), UP, data), "version"),
        case("version-0", "data", UP, seal(header(0x10, SEALED, version=0), UP, data), "version"),
        case("one-byte-too-long", "data", UP,
             seal(header(0x10, SEALED), UP, struct.pack("<II", 1, 0) + item(1, 6, bytes(208))), "long"),
        case("unknown-flag", "data", UP, seal(header(0x10, SEALED | 0x40), UP, data), "flags"),
        case("data-not-sealed", "data", UP, header(0x10) + data + bytes(16), "flags"),
        case("hello-sealed", "hello", UP, seal(header(0x01, SEALED), UP, hello + info_bytes(INFO)), "flags"),
        case("unknown-type-0", "data", UP, seal(header(0x00, SEALED), UP, data), "type"),
        case("unknown-type-1a", "data", UP, seal(header(0x1A, SEALED), UP, data), "type"),
        case("tag-flipped", "data", UP, flipped, "tag"),
        case("body-cut", "data", UP, good[:-1], "tag"),
        case("other-direction", "data", UP, seal(header(0x10, SEALED), DOWN, data, sender=NODE, receiver=HUB), "tag"),
        case("other-sender", "data", UP, seal(header(0x10, SEALED), UP, data, sender=bytes.fromhex("02bb00000002")),
             "tag"),
        case("other-receiver", "data", UP,
             seal(header(0x10, SEALED), UP, data, receiver=bytes.fromhex("02aa00000002")), "tag"),
        case("other-key", "data", UP, seal(header(0x10, SEALED), UP, data, key=bytes(32)), "tag"),
        case("other-counter", "data", UP, header(0x10, SEALED, counter=8) + good[16:], "tag"),
        case("other-node", "data", UP, header(0x10, SEALED, node=4) + good[16:], "tag"),
        case("other-network", "data", UP, header(0x10, SEALED, network=11) + good[16:], "tag"),
        case("sleepy-added", "data", UP, header(0x10, SEALED | SLEEPY) + good[16:], "tag"),
        case("join-head-changed", "join", UP, bytes(clear_head), "tag", clear_size=64),
        sealed("data-without-head", "data", UP, data[:7]),
        sealed("item-cut", "data", UP, data[:-1]),
        sealed("item-of-one-byte", "data", UP, data[:9]),
        sealed("bytes-longer-than-the-list", "data", UP, data[:8] + b"\x01\x06\x05abc"),
        sealed("unknown-value-type", "data", UP, data[:8] + b"\x01\x08\x00"),
        sealed("unknown-status", "data", UP, data[:8] + b"\x01\x41\x00"),
        sealed("ack-short", "ack", DOWN, bytes(21)),
        sealed("ack-long", "ack", DOWN, bytes(23)),
        sealed("ack-unknown-result", "ack", DOWN, bytes(18) + b"\x03\x00\x06\x00"),
        sealed("command-without-item", "command", DOWN, bytes(4)),
        sealed("command-two-items", "command", DOWN, bytes(4) + item(5, 2, 1) + item(6, 2, 1)),
        sealed("command-bytes", "command", DOWN, bytes(4) + item(5, 6, b"x")),
        sealed("result-unknown-outcome", "result", UP, bytes(4) + b"\x04" + item(5, 2, 1)),
        sealed("description-chunk-behind-the-last", "description", UP, bytes(4) + b"\x02\x02x"),
        sealed("description-too-long", "description", UP, bytes(4) + b"\x00\x01" + bytes(201)),
        sealed("blob-of-nothing", "blob_offer", DOWN, manifest(1, bytes(32), bytes(64), size=0)),
        sealed("blob-too-big", "blob_offer", DOWN, manifest(1, bytes(32), bytes(64), size=65535 * 192 + 1)),
        sealed("blob-unknown-kind", "blob_offer", DOWN, manifest(3, bytes(32), bytes(64))),
        sealed("block-empty", "blob_block", DOWN, struct.pack("<BIH", 1, 9, 33)),
        sealed("block-too-long", "blob_block", DOWN, struct.pack("<BIH", 1, 9, 33) + bytes(193)),
        sealed("status-unknown", "blob_status", UP, struct.pack("<BIB", 1, 9, 7)),
        sealed("resumed-without-session", "resumed", DOWN, bytes(38) + bytes(4) + bytes(5)),
        sealed("accept-unknown-result", "accept", DOWN, b"\x02\x03\x00\x06"),
        clear("hello-name-cut", "hello", UP, hello + info_bytes(INFO)[:-1]),
        clear("hello-name-too-long", "hello", UP, hello + info_bytes({**INFO, "name": "n" * 25})),
        clear("offer-unknown-mode", "offer", DOWN, offer + b"\x06\x03" + sample("commit", 16)),
        clear("offer-cut", "offer", DOWN, offer + b"\x06\x01" + sample("commit", 15)),
        clear("refuse-unknown-reason", "refuse", DOWN, b"\x08\x06"),
    ]


def joining():
    cases = []
    for name, secret in (("by-secret", sample("secret", 16)), ("by-window", bytes(16))):
        node_private = X25519PrivateKey.from_private_bytes(sample(name + " node", 32))
        hub_private = X25519PrivateKey.from_private_bytes(sample(name + " hub", 32))
        node_key = node_private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        hub_key = hub_private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        node_random, cookie = sample(name + " random", 16), sample(name + " cookie", 16)
        shared = node_private.exchange(X25519PublicKey.from_public_bytes(hub_key))
        salt = hashlib.sha256(b"vesta link join" + struct.pack("<H", 10) + NODE + HUB + cookie + node_key + hub_key +
                              node_random).digest()
        root = hmac.new(salt, shared + secret, hashlib.sha256).digest()
        cases.append({
            "name": name, "network": 10, "node": NODE.hex(), "hub": HUB.hex(),
            "node_private": sample(name + " node", 32).hex(), "hub_private": sample(name + " hub", 32).hex(),
            "node_random": node_random.hex(), "cookie": cookie.hex(), "secret": secret.hex(),
            "expect": {
                "node_key": node_key.hex(), "hub_key": hub_key.hex(),
                "commit": hashlib.sha256(b"vesta link commit" + node_key + node_random).digest()[:16].hex(),
                "secret_id": struct.unpack("<I", hashlib.sha256(b"vesta link secret id" + secret).digest()[:4])[0],
                "root": root.hex(), "join": hkdf_expand(root, b"join", 32).hex(),
                "pair": hkdf_expand(root, b"pair", 32).hex(),
                "code": struct.unpack("<I", hkdf_expand(root, b"code", 4))[0] % 1000000,
                "session": hkdf_expand(root, b"session" + struct.pack("<I", 0x11223344), 32).hex(),
            }})
    return cases


def resuming():
    pair, node_random, hub_random = sample("pair", 32), sample("node random", 16), sample("hub random", 16)
    text = b"session" + node_random + hub_random + struct.pack("<I", 0x55667788)
    return [{"name": "resume", "pair": pair.hex(), "node_random": node_random.hex(), "hub_random": hub_random.hex(),
             "session": 0x55667788,
             "expect": {"resume": hmac.new(pair, b"resume", hashlib.sha256).hexdigest(),
                        "session": hmac.new(pair, text, hashlib.sha256).hexdigest()}}]


def signing():
    private = ec.derive_private_key(int.from_bytes(sample("signer", 32), "big") >> 1, ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    image = sample("image", 1000)
    unsigned = manifest(1, hashlib.sha256(image).digest(), b"")
    digest = hashlib.sha256(b"vesta link blob" + unsigned).digest()
    # The same each time, so that writing the vectors again changes nothing.
    der = private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True))
    r, s = utils.decode_dss_signature(der)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    other = bytearray(unsigned)
    other[5] ^= 1  # the version
    return [
        {"name": "good", "signer": point.hex(), "manifest": (unsigned + signature).hex(), "digest": digest.hex(),
         "valid": True},
        {"name": "changed-version", "signer": point.hex(), "manifest": (bytes(other) + signature).hex(),
         "valid": False},
        {"name": "changed-signature", "signer": point.hex(),
         "manifest": (unsigned + signature[:-1] + bytes([signature[-1] ^ 1])).hex(), "valid": False},
        {"name": "no-signature", "signer": point.hex(), "manifest": (unsigned + bytes(64)).hex(), "valid": False},
    ]


def window():
    """Counters as they come and whether each is taken: rising, overtaking, repeated, too old."""
    counters = [1, 2, 2, 5, 3, 4, 3, 0, 70, 6, 7, 70, 69, 134, 70, 71, 200, 136, 137, 0x7FFFFFFF, 200]
    highest, seen, out = 0, set(), []
    for c in counters:
        taken = c != 0 and c not in seen and (c > highest or highest - c < 64)
        if taken:
            seen.add(c)
            highest = max(highest, c)
        out.append({"counter": c, "taken": taken})
    return out


def write(name, content):
    (OUT / name).write_text(json.dumps({"schema": "vesta-link/1", **content}, indent=1) + "\n", encoding="utf-8")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    common = {"key": KEY.hex(), "node": NODE.hex(), "hub": HUB.hex()}
    write("messages.json", {**common, "messages": messages()})
    write("bad-messages.json", {**common, "messages": bad_messages()})
    write("keys.json", {"joining": joining(), "resuming": resuming(), "signing": signing(), "window": window()})


if __name__ == "__main__":
    main()
