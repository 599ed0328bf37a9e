// A chart of series that share a unit, over any range: asked with as many points as it has pixels, zoomed by dragging,
// moving on with live values when the range ends now.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { ApiError, AskReadings, type Series } from "../api.ts";
import { Align, Append, BucketS, Continue, DropBefore, ExtremesOf, Isolated, MakeTrack, type Track } from "../chart_data.ts";
import { HubNow_ms } from "../clock.ts";
import { DecimalsOf, FormatClock, FormatDay, FormatNumber, FormatTime, kNothing } from "../format.ts";
import { hub } from "../live.ts";
import { kShortest_ms, type Range } from "../route.ts";

const kMonths = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
export const kColours = 6; // --line-1 ... --line-6
// Live points pile up unthinned: past this many the chart asks the hub anew.
const kLivePointsMost = 4_000;
// The hub writes in groups, some seconds apart, and its history begins with what is written. What came between that and
// the first live value is asked for once more a little later, so that no hole stays where nothing was lost.
const kAskAgain_ms = 15_000;

function AxisLabel(s: number, increment_s: number): string {
  const d = new Date(s * 1000);
  if (increment_s >= 28 * 86_400) return kMonths[d.getMonth()] + " " + d.getFullYear();
  const day = d.getDate() + " " + kMonths[d.getMonth()];
  if (increment_s >= 86_400) return day;
  const midnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
  return midnight ? day : FormatClock(s * 1000, increment_s < 60);
}

function Colour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

interface Props {
  series: Series[]; // all that may be shown
  hidden: Set<number>;
  on_toggle: (id: number) => void;
  range: Range;
  on_zoom: (from_ms: number, to_ms: number) => void;
  unit: string;
}

