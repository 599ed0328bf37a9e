// The last hour of a card's main value as a small line. Power of a meter is drawn around zero: taken above, fed in below.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Series } from "../api.ts";
import { Align, Append, DropBefore, MakeTrack, type Track } from "../chart_data.ts";
import { HubNow_ms } from "../clock.ts";
import { hub } from "../live.ts";
import { AskInTurn } from "./asking.ts";

const kSpan_ms = 3_600_000;
const kPoints = 180;
const kWidth = 360;
const kHeight = 56;
// A line of one pixel a point needs no redraw for each second.
const kRedraw_ms = 5_000;

export interface SparkInput {
  plus: Series;
  minus?: Series | undefined;
}

interface Line {
  above: string;
  below: string;
  zero: number | undefined;
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
  const y = (v: number) => (kHeight * (high - v)) / (high - low);
  const zero = around_zero ? y(0) : kHeight;
  const area = (side: (v: number) => number) =>
    runs.map((run) =>
      `M${run[0]![0].toFixed(1)} ${zero.toFixed(1)}` +
      run.map(([x, v]) => `L${x.toFixed(1)} ${side(y(v)).toFixed(1)}`).join("") +
      `L${run[run.length - 1]![0].toFixed(1)} ${zero.toFixed(1)}Z`).join("");
  return {
    above: area((v) => Math.min(v, zero)),
    below: around_zero && low < 0 ? area((v) => Math.max(v, zero)) : "",
    zero: around_zero && low < 0 ? zero : undefined,
  };
}

export function Spark({ input, asked, label }: { input: SparkInput; asked: boolean; label: string }): JSX.Element {
  const [line, set] = useState<Line | undefined>();
  const tracks = useRef<Track[]>([]);
  const ids = [input.plus, input.minus].filter((s) => s !== undefined);
  const key = ids.map((s) => s.id).join();
  useEffect(() => {
    if (!asked) return;
    let stop = new AbortController();
    const around_zero = input.plus.quantity === "power";
    const redraw = () => {
      const from_s = (HubNow_ms() - kSpan_ms) / 1000;
      tracks.current.forEach((t) => DropBefore(t, from_s));
      if (tracks.current.length === ids.length) set(Draw(tracks.current, around_zero));
    };
    const load = () => {
      stop.abort();
      stop = new AbortController();
      const to = HubNow_ms();
      Promise.all(ids.map((s) => AskInTurn(s.id, to - kSpan_ms, to, kPoints, stop.signal))).then((answers) => {
        tracks.current = answers.map((answer, i) =>
          MakeTrack(answer.readings, ids[i]!.interval_s, answer.thinned ? kSpan_ms / 1000 / kPoints : 0));
        redraw();
      }, () => {});
    };
    load();
    const ends = ids.map((s, i) => hub.OnValue(s.id, (held) => {
      const track = tracks.current[i];
      if (track) Append(track, held.time_ms / 1000, typeof held.value === "number" ? held.value : null);
    }));
    ends.push(hub.On("snapshot", load));
    const timer = setInterval(redraw, kRedraw_ms);
    return () => {
      stop.abort();
      clearInterval(timer);
      ends.forEach((end) => end());
    };
  }, [asked, key]);
  return (
    <div class="spark">
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {line && <path class="above" d={line.above} />}
        {line?.below && <path class="below" d={line.below} />}
        {line?.zero !== undefined && <path class="zero" d={`M0 ${line.zero.toFixed(1)}H${kWidth}`} />}
      </svg>
    </div>
  );
}
