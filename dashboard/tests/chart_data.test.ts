import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadingRow } from "../src/api.ts";
import {
  Align, Append, BucketS, Continue, DropBefore, ExtremesOf, Isolated, MakeTrack, ReadingAt, UsedSince, UsePerHour,
} from "../src/chart_data.ts";
import { Moved, ParseRoute, RangeOf, Scaled } from "../src/route.ts";

const Rows = (...list: [number, number | null][]): ReadingRow[] => list.map(([s, v]) => [s * 1000, v]);

test("silence of more than three intervals is a gap, less is a line", () => {
  const line = MakeTrack(Rows([0, 1], [10, 2], [20, 2], [50, 3]), 10, 0);
  assert.deepEqual(line.values, [1, 2, 2, 3]);
  const gap = MakeTrack(Rows([0, 1], [10, 2], [20, 2], [51, 3]), 10, 0);
  assert.deepEqual(gap.values, [1, 2, 2, null, 3]);
  assert.deepEqual(gap.times, [0, 10, 20, 35.5, 51]);
});

test("history kept in a slower rhythm than today's is a line in its own rhythm, and a hole in it a gap", () => {
  const rows: [number, number | null][] = [];
  for (let t = 0; t < 1200; t += 60) rows.push([t, 1]);
  for (let t = 1500; t < 1560; ++t) rows.push([t, 2]);
  for (let t = 1600; t < 1630; ++t) rows.push([t, 3]);
  const gaps = (list: (number | null)[]) => list.flatMap((v, i) => (v === null ? [i] : []));
  assert.deepEqual(gaps(MakeTrack(Rows(...rows), 1, 0).values), [20, 81]);
});

test("a sample between gaps is found, so that it can have a dot", () => {
  assert.deepEqual(Isolated([1, 2, null, 3, null, 4, undefined, 5, null, undefined, 6]), [3, 10]);
  assert.deepEqual(Isolated([undefined, 1, undefined]), [1]);
  assert.deepEqual(Isolated([null, null]), []);
});

test("thinned readings are no gaps, but a hole wider than their bucket is", () => {
  const bucket = BucketS(1_000_000, 40, true);
  assert.equal(bucket, 100);
  assert.equal(BucketS(1_000_000, 40, false), 0);
  assert.deepEqual(MakeTrack(Rows([0, 1], [100, 2], [200, 3]), 1, bucket).values, [1, 2, 3]);
  const hole = Rows([0, 1], [1, 1], [100, 2], [101, 2], [102, 2], [350, 3], [351, 3], [352, 3]);
  assert.deepEqual(MakeTrack(hole, 1, bucket).values, [1, 1, 2, 2, 2, null, 3, 3, 3]);
});

test("without a learned interval the usual step decides", () => {
  const track = MakeTrack(Rows([0, 1], [60, 1], [120, 1], [180, 1], [800, 1]), null, 0);
  assert.deepEqual(track.values, [1, 1, 1, 1, null, 1]);
});

test("unavailable is a gap, not a zero", () => {
  const rows: ReadingRow[] = [[0, 1], [1000, 5, "unavailable"], [2000, null], [3000, 2, "suspect"]];
  assert.deepEqual(MakeTrack(rows, 1, 0).values, [1, null, null, 2]);
});

test("a live value joins the end, opens a gap after silence, and never goes back in time", () => {
  const track = MakeTrack(Rows([0, 1], [1, 2]), 1, 0);
  assert.equal(Append(track, 1, 9), false);
  assert.equal(Append(track, 0.5, 9), false);
  assert.equal(Append(track, 2, 3), true);
  assert.equal(Append(track, 9, 4), true);
  assert.deepEqual(track.values, [1, 2, 3, null, 4]);
  DropBefore(track, 1.5);
  assert.deepEqual(track.times, [1, 2, 5.5, 9]);
});

