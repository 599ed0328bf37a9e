// A ward for the stub hub: incubators, one with an alarm, one silent with the alarm that it had when it was last heard.

import type { Scalar } from "../src/api.ts";
import { kHostile, type Field, type Thing } from "./stub_world.ts";

let next_id = 2000;
function F(field: string, name: string, quantity: string, unit: string, decimals: number, value: Scalar, more: Partial<Field> = {}): Field {
  return {
    id: next_id++, device: "", field, name, quantity, unit, decimals, kind: "gauge", pace: "fast", diagnostic: false,
    interval_s: 2, stale_after_s: 60, at: () => value, step_s: 2, delay_s: 0, ...more,
  };
}

const kFlag = { kind: "flag", pace: "slow", stale_after_s: null } as const;

export function Incubator(n: number, more: Partial<Thing> & { alarm?: boolean; link?: string; words?: string } = {}): Thing {
  const key = "medibus_asfh000" + n;
  const { alarm = false, link = "ok", words = "Air Mode", ...rest } = more;
  const fields = [
    F("link_state", "Link", "mode", "", 0, link, { kind: "state", pace: "slow", stale_after_s: null }),
    F("air_temp", "Air temperature", "temperature", "°C", 1, 33.5 + n / 10),
    F("skin_temp_central", "Skin temperature, central", "temperature", "°C", 1, 36.4),
    F("humidity_relative", "Relative humidity", "humidity", "%", 0, 62),
    F("oxygen_concentration", "Oxygen concentration", "oxygen", "%", 0, 21),
    F("body_weight", "Body weight", "mass", "g", 0, 1840),
    F("set_air_temp", "Set-point, air temperature", "temperature", "°C", 1, 34, { pace: "slow", stale_after_s: null }),
    F("set_humidity", "Set-point, relative humidity", "humidity", "%", 0, 60, { pace: "slow", stale_after_s: null }),
    F("alarm_p1_30", "Alarm AIR TEMP HI", "problem", "", 0, alarm, kFlag),
    F("texts", "Texts", "message", "", 0, words, { kind: "text", pace: "slow", stale_after_s: null }),
  ];
  for (const f of fields) f.device = key;
  return {
    key, protocol: "medibus", source: "bed-" + n, identity: "ASFH-000" + n, identity_on_wire: true, kind: "incubator",
    manufacturer: "Draeger", model: "TN500", serial: "ASFH-000" + n, firmware: "", parent: null, name: "", place: "",
    title: "TN500 ASFH-000" + n, bed: "Bed " + n, interval_s: 2, ...rest, fields,
  };
}

export function Ward(): Thing[] {
  next_id = 2000;
  return [
    Incubator(1), Incubator(2, { alarm: true, words: kHostile }), Incubator(3, { alarm: true, silent_since_s: 500 }),
    Incubator(4, { link: "silent" }), Incubator(5, { bed: null }),
  ];
}

export interface Stay {
  id: number;
  device: string;
  bed: string;
  begin: string;
  end: string | null;
  by: string;
}
const kBegin = "2026-08-11T06:00:00Z";

// Answers of the calls that a ward adds; undefined: not one of them.
export function WardAnswer(things: Thing[], stays: Stay[], path: string, query: URLSearchParams, body: string, tell: (thing: Thing) => void): unknown {
  if (path === "/beds") {
    const key = query.get("device");
    return { beds: ["Bed 1", "Bed 2", "Bed 9"], stays: stays.filter((s) => !key || s.device === key) };
  }
  if (path === "/beds/begin" || path === "/beds/end") {
    const { device, bed } = JSON.parse(body);
    const thing = things.find((t) => t.key === device)!;
    thing.bed = path === "/beds/end" ? null : bed;
    if (bed) stays.push({ id: stays.length + 1, device, bed, begin: kBegin, end: null, by: "local" });
    tell(thing);
    return { device, bed: null };
  }
  if (path === "/counts") {
    return { devices: things.map((t) => ({ device: t.key, received: 5120, stored: 5118, delivered: 5000, waiting: 118, rejected: 2 })) };
  }
  if (path === "/trace") {
    const field = things.flatMap((t) => t.fields).find((f) => String(f.id) === query.get("series"));
    if (!field) return undefined;
    return {
      reading: { number: 4711, series: field.id, device: field.device, field: field.field, name: field.name, unit: field.unit, value: field.at(0), mantissa: 336, exponent: -1, code: null, index: 0, quality: "ok", late: false, repaired: false },
      time: { time: kBegin, received: kBegin, quality: "hub_synchronised", text: "when it arrived, by the hub's clock, which was synchronised", delay_s: 0 },
      bed: { bed: "Bed 1", begin: kBegin, end: null },
      frame: { state: "kept", text: "the bytes as they arrived", id: 99, source: "bed-1", received: kBegin, verdict: "accepted", reason: "", readings: 12, hex: Buffer.from("\u0001$6D 33.6" + kHostile).toString("hex"), printable: kHostile },
      decoder: { source: "bed-1", source_known_by: "frame", decoder: "vesta 0.1.0 medibus", tables: "builtin-1/0123456789abcdef", since: kBegin, from_number: 1 },
    };
  }
  if (path === "/audit") {
    const before = Number(query.get("before") ?? 121);
    const limit = Number(query.get("limit"));
    const numbers = Array.from({ length: Math.min(limit, before - 1) }, (_, i) => before - 1 - i);
    const entries = numbers.map((number) => ({ number, time: kBegin, clock: "synchronised", actor: "hub", action: "port_opened", details: { source: "bed-1", where: kHostile }, previous: "0".repeat(64), hash: "0".repeat(64) }));
    const last = numbers[numbers.length - 1] ?? 1;
    return { entries, next_before: last > 1 ? last : null, health: { written: 120, waiting: 0, lost: 0, left_out: 0, error: "" } };
  }
  return undefined;
}
