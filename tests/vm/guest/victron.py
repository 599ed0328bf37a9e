"""The vectors of tests/vectors/victron as adverts, and what the API has to show of each. New adverts are encrypted with
the kernel's own cipher, so nothing of the hub's code takes part."""
import json
import socket
import struct

from bed import VECTORS, equal, expect

COMPANY = 0x02E1
BATTERY_MONITOR = 2

# Names in the vectors that the hub calls otherwise, for a type of record.
RENAMED = {
    (0x00, "temperature"): "device_temperature", (0x02, "temperature"): "battery_temperature",
    (0x03, "ac_current"): "ac_out_current", (0x03, "ac_voltage"): "ac_out_voltage",
    (0x03, "ac_apparent_power"): "ac_out_apparent_power", (0x08, "temperature"): "battery_temperature",
    (0x08, "ac_current"): "ac_in_current", (0x08, "output1_voltage"): "battery_voltage",
    (0x08, "output1_current"): "battery_current", (0x08, "output2_voltage"): "output_2_voltage",
    (0x08, "output2_current"): "output_2_current", (0x08, "output3_voltage"): "output_3_voltage",
    (0x08, "output3_current"): "output_3_current", (0x09, "device_state"): "protect_state",
    (0x09, "error_code"): "charger_error", (0x0C, "alarm"): "vebus_alarm",
    (0x0D, "temperature"): "battery_temperature", (0xFF01, "error_code"): "solarsense_error",
    (0xFF01, "battery_voltage"): "sensor_battery_voltage", (0xFF01, "tx_power_dbm"): "tx_power",
}
TEXTS = {"alarm_reason": "alarm_reason", "warning_reason": "warning_reason", "off_reason": "off_reason",
         "bms_flags": "bms_status", "smartlithium_error": "smartlithium_error"}
IO_FLAGS = ["contactor_closed", "charging_allowed", "discharging_allowed", "relay", "aux_output", "remote_enabled",
            "alternator_charging_allowed"]


def records():
    with open(f"{VECTORS}/victron/ble-records.json", encoding="utf-8") as file:
        return json.load(file)


def address_of(index):
    return f"C0:FF:EE:00:{index >> 8:02X}:{index & 255:02X}"


def identity(address):
    return address.replace(":", "").lower()


def is_on(value):
    return value in (True, 1, "on", "yes", "true", "closed", "open")


def check_value(type_number, name, wanted, shown, states):
    if name in TEXTS:
        got = shown[TEXTS[name]]["value"]
        listed = [] if got == "none" else got.split(", ")
        return equal(len(listed), bin(wanted).count("1"), f"{name} {got!r}: how many")
    if name == "io_status":
        for number, flag in enumerate(IO_FLAGS):
            bits = wanted >> (2 * number) & 3
            if bits in (1, 2):
                equal(is_on(shown[flag]["value"]), bits == 1, flag)
        return None
    if name == "warnings_alarms":
        codes = [wanted >> (2 * n) & 3 for n in range(9)]
        for code, field in ((3, "alarm_reason"), (2, "warning_reason")):
            got = shown[field]["value"]
            equal(0 if got == "none" else len(got.split(", ")), codes.count(code), f"{field} {got!r}: how many")
        return None
    if name.endswith("_range"):
        return expect(wanted in str(shown["cell_range"]["value"]), f"cell_range: {shown['cell_range']['value']!r}")
    key = RENAMED.get((type_number, name), name)
    got = shown[key]["value"] if key in shown else None
    if wanted is None or got is None:
        return expect(wanted is None and got is None, f"{key}: {got!r}, not {wanted!r}")
    if isinstance(got, bool):
        return equal(got, bool(wanted), key)
    if isinstance(got, str):  # a state: its name as the field table has it
        code = wanted & 0xFFFF if name == "monitor_mode" else wanted
        return expect(states.get(key, {}).get(code) == got or got.startswith("unknown"),
                      f"{key}: {got!r}, not {states.get(key, {}).get(code)!r} ({wanted})")
    return expect(abs(got - wanted) < 1e-9, f"{key}: {got!r}, not {wanted!r}")


def state_names(hub):
    return {field["key"]: {state["code"]: state["name"] for state in field["states"]}
            for field in hub.get("fields")["fields"] if field["protocol"] == "victron"}


def check_record(record, shown, states):
    wanted = record["expected"]
    for name, value in wanted["fields"].items():
        if name in record.get("ambiguous_fields", []):
            continue
        check_value(wanted["record_type"], name, value, shown, states)


def encrypted(key, nonce, record_type, product, payload):
    """Manufacturer data of an Instant Readout: AES-128 in counter mode, the nonce in the lowest bytes of the counter."""
    clear = payload.ljust(16, b"\xff")[:16]
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as cipher:
        cipher.bind(("skcipher", "ecb(aes)"))
        cipher.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, key)
        operation, _ = cipher.accept()
        with operation:
            operation.sendmsg_afalg([struct.pack("<H", nonce) + bytes(14)], op=socket.ALG_OP_ENCRYPT)
            stream = operation.recv(16)
    hidden = bytes(a ^ b for a, b in zip(clear, stream))[:len(payload)]
    return struct.pack("<HHBHB", 0x0010, product, record_type, nonce, key[0]) + hidden


def battery_payload(voltage_10mv):
    """A battery monitor that tells its voltage and nothing else."""
    return struct.pack("<HH", 0xFFFF, voltage_10mv) + b"\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"
