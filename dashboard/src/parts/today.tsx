// What a counter counted since local midnight: its newest value less its first of today. When the first is not from
// midnight, the card says from when; when the counter stepped back, nothing is said, since nobody knows.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { AskReadings, type ReadingRow } from "../api.ts";
import { ReadingAt, UsedSince } from "../chart_data.ts";
import { HubNow_ms } from "../clock.ts";
import { FormatClock, FormatNumber, kNothing } from "../format.ts";
import { useNow, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import type { DayCounter } from "../summary.ts";
import { FreshnessNow } from "./value.tsx";

// A reading this close to midnight counts as midnight's.
const kMidnightSlack_ms = 15 * 60_000;
const kPoints = 100;
// A device heard for the first time has no history yet: what came is written some seconds later.
const kAskAgain_ms = 20_000;

// The stand at midnight, else the first one of today.
async function StandAtMidnight(series: number, midnight: number, stop: AbortSignal): Promise<ReadingRow | undefined> {
  const near = await AskReadings(series, midnight - kMidnightSlack_ms, midnight + kMidnightSlack_ms, kPoints, stop);
  const stand = ReadingAt(near.readings, midnight);
  if (stand) return stand;
  const day = await AskReadings(series, midnight, HubNow_ms(), kPoints, stop);
  return ReadingAt(day.readings, midnight);
}

function Midnight_ms(now_ms: number): number {
  const d = new Date(now_ms);
  d.setHours(0, 0, 0, 0);
  return d.getTime();
}

export function Today({ counter, device, asked }: { counter: DayCounter; device: string; asked: boolean }): JSX.Element {
  useTopics("device/" + device);
  const now = useNow();
  const midnight = Midnight_ms(HubNow_ms());
  const [first, set] = useState<Map<number, ReadingRow | undefined>>(new Map());
  const ids = counter.parts.map((s) => s.id).join();
  useEffect(() => {
    if (!asked) return;
    const stop = new AbortController();
    const timers: ReturnType<typeof setTimeout>[] = [];
    set(new Map());
    const ask = (series: number): void =>
      void StandAtMidnight(series, midnight, stop.signal).catch(() => undefined).then((row) => {
        if (stop.signal.aborted) return;
        if (row) set((old) => new Map(old).set(series, row));
        else timers.push(setTimeout(() => ask(series), kAskAgain_ms));
      });
    for (const s of counter.parts) ask(s.id);
    return () => {
      stop.abort();
      timers.forEach(clearTimeout);
    };
  }, [asked, midnight, ids]);

  let total: number | undefined = 0;
  let from_ms = 0;
  let old = false;
  for (const s of counter.parts) {
    const held = hub.values.get(s.id);
    const used = typeof held?.value === "number" ? UsedSince(first.get(s.id), held.value) : undefined;
    if (!used || total === undefined) {
      total = undefined;
      break;
    }
    total += used.used;
    from_ms = Math.max(from_ms, used.from_ms);
    old ||= FreshnessNow(s, now) === "old";
  }
  const late = total !== undefined && from_ms > midnight + kMidnightSlack_ms;
  const label = late ? counter.since + " " + FormatClock(from_ms, false) : counter.label;
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd class={old ? "old" : ""}>
        {total === undefined ? kNothing : <>
          <span class="digits">{FormatNumber(total, counter.decimals)}</span><span class="unit">{counter.unit}</span>
        </>}
      </dd>
    </div>
  );
}