export function Chart({ series, hidden, on_toggle, range, on_zoom, unit }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const tracks = useRef<Track[]>([]);
  const [width, set_width] = useState(0);
  const [busy, set_busy] = useState(true);
  const [error, set_error] = useState<ApiError | undefined>();
  const [cursor, set_cursor] = useState<{ time_s: number; values: (number | null)[] } | undefined>();
  const [drawn, set_drawn] = useState(0); // counts drawings with new data, for the words beside the chart
  const [round, set_round] = useState(0);
  const [scheme, set_scheme] = useState(0);
  const zoom = useRef(on_zoom);
  zoom.current = on_zoom;

  const shown = useMemo(() => series.filter((s) => !hidden.has(s.id)), [series, hidden]);
  const shown_key = shown.map((s) => s.id).join();
  const height = width < 560 ? 240 : 340;
  const window_ = useRef({ from_s: range.from_ms / 1000, to_s: range.to_ms / 1000 });

  useEffect(() => {
    const observer = new ResizeObserver((entries) => {
      const w = Math.floor(entries[0]!.contentRect.width);
      if (w > 0) set_width(w);
    });
    observer.observe(box.current!);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const on_scheme = () => set_scheme((n) => n + 1);
    dark.addEventListener("change", on_scheme);
    const end = hub.On("snapshot", () => set_round((n) => n + 1));
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", on_scheme);
      end();
    };
  }, []);

  // The plot itself, made anew when what it shows changes; its data may come later.
  useEffect(() => {
    if (!width || !box.current) return;
    const host = box.current;
    const text = Colour(host, "--text-2");
    const grid = { stroke: Colour(host, "--line"), width: 1 };
    const font = "12px " + Colour(host, "--font");
    const from_zero = /^(k?W|k?VA|k?var|A)$/.test(unit);
    plot.current = new uPlot({
      width, height,
      padding: [12, 8, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: true, y: false, dist: 8 }, points: { size: 7 }, y: false },
      scales: {
        x: { time: true, range: () => [window_.current.from_s, window_.current.to_s] },
        y: {
          range: (_u, low, high) => {
            if (low === null || high === null || !Number.isFinite(low)) return [0, 1];
            if (from_zero) [low, high] = [Math.min(0, low), Math.max(0, high)];
            const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
            return [from_zero && low === 0 ? 0 : low - room, from_zero && high === 0 ? 0 : high + room];
          },
        },
      },
      axes: [
        { stroke: text, font, grid, ticks: grid, space: 64,
          values: (_u, splits, _axis, _space, increment) => splits.map((s) => AxisLabel(s, increment)) },
        { stroke: text, font, grid, ticks: { show: false }, size: (_u, values) => 14 + 7.2 * Math.max(3, ...(values ?? []).map((v) => v.length)),
          values: (_u, splits, _axis, _space, increment) => {
            const needed = DecimalsOf(increment);
            return splits.map((v) => FormatNumber(v, needed));
          } },
      ],
      series: [{}, ...shown.map((s): uPlot.Series => {
        const colour = Colour(host, `--line-${(series.indexOf(s) % kColours) + 1}`);
        return { stroke: colour, width: 1.75, points: { show: true, size: 4, fill: colour, filter: (u, i) => Isolated(u.data[i]!) }, spanGaps: false,
          ...(shown.length === 1 && from_zero ? { fill: colour + "22" } : {}) };
      })],
      hooks: {
        setSelect: [(u) => {
          if (u.select.width < 8) return;
          const from = Math.round(u.posToVal(u.select.left, "x") * 1000);
          const to = Math.round(u.posToVal(u.select.left + u.select.width, "x") * 1000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          const middle = (from + to) / 2;
          const half = Math.max(kShortest_ms, to - from) / 2;
          zoom.current(Math.round(middle - half), Math.round(middle + half));
        }],
        setCursor: [(u) => {
          const i = u.cursor.idx;
          if (i === null || i === undefined || (u.cursor.left ?? -1) < 0) return set_cursor(undefined);
          const time_s = u.data[0][i];
          if (time_s === undefined) return set_cursor(undefined);
          set_cursor({ time_s, values: tracks.current.map((t) => ValueAt(t, time_s)) });
        }],
      },
    }, Align(tracks.current.length === shown.length ? tracks.current : shown.map(() => ({ times: [], values: [], gap_s: 1 }))) as uPlot.AlignedData, host);
    return () => {
      plot.current?.destroy();
      plot.current = null;
      set_cursor(undefined);
    };
  }, [width, height, shown_key, unit, scheme]);

  // Its data.
  useEffect(() => {
    if (!width) return;
    const stop = new AbortController();
    const length_ms = range.to_ms - range.from_ms;
    const to_ms = range.rolling ? HubNow_ms() : range.to_ms;
    const from_ms = to_ms - length_ms;
    let loaded = false;
    let added = 0;
    set_busy(true);
    set_error(undefined);
    const draw = () => {
      if (!loaded || !plot.current) return;
      if (range.rolling) {
        const now_s = HubNow_ms() / 1000;
        window_.current = { from_s: now_s - length_ms / 1000, to_s: now_s };
        tracks.current.forEach((t) => DropBefore(t, window_.current.from_s));
      }
      plot.current.setData(Align(tracks.current) as uPlot.AlignedData);
      set_drawn((n) => n + 1);
    };
    const ask = async (from: number, to: number) => {
      const answers = await Promise.all(shown.map((s) => AskReadings(s.id, from, to, width, stop.signal, true)));
      const before = tracks.current;
      tracks.current = answers.map((a, i) => {
        const track = MakeTrack(a.readings, shown[i]!.interval_s, BucketS(length_ms, width, a.thinned));
        if (loaded && before[i]) Continue(track, before[i]!);
        return track;
      });
      window_.current = { from_s: from / 1000, to_s: to / 1000 };
      loaded = true;
      set_busy(false);
      draw();
    };
    let again: ReturnType<typeof setTimeout> | undefined;
    ask(from_ms, to_ms).then(() => {
      if (range.rolling && !stop.signal.aborted) {
        again = setTimeout(() => void ask(HubNow_ms() - length_ms, HubNow_ms()).catch(() => {}), kAskAgain_ms);
      }
    }, (problem: ApiError) => {
      if (stop.signal.aborted) return;
      set_busy(false);
      set_error(problem);
    });
    const ends = range.rolling
      ? shown.map((s, i) => hub.OnValue(s.id, (held) => {
          const track = tracks.current[i];
          if (!loaded || !track) return;
          const number = typeof held.value === "number" && held.quality !== "unavailable" ? held.value : null;
          if (Append(track, held.time_ms / 1000, number) && ++added === kLivePointsMost) set_round((n) => n + 1);
        }))
      : [];
    // A window that moves by less than a pixel need not be drawn.
    const timer = range.rolling ? setInterval(draw, Math.max(1000, length_ms / width)) : undefined;
    return () => {
      stop.abort();
      clearInterval(timer);
      clearTimeout(again);
      ends.forEach((end) => end());
    };
  }, [range.name, range.rolling || range.from_ms, range.rolling || range.to_ms, shown_key, width, round]);

  const extremes = shown.map((_s, i) => {
    const track = tracks.current[i];
    return track ? ExtremesOf(track, window_.current.from_s, window_.current.to_s) : undefined;
  });
  const empty = drawn > 0 && !busy && !error && shown.length > 0 && extremes.every((e) => !e);
  const summary = shown
    .map((s, i) => {
      const e = extremes[i];
      return e ? `${s.name}: lowest ${FormatNumber(e.min, s.decimals)}, highest ${FormatNumber(e.max, s.decimals)}, last ${FormatNumber(e.last, s.decimals)} ${s.unit}` : `${s.name}: nothing`;
    }).join(". ");
  return (
    <div class="chart">
      <div class={"plot" + (busy ? " busy" : "")} role="img" aria-label={"Chart. " + summary}>
        <div class="canvas" ref={box} style={{ height: height + "px" }} />
        {(error || empty || shown.length === 0) && (
          <p class="chart-note">
            {error ? <>{error.message} <button type="button" onClick={() => set_round(round + 1)}>Try again</button></>
              : shown.length === 0 ? "Choose what to show below." : "No readings in this range."}
          </p>
        )}
      </div>
      <p class="chart-time">{cursor ? FormatTime(cursor.time_s * 1000) : `${FormatTime(window_.current.from_s * 1000, false)} to ${
        FormatDay(window_.current.from_s * 1000) === FormatDay(window_.current.to_s * 1000)
          ? FormatClock(window_.current.to_s * 1000, false) : FormatTime(window_.current.to_s * 1000, false)}`}</p>
      <ul class="legend">
        {series.map((s, place) => {
          const at = shown.indexOf(s);
          const e = at >= 0 ? extremes[at] : undefined;
          const value = at < 0 ? undefined : cursor ? cursor.values[at] : e?.last;
          return (
            <li key={s.id}>
              <button type="button" aria-pressed={at >= 0} class={"key line-" + ((place % kColours) + 1)} onClick={() => on_toggle(s.id)}>
                <span class="swatch" />
                <span class="key-name"><bdi>{s.name || s.field}</bdi></span>
                <span class="key-value">{at < 0 ? "" : value === null || value === undefined ? kNothing : FormatNumber(value, s.decimals)}{at >= 0 && s.unit && <span class="unit">{s.unit}</span>}</span>
                <span class="key-range">{e ? `${FormatNumber(e.min, s.decimals)} to ${FormatNumber(e.max, s.decimals)}` : ""}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

// The sample in force at a time: the last one not later, unless a gap began since.
function ValueAt(track: Track, time_s: number): number | null {
  let low = 0;
  let high = track.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.times[middle]! <= time_s) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? track.values[low - 1] ?? null : null;
}
