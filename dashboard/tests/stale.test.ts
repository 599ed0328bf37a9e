import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../src/api.ts";
import { ClockStepped, ElapsedS } from "../src/clock.ts";
import { AgeS, DeviceAgeS, DeviceTrouble, FreshnessOf, Hold } from "../src/stale.ts";

const value: Value = {
  series: 1, time: "2026-08-11T06:21:25Z", received: "2026-08-11T06:21:25Z", value: 1.5, quality: "ok",
  time_quality: "device_clock", stale: false, age_s: 2,
};
const arrived = { mono_ms: 1000, wall_ms: 5_000_000 };
const After = (s: number) => ({ mono_ms: 1000 + s * 1000, wall_ms: 5_000_000 + s * 1000 });
const series = { stale_after_s: 60 };

test("an age counts on from what the hub said, whatever the browser's clock says of the value's time", () => {
  assert.equal(AgeS(Hold(value, arrived), After(10)), 12);
  assert.equal(AgeS(Hold({ ...value, time: "1999-01-01T00:00:00Z" }, arrived), After(10)), 12);
});

test("of two clocks that disagree the one that makes the value older is believed", () => {
  assert.equal(ElapsedS(arrived, { mono_ms: 2000, wall_ms: 5_000_000 + 3_600_000 }), 3600); // slept
  assert.equal(ElapsedS(arrived, { mono_ms: 61_000, wall_ms: 5_000_000 - 99_000 }), 60); // clock set back
});

test("a step of the clock is noticed both ways", () => {
  assert.equal(ClockStepped(arrived, After(1)), false);
  assert.equal(ClockStepped(arrived, { mono_ms: 2000, wall_ms: 5_060_000 }), true);
  assert.equal(ClockStepped(arrived, { mono_ms: 2000, wall_ms: 4_940_000 }), true);
});

test("a value is fresh until its own limit and old after it, though nothing else arrives", () => {
  const held = Hold(value, arrived);
  assert.equal(FreshnessOf(series, held, "live", After(0)), "fresh");
  assert.equal(FreshnessOf(series, held, "live", After(58)), "fresh");
  assert.equal(FreshnessOf(series, held, "live", After(58.1)), "old");
});

test("the hub's word that a value is stale is final", () => {
  assert.equal(FreshnessOf(series, Hold({ ...value, stale: true }, arrived), "live", After(0)), "old");
});

test("without contact nothing is fresh", () => {
  const held = Hold(value, arrived);
  assert.equal(FreshnessOf(series, held, "lost", After(0)), "old");
  assert.equal(FreshnessOf(series, held, "locked", After(0)), "old");
  assert.equal(FreshnessOf(series, held, "connecting", After(0)), "fresh");
});

test("nothing and unavailable are neither fresh nor old", () => {
  assert.equal(FreshnessOf(series, undefined, "live", After(0)), "none");
  assert.equal(FreshnessOf(series, Hold({ ...value, value: null }, arrived), "live", After(0)), "none");
  assert.equal(FreshnessOf(series, Hold({ ...value, quality: "unavailable" }, arrived), "live", After(0)), "none");
});

test("an age that is not a number counts as endless", () => {
  const held = Hold({ ...value, age_s: NaN }, arrived);
  assert.equal(FreshnessOf(series, held, "live", After(0)), "old");
});

test("a device's trouble is said in words", () => {
  assert.equal(DeviceTrouble({ availability: "online" }, 1, false, "live"), "");
  assert.equal(DeviceTrouble({ availability: "online" }, 75, true, "live"), "no data for 1 min");
  assert.equal(DeviceTrouble({ availability: "offline" }, 180, true, "live"), "offline, no data for 3 min");
  assert.equal(DeviceTrouble({ availability: "offline" }, null, false, "live"), "offline");
  assert.equal(DeviceTrouble({ availability: "unknown" }, null, false, "live"), "not heard yet");
  assert.equal(DeviceTrouble({ availability: "online" }, 1, false, "lost"), "last known values");
  assert.equal(DeviceAgeS({ age_at_arrival_s: 5, arrived }, After(3)), 8);
  assert.equal(DeviceAgeS({ age_at_arrival_s: null, arrived }, After(3)), null);
});
