// Numbers, units, ages and bytes as people read them. Pure functions: same in every browser, whatever its language, so
// that a page on the wall and one on the phone say the same.

import type { Scalar, Series } from "./api.ts";

const kThin = "\u202f"; // narrow no-break space between thousands
const kMinus = "\u2212";
export const kNothing = "\u2013";

export function FormatNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return kNothing;
  const fixed = Math.abs(value).toFixed(Math.max(0, Math.min(9, decimals)));
  const [whole = "0", part] = fixed.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, kThin);
  const negative = value < 0 && /[1-9]/.test(fixed); // no "-0"
  return (negative ? kMinus : "") + grouped + (part ? "." + part : "");
}

// How many decimals a step of an axis needs so that its marks differ and none is rounded: 2.5 needs one.
export function DecimalsOf(step: number): number {
  for (let decimals = 0; decimals < 9; ++decimals) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return 9;
}

export interface Shown {
  text: string;
  unit: string;
}

// How a value of this series is written. A code name is made readable, and what is not known says so.
export function FormatValue(series: Pick<Series, "decimals" | "unit" | "kind" | "quantity">, value: Scalar): Shown {
  if (value === null || value === undefined) return { text: kNothing, unit: "" };
  if (typeof value === "boolean") return { text: value ? "on" : "off", unit: "" };
  if (typeof value === "number") {
    if (series.quantity === "instant") return { text: FormatTime(value * 1000), unit: "" };
    return { text: FormatNumber(value, series.decimals), unit: series.unit };
  }
  return { text: series.kind === "state" ? value.replace(/_/g, " ") : value, unit: series.unit };
}

// Power in the unit that reads best: whole watts up to 10 kW, then kilowatts.
export function FormatPower(watts: number): Shown {
  if (Math.abs(watts) < 9_999.5) return { text: FormatNumber(watts, 0), unit: "W" };
  return { text: FormatNumber(watts / 1000, 2), unit: "kW" };
}

// "now", "8 s", "3 min", "2 h 5 min", "4 d 3 h": short enough to count up in place.
export function FormatAge(seconds: number): string {
  if (!Number.isFinite(seconds)) return kNothing;
  const s = Math.max(0, Math.floor(seconds));
  if (s < 1) return "now";
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86_400) {
    const minutes = Math.floor((s % 3600) / 60);
    return Math.floor(s / 3600) + " h" + (minutes ? " " + minutes + " min" : "");
  }
  const hours = Math.floor((s % 86_400) / 3600);
  return Math.floor(s / 86_400) + " d" + (hours && s < 10 * 86_400 ? " " + hours + " h" : "");
}

export function FormatAgo(seconds: number): string {
  const age = FormatAge(seconds);
  return age === "now" || age === kNothing ? age : age + " ago";
}

// A learned interval: "1 s", "1.5 s", "5 min".
export function FormatInterval(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return kNothing;
  if (seconds < 10) return String(Number(seconds.toFixed(1))) + " s";
  return FormatAge(Math.round(seconds));
}

function Two(n: number): string {
  return String(n).padStart(2, "0");
}

// Local time of the reader, in a form that sorts and that no country reads wrong.
export function FormatTime(utc_ms: number, seconds = true): string {
  if (!Number.isFinite(utc_ms)) return kNothing;
  const d = new Date(utc_ms);
  if (Number.isNaN(d.getTime())) return kNothing;
  return FormatDay(utc_ms) + " " + FormatClock(utc_ms, seconds);
}

export function FormatDay(utc_ms: number): string {
  const d = new Date(utc_ms);
  return d.getFullYear() + "-" + Two(d.getMonth() + 1) + "-" + Two(d.getDate());
}

export function FormatClock(utc_ms: number, seconds = true): string {
  const d = new Date(utc_ms);
  return Two(d.getHours()) + ":" + Two(d.getMinutes()) + (seconds ? ":" + Two(d.getSeconds()) : "");
}

export function FormatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return kNothing;
  let value = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000 || unit === "GB") return FormatNumber(value, unit === "B" || value >= 100 ? 0 : 1) + kThin + unit;
    value /= 1000;
  }
  return kNothing;
}

// "electricity_meter" -> "Electricity meter".
export function Words(key: string): string {
  const words = key.replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export interface HexLine {
  offset: string;
  hex: string;
  text: string;
}

// Bytes as hex with the printable ones beside, `width` a line. Bounded: a frame may have a hundred kilobytes.
export function HexLines(hex: string, width: number, max_lines: number): { lines: HexLine[]; left_out: number } {
  const clean = hex.replace(/[^0-9a-fA-F]/g, "").toLowerCase();
  const bytes = Math.floor(clean.length / 2);
  const lines: HexLine[] = [];
  for (let at = 0; at < bytes && lines.length < max_lines; at += width) {
    const count = Math.min(width, bytes - at);
    const pairs: string[] = [];
    let text = "";
    for (let i = at; i < at + count; ++i) {
      const pair = clean.slice(2 * i, 2 * i + 2);
      const code = parseInt(pair, 16);
      pairs.push(pair);
      text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "\u00b7";
    }
    lines.push({ offset: at.toString(16).padStart(4, "0"), hex: pairs.join(" "), text });
  }
  return { lines, left_out: Math.max(0, bytes - lines.length * width) };
}
