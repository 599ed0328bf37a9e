// Readings made ready to draw: gaps stay gaps, several series share one time axis, new values join at the right-hand
// end. Times here are seconds (uPlot's unit); null is a gap, undefined "no sample of this series at this time".

import type { ReadingRow, Scalar } from "./api.ts";

export interface Track {
  times: number[];
  values: (number | null)[];
  // For live values: a step from the last sample longer than this is a gap.
  gap_s: number;
}

// Silence of this many intervals is a gap, never a line: a drawn line claims that something was known.
export const kGapIntervals = 3;
// An interval can change (a slower setting, minutes kept of what came each second), so history is measured by its own
// rhythm too: the median of so many steps to either side.
const kNeighbours = 5;

function Number_(value: Scalar): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return null;
}

function Median(list: number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

// Thinned readings are first, lowest, highest and last of a bucket, so that many points share one.
const kPointsPerBucket = 4;

// How far apart neighbours of a thinned answer may lie though nothing is missing.
export function BucketS(length_ms: number, points: number, thinned: boolean): number {
  return thinned ? (kPointsPerBucket * length_ms) / 1000 / points : 0;
}

// The rhythm around each step, in the units of `times`.
function LocalRhythm(times: number[]): number[] {
  const steps = times.slice(1).map((t, i) => t - times[i]!);
  return steps.map((_step, i) => Median(steps.slice(Math.max(0, i - kNeighbours), i + kNeighbours + 1)));
}

export function MakeTrack(rows: ReadingRow[], interval_s: number | null, bucket_s: number): Track {
  const known_s = interval_s ?? 0;
  const rhythm_ms = LocalRhythm(rows.map((row) => row[0]));
  const limit = (rhythm_s: number) => Math.max(kGapIntervals * Math.max(known_s, rhythm_s), 1.1 * bucket_s, 1);
  const track: Track = { times: [], values: [], gap_s: 0 };
  rows.forEach(([time_ms, value, quality], i) => {
    track.gap_s = i > 0 ? limit(rhythm_ms[i - 1]! / 1000) : Infinity;
    Append(track, time_ms / 1000, quality === "unavailable" ? null : Number_(value));
  });
  // What comes live comes in the device's own rhythm. The answer's last reading may be a bucket old.
  track.gap_s = limit(known_s > 0 ? 0 : Median(rhythm_ms) / 1000);
  return track;
}

// Puts live samples behind an answer of the hub, which lacks what is not written to its disk yet.
export function Continue(track: Track, live: Track): void {
  const last = track.times[track.times.length - 1] ?? -Infinity;
  live.times.forEach((t, i) => {
    if (t > last) Append(track, t, live.values[i]!);
  });
}

// Samples with a gap on either side: no line shows them, so they need a dot.
export function Isolated(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let alone: number | undefined; // a sample with nothing before it, until something follows
  let open = true; // nothing, or a gap, came before
  for (let i = 0; i < column.length; ++i) {
    const value = column[i];
    if (value === undefined) continue;
    if (value === null) {
      if (alone !== undefined) found.push(alone);
      alone = undefined;
      open = true;
    } else {
      alone = open ? i : undefined;
      open = false;
    }
  }
  if (alone !== undefined) found.push(alone);
  return found;
}

// Adds a sample, with a gap before it when the silence was too long. What is not newer than the last is left out: an
// axis of time cannot go back.
export function Append(track: Track, time_s: number, value: number | null): boolean {
  const last = track.times[track.times.length - 1];
  if (last !== undefined) {
    if (time_s <= last) return false;
    if (time_s - last > track.gap_s) {
      track.times.push((last + time_s) / 2);
      track.values.push(null);
    }
  }
  track.times.push(time_s);
  track.values.push(value);
  return true;
}

// Forgets what left the window, but keeps one sample before it so that the line enters from the edge.
export function DropBefore(track: Track, time_s: number): void {
  let first = 0;
  while (first + 1 < track.times.length && track.times[first + 1]! < time_s) ++first;
  if (first > 0) {
    track.times.splice(0, first);
    track.values.splice(0, first);
  }
}

export type Aligned = [number[], ...(number | null | undefined)[][]];

// One axis for all tracks.
export function Align(tracks: Track[]): Aligned {
  const times = [...new Set(tracks.flatMap((t) => t.times))].sort((a, b) => a - b);
  const place = new Map(times.map((t, i) => [t, i]));
  const columns = tracks.map((track) => {
    const column = new Array<number | null | undefined>(times.length).fill(undefined);
    track.times.forEach((t, i) => (column[place.get(t)!] = track.values[i]));
    return column;
  });
  return [times, ...columns];
}

export interface Extremes {
  min: number;
  max: number;
  last: number;
}

export function ExtremesOf(track: Track, from_s: number, to_s: number): Extremes | undefined {
  let found: Extremes | undefined;
  track.times.forEach((t, i) => {
    const v = track.values[i];
    if (v === null || v === undefined || t < from_s || t > to_s) return;
    if (!found) found = { min: v, max: v, last: v };
    else found = { min: Math.min(found.min, v), max: Math.max(found.max, v), last: v };
  });
  return found;
}

// What a counter counted in each of `hours` hours that end at `end_ms` on the hour. undefined where it cannot be told:
// no reading near a boundary, or a step back in between.
export function UsePerHour(rows: ReadingRow[], end_ms: number, hours: number): (number | undefined)[] {
  const kHour_ms = 3_600_000;
  const stand = (at_ms: number): number | undefined => {
    let found: ReadingRow | undefined;
    for (const row of rows) {
      if (row[0] > at_ms) break;
      if (typeof row[1] === "number") found = row;
    }
    // An hourly meter stamps the full hour, give or take; what is older says nothing of this boundary.
    return found && at_ms - found[0] <= kHour_ms ? (found[1] as number) : undefined;
  };
  const stands = Array.from({ length: hours + 1 }, (_, i) => stand(end_ms - (hours - i) * kHour_ms));
  return Array.from({ length: hours }, (_, i) => {
    const [before, after] = [stands[i], stands[i + 1]];
    return before === undefined || after === undefined || after < before ? undefined : after - before;
  });
}

// What a counter counted since a reading of it; undefined when it stepped back (a swap or a reset), because then nobody
// knows.
export function UsedSince(first: ReadingRow | undefined, now: number): { used: number; from_ms: number } | undefined {
  if (!first || typeof first[1] !== "number") return undefined;
  const used = now - first[1];
  return used < 0 ? undefined : { used, from_ms: first[0] };
}

// The reading that stands for a moment: the last one before it, else the first after.
export function ReadingAt(rows: ReadingRow[], at_ms: number): ReadingRow | undefined {
  let best: ReadingRow | undefined;
  for (const row of rows) {
    if (typeof row[1] !== "number") continue;
    if (row[0] > at_ms) return best ?? row;
    best = row;
  }
  return best;
}
