// Time as the page may trust it. The browser's wall clock may be hours off the hub's, so ages are never made from it:
// a value arrives with its age, and only the time since its arrival is measured here. Wall clock is used for that too,
// beside the monotonic clock, because the latter stands still in some browsers while the machine sleeps; the larger of
// the two is taken, so that an error can make a value look older, never fresher.

export interface Instant {
  mono_ms: number;
  wall_ms: number;
}

export function Now(): Instant {
  return { mono_ms: performance.now(), wall_ms: Date.now() };
}

export function ElapsedS(since: Instant, now: Instant): number {
  return Math.max(0, now.mono_ms - since.mono_ms, now.wall_ms - since.wall_ms) / 1000;
}

// The wall clock went another way than the monotonic one: it was set, or the machine slept. Ages must be asked anew.
export const kStep_ms = 5_000;
export function ClockStepped(before: Instant, now: Instant): boolean {
  return Math.abs(now.wall_ms - before.wall_ms - (now.mono_ms - before.mono_ms)) > kStep_ms;
}

// The hub's UTC, for the right-hand end of a chart and for "today".
let offset_ms = 0;
export function SetHubTime(utc_ms: number): void {
  if (Number.isFinite(utc_ms)) offset_ms = utc_ms - Date.now();
}
export function HubNow_ms(): number {
  return Date.now() + offset_ms;
}