test("live samples go on behind an answer that is some seconds old", () => {
  const answer = MakeTrack(Rows([0, 1], [1, 2], [2, 3]), 1, 0);
  const live = MakeTrack(Rows([1, 9], [2, 9], [3, 4], [9, 5]), 1, 0);
  Continue(answer, live);
  assert.deepEqual(answer.values, [1, 2, 3, 4, null, 5]);
});

test("series share one axis; no sample is not the same as a gap", () => {
  const a = MakeTrack(Rows([0, 1], [2, 2]), 5, 0);
  const b = MakeTrack(Rows([1, 7], [2, null]), 5, 0);
  assert.deepEqual(Align([a, b]), [[0, 1, 2], [1, undefined, 2], [undefined, 7, null]]);
});

test("extremes look at the window only", () => {
  const track = MakeTrack(Rows([0, 99], [1, 3], [2, 1], [3, 2]), 1, 0);
  assert.deepEqual(ExtremesOf(track, 1, 3), { min: 1, max: 3, last: 2 });
  assert.equal(ExtremesOf(track, 50, 60), undefined);
});

test("use since a reading is unknown when the counter stepped back", () => {
  assert.deepEqual(UsedSince([500, 10], 12.5), { used: 2.5, from_ms: 500 });
  assert.equal(UsedSince([500, 10], 9), undefined);
  assert.equal(UsedSince(undefined, 9), undefined);
  assert.equal(UsedSince([500, null], 9), undefined);
});

test("the reading of a moment is the last one before it, else the first after", () => {
  const rows: ReadingRow[] = [[100, 1], [200, null], [300, 3]];
  assert.equal(ReadingAt(rows, 250)?.[1], 1);
  assert.equal(ReadingAt(rows, 50)?.[1], 1);
  assert.equal(ReadingAt(rows, 900)?.[1], 3);
  assert.equal(ReadingAt([], 1), undefined);
});

test("use in each hour; hours that nobody read are left open, a step back counts for nothing", () => {
  const hour = 3_600_000;
  const rows: ReadingRow[] = [[0, 10], [hour, 11], [2 * hour, 13.5], [5 * hour, 20], [6 * hour, 3]];
  assert.deepEqual(UsePerHour(rows, 6 * hour, 6), [1, 2.5, 0, undefined, undefined, undefined]);
  assert.deepEqual(UsePerHour([], hour, 2), [undefined, undefined]);
});

test("routes are read from the hash, broken ones lead home", () => {
  assert.deepEqual({ ...ParseRoute("#/device/a%2Fb?of=x"), query: undefined }, { page: "device", key: "a/b", query: undefined });
  assert.equal(ParseRoute("#/device/%E0%A4%A").page, "home");
  assert.equal(ParseRoute("").page, "home");
  assert.equal(ParseRoute("#/constructor").page, "home");
  assert.equal(ParseRoute("#/unknown").page, "unknown");
});

test("ranges: named ones roll, custom ones stand, nonsense falls back", () => {
  const now = 1_800_000_000_000;
  const of = (text: string) => RangeOf(new URLSearchParams(text), now);
  assert.deepEqual(of("range=1h"), { name: "1h", from_ms: now - 3_600_000, to_ms: now, rolling: true });
  assert.deepEqual(of("from=1000&to=90000"), { name: "custom", from_ms: 1000, to_ms: 90_000, rolling: false });
  for (const bad of ["", "range=x", "from=5&to=4", "from=a&to=b", "from=0&to=1e99", "from=-5&to=9000"]) {
    assert.equal(of(bad).name, "24h", bad);
  }
  assert.deepEqual(Moved(of("range=1h"), -0.5, now), { from_ms: now - 5_400_000, to_ms: now - 1_800_000 });
  assert.equal(Moved(of("range=1h"), 0.5, now).to_ms, now);
  assert.deepEqual(Scaled(of("range=1h"), 2, now), { from_ms: now - 7_200_000, to_ms: now });
  assert.equal(Scaled(of("from=1000&to=9000"), 0.001, now).to_ms - Scaled(of("from=1000&to=9000"), 0.001, now).from_ms, 10_000);
});
