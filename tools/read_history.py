#!/usr/bin/env python3
"""Prints the readings of a Vesta store without Vesta, as docs/formats/store.md and journal.md describe the files.

    read_history.py vesta.db [SERIES [FROM [TO]]] > readings.csv

SERIES is the number in the view plain_series, FROM and TO are microseconds since 1970. Columns: journal number, series,
device, field, time in microseconds, value, quality. Needs Python 3 and the library libzstd (Debian: libzstd1).
"""

import csv
import ctypes
import ctypes.util
import os
import sqlite3
import struct
import sys
import zlib

QUALITY = ["ok", "unavailable", "out_of_range", "suspect", "derived"]
SECTOR = 512
MASK = (1 << 64) - 1


def unpack(packed, size):
    """A zstd frame, by the system's library."""
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(max(size, 1))
    got = zstd.ZSTD_decompress(out, ctypes.c_size_t(size), packed, ctypes.c_size_t(len(packed)))
    if got != size:
        raise ValueError("damaged: does not unpack")
    return out.raw[:size]


def signed64(value):
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & MASK
            shift += 7

    def signed(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def raw(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def fixed32(self):
        return struct.unpack("<I", self.raw(4))[0]

    def column(self, count):
        mode = self.byte()
        if mode == 0:
            return [self.signed()] * count
        if mode == 4:
            first, step = self.signed(), self.signed()
            return [signed64(first + step * i) for i in range(count)]
        divisor = 1
        if mode & 16:
            mode ^= 16
            divisor = self.varint()
        values, previous, difference = [], 0, 0
        for _ in range(count):
            read = self.signed()
            if mode == 1:
                previous = read
            else:
                difference = read if mode == 2 else signed64(difference + read)
                previous = signed64(previous + difference)
            values.append(signed64(previous * divisor))
        return values


def parts_of(box):
    """owner -> (items, bytes) of a box of parts."""
    reader = Reader(box)
    if reader.byte() != 1:
        raise ValueError("not a box of this format")
    entries, owner, time, span = [], 0, 0, 0
    for _ in range(reader.varint()):
        owner += reader.varint()
        items = reader.varint()
        time += reader.signed()
        span += reader.signed()
        entries.append((owner, items, reader.varint(), reader.varint(), reader.fixed32()))
    directory = box[:reader.at]
    if zlib.crc32(directory) != reader.fixed32():
        raise ValueError("damaged directory")
    parts = {}
    for owner, items, size, stored, crc in entries:
        data = reader.raw(stored)
        if zlib.crc32(data) != crc:
            raise ValueError("damaged part")
        parts[owner] = (items, data if stored == size else unpack(data, size))
    return parts


def decimal(mantissa, exponent):
    """The number with just the digits that the device sent."""
    if exponent >= 0:
        return str(mantissa) + "0" * exponent
    digits = str(abs(mantissa)).rjust(-exponent + 1, "0")
    return ("-" if mantissa < 0 else "") + digits[:exponent] + "." + digits[exponent:]


def value_of(kind, number, exponent, real, word):
    return ["", decimal(number, exponent), real, word, number & 0xFFFFFFFF][kind] if kind else ""


def block_readings(box, wanted):
    parts = parts_of(box)
    count, data = parts.pop(0)
    shared = Reader(data)
    numbers, times, delays, _frames = (shared.column(count) for _ in range(4))
    for series, (items, data) in parts.items():
        if wanted and series != wanted:
            continue
        reader = Reader(data)
        places, offsets, shifts, marks, exponents, values = (reader.column(items) for _ in range(6))
        reals = sum(1 for mark in marks if mark & 7 == 2)
        planes = reader.raw(8 * reals)
        words = [reader.raw(reader.varint()) for _ in range(reader.varint())]
        bits = real_at = 0
        for i in range(items):
            kind, real, word = marks[i] & 7, None, None
            if kind == 2:
                for plane in range(8):
                    bits ^= planes[plane * reals + real_at] << (8 * plane)
                real_at += 1
                real = struct.unpack("<d", struct.pack("<Q", bits))[0]
            if kind == 3:
                word = words[values[i]].decode("utf-8", "replace")
            yield (numbers[places[i]] + offsets[i], series, signed64(times[places[i]] + shifts[i]),
                   value_of(kind, values[i], exponents[i], real, word), QUALITY[marks[i] >> 3 & 7])


def entry_readings(data, wanted):
    reader = Reader(data)
    count = reader.varint()
    numbers, ids, times, _delays, _frames, marks, exponents, values = (reader.column(count) for _ in range(8))
    last = {}
    for i in range(count):
        mark, exponent, number = last.get(ids[i], (0, 0, 0))
        mark, exponent, number = signed64(mark + marks[i]), exponent + exponents[i], signed64(number + values[i])
        last[ids[i]] = (mark, exponent, number)
        kind, real, word = mark & 7, None, None
        if kind == 2:
            real = struct.unpack("<d", reader.raw(8))[0]
        if kind == 3:
            word = reader.raw(reader.varint()).decode("utf-8", "replace")
        if not wanted or ids[i] == wanted:
            yield numbers[i], ids[i], times[i], value_of(kind, number, exponent, real, word), QUALITY[mark >> 3 & 7]


def journal_readings(path, segment, offset, unit, wanted):
    slots, slot = {}, 0
    while os.path.exists(f"{path}-j{slot:04}"):
        with open(f"{path}-j{slot:04}", "rb") as file:
            data = file.read()
        magic, number, crc = struct.unpack_from("<IQI", data)
        if magic == 0x314A5356 and crc == zlib.crc32(data[:12]):
            slots[number] = data
        slot += 1

    def entry_at(number, at):
        data = slots.get(number, b"")
        if at + 80 > len(data):
            return None
        head = struct.unpack_from("<IIQQQQqqIIIIII", data, at)
        end = at + 80 + head[10] + head[12]
        whole = head[0] == 0x31455356 and head[2] == number and head[3] == unit and end <= len(data)
        return (head, end) if whole and zlib.crc32(data[at + 8:end]) == head[1] else None

    while True:
        found = entry_at(segment, offset)
        if found is None:
            segment, offset = segment + 1, SECTOR
            found = entry_at(segment, offset)
            if found is None:
                return
        head, end = found
        size, stored = head[9], head[10]
        data = slots[segment][offset + 80:offset + 80 + stored]
        if size:
            yield from entry_readings(data if stored == size else unpack(data, size), wanted)
        offset, unit = (end + SECTOR - 1) // SECTOR * SECTOR, unit + 1


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    path = sys.argv[1]
    wanted, begin, end = (int(text) for text in (sys.argv[2:5] + ["0", "0", str(1 << 62)][len(sys.argv) - 2:]))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.execute("BEGIN")
    names = {row[0]: row[1:] for row in db.execute("SELECT series, device, field FROM plain_series")}
    meta = dict(db.execute("SELECT name, value FROM meta"))
    out = csv.writer(sys.stdout)

    def write(readings, after):
        for number, series, time, value, quality in readings:
            if number > after and begin <= time < end:
                out.writerow([number, series, *names.get(series, ("", "")), time, value, quality])

    for (data,) in db.execute("SELECT data FROM block ORDER BY chunk, id"):
        write(block_readings(data, wanted), 0)
    place = [meta[name] for name in ("fold_segment", "fold_offset", "fold_unit")]
    write(journal_readings(path, *place, wanted), meta["folded_to"])


if __name__ == "__main__":
    main()
