// Small questions that cards ask in the background (the last hour, the stand at midnight), a few at a time, so that
// forty cards do not stand in the way of what the reader clicks.

import { AskReadings, type Readings } from "../api.ts";

const kAtOnce = 2;
let running = 0;
const waiting: (() => void)[] = [];

export async function AskInTurn(
  series: number, from_ms: number, to_ms: number, points: number, stop: AbortSignal,
): Promise<Readings> {
  if (running >= kAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    if (stop.aborted) throw new DOMException("not wanted any more", "AbortError");
    return await AskReadings(series, from_ms, to_ms, points, stop);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
