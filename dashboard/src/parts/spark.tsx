// The last hour of a card's main value as a small line; power is drawn around zero, taken above and fed in below. Of a
// counter, whose line only climbs, the use in each of the last 24 hours as bars.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AskReadings, type Series } from "../api.ts";
import { Align, Append, BucketS, DropBefore, MakeTrack, UsePerHour, type Track } from "../chart_data.ts";
import { HubNow_ms } from "../clock.ts";
import { FormatNumber } from "../format.ts";
import { hub } from "../live.ts";

const kSpan_ms = 3_600_000;
const kPoints = 180;
const kWidth = 360;
const kHeight = 56;
// A line of one pixel a point needs no redraw for each second.
const kRedraw_ms = 5_000;
// A hole narrower than this is narrower than the line. It is there each time: what the hub has not written to its disk
// yet is not in its history.
const kHole_s = 45;

export interface SparkInput {
  plus: Series;
  minus?: Series | undefined;
}

interface Line {
  area: string;
  stroke: string;
  zero: number; // where above ends and below begins
}

// Runs of points without a gap, as x in 0..kWidth and the value.
function Runs(tracks: Track[], from_s: number, to_s: number): [x: number, v: number][][] {
  const [times, plus = [], minus] = Align(tracks);
  const runs: [number, number][][] = [[]];
  let a: number | null | undefined;
  let b: number | null | undefined = minus ? undefined : 0;
  times.forEach((t, i) => {
    if (plus[i] !== undefined) a = plus[i];
    if (minus && minus[i] !== undefined) b = minus[i];
    if (a === null || b === null) {
      if (runs[runs.length - 1]!.length) runs.push([]);
    } else if (a !== undefined && b !== undefined && t >= from_s) {
      runs[runs.length - 1]!.push([((t - from_s) / (to_s - from_s)) * kWidth, a - b]);
    }
  });
  return runs.filter((r) => r.length > 1);
}

function Draw(tracks: Track[], around_zero: boolean): Line | undefined {
  const to_s = HubNow_ms() / 1000;
  const runs = Runs(tracks, to_s - kSpan_ms / 1000, to_s);
  const all = runs.flat().map(([, v]) => v);
  if (all.length === 0) return undefined;
  let low = Math.min(...all);
  let high = Math.max(...all);
  if (around_zero) {
    low = Math.min(0, low);
    high = Math.max(0, high);
  }
  const room = (high - low) * 0.08 || Math.abs(high) * 0.01 || 1;
  if (!around_zero || low < 0) low -= room;
  high += room;
  const y = (v: number) => ((kHeight * (high - v)) / (high - low)).toFixed(1);
  const zero = around_zero ? (kHeight * high) / (high - low) : kHeight;
  const line = (run: [number, number][]) => run.map(([x, v]) => `${x.toFixed(1)} ${y(v)}`).join("L");
  return {
    area: runs.map((r) => `M${r[0]![0].toFixed(1)} ${zero.toFixed(1)}L${line(r)}L${r[r.length - 1]![0].toFixed(1)} ${zero.toFixed(1)}Z`).join(""),
    stroke: runs.map((r) => "M" + line(r)).join(""),
    zero,
  };
}

// Loads when asked, again with each snapshot, and each `every_ms`.
function useLoaded(asked: boolean, key: string, every_ms: number, load: (stop: AbortSignal) => void): void {
  useEffect(() => {
    if (!asked) return;
    let stop = new AbortController();
    const again = () => {
      stop.abort();
      stop = new AbortController();
      load(stop.signal);
    };
    again();
    const end = hub.On("snapshot", again);
    const timer = every_ms ? setInterval(again, every_ms) : undefined;
    return () => {
      stop.abort();
      clearInterval(timer);
      end();
    };
  }, [asked, key]);
}

export function Spark({ input, asked, label }: { input: SparkInput; asked: boolean; label: string }): JSX.Element {
  const [line, set] = useState<Line | undefined>();
  const tracks = useRef<Track[]>([]);
  const ids = [input.plus, input.minus].filter((s) => s !== undefined);
  const key = ids.map((s) => s.id).join("-");
  const redraw = () => {
    const from_s = (HubNow_ms() - kSpan_ms) / 1000;
    tracks.current.forEach((t) => DropBefore(t, from_s));
    if (tracks.current.length === ids.length) set(Draw(tracks.current, input.plus.quantity === "power"));
  };
  useLoaded(asked, key, 0, (stop) => {
    const to = HubNow_ms();
    Promise.all(ids.map((s) => AskReadings(s.id, to - kSpan_ms, to, kPoints, stop))).then((answers) => {
      tracks.current = answers.map((answer, i) =>
        MakeTrack(answer.readings, ids[i]!.interval_s, Math.max(kHole_s, BucketS(kSpan_ms, kPoints, answer.thinned))));
      redraw();
    }, () => {});
  });
  useEffect(() => {
    if (!asked) return;
    const ends = ids.map((s, i) => hub.OnValue(s.id, (held) => {
      const track = tracks.current[i];
      if (track) Append(track, held.time_ms / 1000, typeof held.value === "number" ? held.value : null);
    }));
    const timer = setInterval(redraw, kRedraw_ms);
    return () => {
      clearInterval(timer);
      ends.forEach((end) => end());
    };
  }, [asked, key]);
  const paint = "flow-" + key;
  const share = line ? Math.max(0, Math.min(1, line.zero / kHeight)) : 1;
  return (
    <div class="spark">
      <span class="spark-note" aria-hidden="true">last hour</span>
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <linearGradient id={paint} gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="0" y2={kHeight}>
          <stop class="above" offset={share} /><stop class="below" offset={share} />
        </linearGradient>
        {line && <path class="area" d={line.area} fill={`url(#${paint})`} />}
        {line && line.zero < kHeight && <path class="zero" d={`M0 ${line.zero.toFixed(1)}H${kWidth}`} />}
        {line && <path class="stroke" d={line.stroke} stroke={`url(#${paint})`} />}
      </svg>
    </div>
  );
}

const kBars = 24;
const kHour_ms = 3_600_000;
const kBarsAgain_ms = 300_000;
// First and last of a bucket of a quarter of an hour settle each boundary well enough.
const kBarPoints = 400;

export function Bars({ series, asked }: { series: Series; asked: boolean }): JSX.Element {
  const [bars, set] = useState<(number | undefined)[]>([]);
  useLoaded(asked, String(series.id), kBarsAgain_ms, (stop) => {
    const end = Math.floor(HubNow_ms() / kHour_ms) * kHour_ms;
    AskReadings(series.id, end - (kBars + 1) * kHour_ms, end, kBarPoints, stop).then(
      (answer) => set(UsePerHour(answer.readings, end, kBars)), () => {});
  });
  const most = Math.max(0, ...bars.map((b) => b ?? 0));
  const step = kWidth / kBars;
  return (
    <div class="spark">
      <span class="spark-note" aria-hidden="true">per hour, last 24 h</span>
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img"
        aria-label={most > 0 ? `Use in each of the last 24 hours, at most ${FormatNumber(most, series.decimals)} ${series.unit} in one` : "Use in each of the last 24 hours"}>
        {bars.map((b, i) => {
          if (b === undefined) return null;
          const height = most > 0 ? Math.max(1.5, (b / most) * (kHeight - 6)) : 1.5;
          return <rect key={i} class="bar-hour" x={i * step + 2} width={step - 4} y={kHeight - height} height={height} />;
        })}
      </svg>
    </div>
  );
}
