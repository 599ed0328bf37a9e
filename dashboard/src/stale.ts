// When a value may be shown as fresh. The hub says so when it sends the value; the page keeps counting from there, so
// that a value goes stale in front of the reader's eyes even if the hub falls silent. Whatever cannot be proved fresh
// is not.

import type { Device, Quality, Scalar, Series, Value } from "./api.ts";
import { ElapsedS, type Instant } from "./clock.ts";
import { FormatAge } from "./format.ts";

export interface Held {
  value: Scalar;
  quality: Quality;
  time_ms: number;
  time_quality: string;
  stale_at_hub: boolean;
  age_at_arrival_s: number;
  arrived: Instant;
}

export function Hold(value: Value, arrived: Instant): Held {
  return {
    value: value.value,
    quality: value.quality,
    time_ms: Date.parse(value.time),
    time_quality: value.time_quality,
    stale_at_hub: value.stale,
    age_at_arrival_s: Number.isFinite(value.age_s) ? value.age_s : Infinity,
    arrived,
  };
}

export function AgeS(held: Held, now: Instant): number {
  return held.age_at_arrival_s + ElapsedS(held.arrived, now);
}

export type Link = "connecting" | "live" | "lost" | "locked"; // locked: the hub wants a login

// fresh: believed now. old: a value that was true once. none: never heard, or the device says it has none.
export type Freshness = "fresh" | "old" | "none";

export function FreshnessOf(
  series: Pick<Series, "stale_after_s">,
  held: Held | undefined,
  link: Link,
  now: Instant,
): Freshness {
  if (!held || held.value === null || held.quality === "unavailable") return "none";
  if (link === "lost" || link === "locked") return "old";
  if (held.stale_at_hub) return "old";
  if (series.stale_after_s !== null && AgeS(held, now) > series.stale_after_s) return "old";
  return "fresh";
}

export interface DeviceAge {
  age_at_arrival_s: number | null;
  arrived: Instant;
}

export function DeviceAgeS(age: DeviceAge | undefined, now: Instant): number | null {
  if (!age || age.age_at_arrival_s === null) return null;
  return age.age_at_arrival_s + ElapsedS(age.arrived, now);
}

// What is wrong with a device, in words; "" when nothing is. `gone_stale`: the values that matter are old, though the
// hub did not call the device offline (yet).
export function DeviceTrouble(
  device: Pick<Device, "availability">,
  age_s: number | null,
  gone_stale: boolean,
  link: Link,
): string {
  if (link === "lost" || link === "locked") return "last known values";
  const no_data = age_s === null ? "" : "no data for " + FormatAge(age_s);
  if (device.availability === "offline") return no_data ? "offline, " + no_data : "offline";
  if (device.availability === "unknown" || gone_stale) return no_data || "not heard yet";
  return "";
}
