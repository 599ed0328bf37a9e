import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DecimalsOf, FormatAge, FormatAgo, FormatBytes, FormatInterval, FormatNumber, FormatPower, FormatValue, HexLines, Words,
} from "../src/format.ts";

const kThin = "\u202f";
const kMinus = "\u2212";
const energy = { decimals: 3, unit: "kWh", kind: "counter", quantity: "energy" } as const;

test("a number keeps the decimals of its field and groups thousands", () => {
  assert.equal(FormatNumber(12345.6, 3), `12${kThin}345.600`);
  assert.equal(FormatNumber(999, 0), "999");
  assert.equal(FormatNumber(1000000, 0), `1${kThin}000${kThin}000`);
  assert.equal(FormatNumber(-0.5, 1), kMinus + "0.5");
});

test("what rounds to zero has no sign", () => {
  assert.equal(FormatNumber(-0.0004, 3), "0.000");
  assert.equal(FormatNumber(-0, 0), "0");
});

test("digits after the point are not grouped", () => {
  assert.equal(FormatNumber(1.23456, 5), "1.23456");
});

test("nonsense is shown as nothing, never as NaN", () => {
  assert.equal(FormatNumber(NaN, 1), "\u2013");
  assert.equal(FormatNumber(Infinity, 1), "\u2013");
  assert.deepEqual(FormatValue(energy, null), { text: "\u2013", unit: "" });
});

test("the marks of an axis are never rounded", () => {
  for (const [step, decimals] of [[1, 0], [5, 0], [2.5, 1], [0.2, 1], [0.25, 2], [0.005, 3], [1000, 0]] as const) {
    assert.equal(DecimalsOf(step), decimals, String(step));
  }
});

test("values by kind", () => {
  assert.deepEqual(FormatValue(energy, 7.5), { text: "7.500", unit: "kWh" });
  const state = { decimals: 0, unit: "", kind: "state", quantity: "mode" } as const;
  assert.equal(FormatValue(state, "ready_for_use").text, "ready for use");
  assert.equal(FormatValue(state, "unknown(0x2A)").text, "unknown(0x2A)");
  assert.equal(FormatValue({ ...state, kind: "flag" }, true).text, "on");
  assert.equal(FormatValue({ ...state, kind: "text" }, "a_b").text, "a_b");
});

test("power changes to kilowatts where watts get unreadable", () => {
  assert.deepEqual(FormatPower(302), { text: "302", unit: "W" });
  assert.deepEqual(FormatPower(9999.4), { text: `9${kThin}999`, unit: "W" });
  assert.deepEqual(FormatPower(9999.5), { text: "10.00", unit: "kW" });
  assert.deepEqual(FormatPower(-12345), { text: kMinus + "12.35", unit: "kW" });
});

test("ages count in the largest unit that still tells something", () => {
  const cases: [number, string][] = [
    [0, "now"], [0.99, "now"], [1, "1 s"], [59.9, "59 s"], [60, "1 min"], [3599, "59 min"], [3600, "1 h"],
    [3660, "1 h 1 min"], [86_399, "23 h 59 min"], [86_400, "1 d"], [90_000, "1 d 1 h"], [86_400 * 12 + 7200, "12 d"],
  ];
  for (const [seconds, text] of cases) assert.equal(FormatAge(seconds), text);
  assert.equal(FormatAge(-5), "now");
  assert.equal(FormatAge(Infinity), "\u2013");
  assert.equal(FormatAgo(0), "now");
  assert.equal(FormatAgo(61), "1 min ago");
});

test("intervals and sizes", () => {
  assert.equal(FormatInterval(null), "\u2013");
  assert.equal(FormatInterval(1.04), "1 s");
  assert.equal(FormatInterval(1.52), "1.5 s");
  assert.equal(FormatInterval(300), "5 min");
  assert.equal(FormatBytes(999), `999${kThin}B`);
  assert.equal(FormatBytes(17_204_224), `17.2${kThin}MB`);
  assert.equal(Words("electricity_meter"), "Electricity meter");
});

test("hex has the text beside it, unprintable bytes as dots, and a bound", () => {
  const { lines, left_out } = HexLines("2f41003c0d0aff", 4, 10);
  assert.deepEqual(lines, [
    { offset: "0000", hex: "2f 41 00 3c", text: "/A\u00b7<" },
    { offset: "0004", hex: "0d 0a ff", text: "\u00b7\u00b7\u00b7" },
  ]);
  assert.equal(left_out, 0);
  assert.equal(HexLines("00".repeat(100), 16, 2).left_out, 68);
  assert.deepEqual(HexLines("", 16, 2), { lines: [], left_out: 0 });
  assert.equal(HexLines("<script>", 16, 2).lines[0]?.hex, undefined); // one hex digit: c
});
