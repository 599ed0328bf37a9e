// Where the reader is, kept in the address's hash: links, the back button and a reload work, and the hub serves one page.

export type Page = "home" | "device" | "health" | "unknown" | "ward" | "trace" | "audit" | "keys" | "bus" | "nodes";

export interface Route {
  page: Page;
  key: string; // device key, id of a series, or name of a source
  query: URLSearchParams;
}

export function ParseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/");
  const route: Route = { page: "home", key: "", query: new URLSearchParams(query) };
  if (parts[0] === "device" && parts[1]) {
    route.page = "device";
    try {
      route.key = decodeURIComponent(parts[1]);
    } catch {
      route.page = "home"; // a broken escape names no device
    }
  } else if (parts[0] === "trace" || parts[0] === "bus") {
    route.page = parts[0];
    route.key = parts[1] ?? "";
  } else if (parts[0] === "health" || parts[0] === "unknown" || parts[0] === "ward" || parts[0] === "audit" || parts[0] === "keys" || parts[0] === "nodes") {
    route.page = parts[0];
  }
  return route;
}

export function DeviceHref(key: string, query?: Record<string, string>): string {
  const rest = query ? "?" + new URLSearchParams(query) : "";
  return "#/device/" + encodeURIComponent(key) + rest;
}

export function TraceHref(series: number, time_ms?: number): string {
  return "#/trace/" + series + (time_ms === undefined ? "" : "?time=" + Math.floor(time_ms));
}

export interface Range {
  name: string; // "1h", ..., "custom"
  from_ms: number;
  to_ms: number;
  rolling: boolean; // ends now and moves on
}

const kHour_ms = 3_600_000;
export const kRanges: [name: string, label: string, length_ms: number][] = [
  ["1h", "1 h", kHour_ms],
  ["24h", "24 h", 24 * kHour_ms],
  ["7d", "7 d", 7 * 24 * kHour_ms],
  ["30d", "30 d", 30 * 24 * kHour_ms],
  ["1y", "1 y", 365 * 24 * kHour_ms],
];
export const kDefaultRange = "24h";
// Below this a chart shows noise of the clock, not of the thing.
export const kShortest_ms = 10_000;

export function RangeOf(query: URLSearchParams, now_ms: number): Range {
  const from = Number(query.get("from") ?? NaN);
  const to = Number(query.get("to") ?? NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && to - from >= 1000 && Math.abs(to) < 8.64e15 && from >= 0) {
    return { name: "custom", from_ms: from, to_ms: to, rolling: false };
  }
  const known = kRanges.find(([name]) => name === query.get("range")) ?? kRanges.find(([n]) => n === kDefaultRange)!;
  return { name: known[0], from_ms: now_ms - known[2], to_ms: now_ms, rolling: true };
}

// A window moved by a share of its length; never beyond now, where there is nothing to see.
export function Moved(range: Range, share: number, now_ms: number): { from_ms: number; to_ms: number } {
  const length = range.to_ms - range.from_ms;
  const to = Math.min(range.to_ms + share * length, now_ms);
  return { from_ms: Math.round(to - length), to_ms: Math.round(to) };
}

export function Scaled(range: Range, factor: number, now_ms: number): { from_ms: number; to_ms: number } {
  const length = Math.max(kShortest_ms, (range.to_ms - range.from_ms) * factor);
  const middle = (range.from_ms + range.to_ms) / 2;
  const to = Math.min(middle + length / 2, now_ms);
  return { from_ms: Math.round(Math.max(0, to - length)), to_ms: Math.round(to) };
}
