"""A Bluetooth LE controller on /dev/vhci whose air the test writes: any address, RSSI, payload and interval.

The kernel and bluetoothd see a real hciN. It scans, and does nothing else: no connections, no advertising of its own,
legacy adverts only. Facts: Bluetooth Core Specification, volume 4, part E (HCI commands and events).
"""
import os
import select
import struct
import threading
import time

COMMAND, EVENT, VENDOR = 0x01, 0x04, 0xFF
COMMAND_COMPLETE, COMMAND_STATUS, LE_META = 0x0E, 0x0F, 0x3E
SUCCESS, COMMAND_DISALLOWED = 0x00, 0x0C

RESET = 0x0C03
READ_VERSION, READ_COMMANDS, READ_FEATURES, READ_BUFFER_SIZE, READ_ADDRESS = 0x1001, 0x1002, 0x1003, 0x1005, 0x1009
LE_BUFFER_SIZE, LE_FEATURES, LE_TX_POWER, LE_SCAN_PARAMETERS, LE_SCAN_ENABLE = 0x2002, 0x2003, 0x2007, 0x200B, 0x200C
LE_CREATE_CONNECTION, LE_FILTER_LIST_SIZE, LE_RANDOM, LE_STATES, LE_RESOLVING_SIZE = 0x200D, 0x200F, 0x2018, 0x201C, 0x202A
DISCONNECT = 0x0406

# (octet, bit) of the commands that there are, as Read Local Supported Commands tells them.
SUPPORTED = [(5, 6), (5, 7), (14, 3), (14, 5), (14, 7), (15, 1), (25, 0), (25, 1), (25, 2), (25, 4), (25, 5), (25, 6),
             (25, 7), (26, 0), (26, 1), (26, 2), (26, 3), (26, 6), (26, 7), (27, 0), (27, 1), (27, 7), (28, 3)]

CONNECTABLE, SCANNABLE, NOT_CONNECTABLE, SCAN_RESPONSE = 0, 2, 3, 4


def backwards(address):
    return bytes.fromhex(address.replace(":", ""))[::-1]


def manufacturer(company, data):
    """An advertising element."""
    return bytes([len(data) + 3, 0xFF]) + struct.pack("<H", company) + data


class Advert:
    def __init__(self, address, data, rssi=-60, random=False, interval_s=1.0, kind=NOT_CONNECTABLE, response=b""):
        self.address = address
        self.data = data
        self.rssi = rssi
        self.random = random
        self.interval_s = interval_s
        self.kind = kind
        self.response = response
        self.due = 0.0

    def report(self, kind=None, data=None):
        data = self.data if data is None else data
        kind = self.kind if kind is None else kind
        return (bytes([2, 1, kind, int(self.random)]) + backwards(self.address) + bytes([len(data)]) + data
                + struct.pack("b", self.rssi))


class Controller(threading.Thread):
    def __init__(self, address="00:1A:7D:DA:71:13"):
        super().__init__(daemon=True)
        self.address = address
        self.device = os.open("/dev/vhci", os.O_RDWR)
        os.write(self.device, bytes([VENDOR, 0]))
        answer = os.read(self.device, 16)
        self.name = f"hci{struct.unpack_from('<H', answer, 2)[0]}"
        self._adverts = {}
        self._lock = threading.Lock()
        self._seen = set()  # what the filter of duplicates has let through
        self._wake = os.pipe()
        self._ended = False
        self.scanning = False
        self.active = False
        self.filters = False
        self.strict = False  # filters by address alone, whatever a device says
        self.scans = []  # (active, filters duplicates), each time that a scan began
        self.reports = 0  # handed to the host
        self.start()

    # The test's side.
    def put(self, *adverts):
        """On the air from now on; one that has the address of another replaces it."""
        with self._lock:
            for advert in adverts:
                self._adverts[advert.address] = advert
        os.write(self._wake[1], b".")

    def remove(self, *addresses):
        with self._lock:
            for address in addresses:
                self._adverts.pop(address, None)

    def silence(self):
        with self._lock:
            self._adverts.clear()

    def burst(self, adverts):
        """Each once, as fast as the host takes them; how many went out."""
        with self._lock:
            return sum(self._air(advert) for advert in adverts)

    def unplug(self):
        self._ended = True
        os.write(self._wake[1], b".")
        self.join()
        os.close(self.device)

    # The host's side.
    def run(self):
        while not self._ended:
            with self._lock:
                now = time.monotonic()
                for advert in self._adverts.values():
                    if advert.due <= now:
                        self._air(advert)
                        advert.due = now + advert.interval_s
                due = min((advert.due for advert in self._adverts.values()), default=now + 60)
            ready, _, _ = select.select([self.device, self._wake[0]], [], [], max(0.0, due - time.monotonic()))
            if self._wake[0] in ready:
                os.read(self._wake[0], 4096)
            if self.device in ready:
                packet = os.read(self.device, 4096)
                if packet[0] == COMMAND:
                    code, size = struct.unpack_from("<HB", packet, 1)
                    self._command(code, packet[4:4 + size])

    def _air(self, advert):
        if not self.scanning:
            return 0
        key = advert.address if self.strict else (advert.address, advert.data)
        if self.filters and key in self._seen:
            return 0
        self._seen.add(key)
        self._event(LE_META, advert.report())
        if self.active and advert.response and advert.kind in (CONNECTABLE, SCANNABLE):
            self._event(LE_META, advert.report(SCAN_RESPONSE, advert.response))
        self.reports += 1
        return 1

    def _event(self, code, content):
        os.write(self.device, bytes([EVENT, code, len(content)]) + content)

    def _command(self, code, parameters):
        if code in (LE_CREATE_CONNECTION, DISCONNECT):
            return self._event(COMMAND_STATUS, struct.pack("<BBH", COMMAND_DISALLOWED, 1, code))
        if code == RESET:
            self.scanning = False
        elif code == LE_SCAN_PARAMETERS:
            self.active = parameters[0] == 1
        elif code == LE_SCAN_ENABLE:
            self.filters = parameters[1] == 1
            self._seen.clear()
            if parameters[0] and not self.scanning:
                self.scans.append((self.active, self.filters))
            self.scanning = parameters[0] == 1
        return self._event(COMMAND_COMPLETE, struct.pack("<BH", 1, code) + self._answer(code))

    def _answer(self, code):
        commands = bytearray(64)
        for octet, bit in SUPPORTED:
            commands[octet] |= 1 << bit
        answers = {
            READ_VERSION: struct.pack("<BHBHH", 9, 0, 9, 0xFFFF, 0),  # 5.0, of no maker
            READ_COMMANDS: bytes(commands),
            READ_FEATURES: bytes([0, 0, 0, 0, 0x60, 0, 0, 0]),  # LE, and nothing else
            READ_BUFFER_SIZE: struct.pack("<HBHH", 0, 0, 0, 0),
            READ_ADDRESS: backwards(self.address),
            LE_BUFFER_SIZE: struct.pack("<HB", 251, 8),
            LE_FEATURES: bytes(8),
            LE_TX_POWER: b"\x04",
            LE_FILTER_LIST_SIZE: b"\x08",
            LE_RANDOM: os.urandom(8),
            LE_STATES: b"\xff\xff\xff\xff\xff\x03\x00\x00",
            LE_RESOLVING_SIZE: b"\x08",
        }
        return bytes([SUCCESS]) + answers.get(code, b"")
