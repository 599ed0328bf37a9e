// What the stub hub tells: a house with a smart meter and sun, gas and water on its M-Bus, a boat battery, one sensor
// gone silent. Every value is a function of time, so that history and live values fit each other.

import type { Device, Scalar, Series } from "../src/api.ts";

export interface Field extends Series {
  at: (t_s: number) => Scalar;
  step_s: number; // its rhythm
  delay_s: number; // how old a value is when it is told
}

export interface Thing extends Omit<Device, "series" | "age_s" | "last_heard" | "availability"> {
  fields: Field[];
  silent_since_s?: number; // stopped sending so many seconds ago
}

const kDay = 86_400;

function Hash(n: number): number {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

// Smooth noise in -1..1 with features of `period` seconds.
function Noise(t: number, period: number, seed: number): number {
  const at = t / period;
  const i = Math.floor(at);
  const f = at - i;
  const s = f * f * (3 - 2 * f);
  return (Hash(i + seed * 1000) * (1 - s) + Hash(i + 1 + seed * 1000) * s) * 2 - 1;
}

function HourOf(t: number): number {
  return ((t + 2 * 3600) % kDay) / 3600;
}

function Sun(t: number): number {
  const h = HourOf(t);
  if (h < 6 || h > 20) return 0;
  const clear = Math.sin(((h - 6) / 14) * Math.PI) ** 1.4;
  const cloud = 0.72 + 0.28 * Noise(t, 1500, 3) - 0.15 * Math.max(0, Noise(t, 240, 4));
  return 4.1 * clear * Math.max(0.08, cloud);
}

function Load(t: number): number {
  const h = HourOf(t);
  let kw = 0.24 + 0.05 * Noise(t, 120, 1) + 0.09 * (Noise(t, 900, 2) > 0.2 ? 1 : 0);
  kw += 0.55 * Math.exp(-(((h - 7.7) / 1.1) ** 2)) + 0.95 * Math.exp(-(((h - 19) / 1.9) ** 2));
  if (Noise(t, 1700, 5) > 0.62 && h > 6.5 && h < 23) kw += 1.9;
  return kw + 0.012 * Noise(t, 5, 6);
}

const Net = (t: number) => Load(t) - Sun(t);
const Import = (t: number) => Math.max(0, Net(t));
const Export = (t: number) => Math.max(0, -Net(t));

// A counter whose slope follows the rate's daily mean: exact enough to look at.
function Counter(start: number, per_day: number, shape: (h: number) => number): (t: number) => number {
  const steps: number[] = [0];
  for (let i = 0; i < 96; ++i) steps.push(steps[i]! + shape(i / 4));
  const sum = steps[96]!;
  return (t) => {
    const day = Math.floor((t + 7200) / kDay);
    const at = (HourOf(t) / 24) * 96;
    const i = Math.min(95, Math.floor(at));
    const part = (steps[i]! + (steps[i + 1]! - steps[i]!) * (at - i)) / sum;
    return start + (day - 20_400 + part) * per_day;
  };
}

let next_id = 1;
function F(
  field: string, name: string, quantity: string, unit: string, decimals: number, at: (t: number) => Scalar,
  more: Partial<Field> = {},
): Field {
  const step_s = more.step_s ?? 1;
  return {
    id: next_id++, device: "", field, name, quantity, unit, decimals, kind: "gauge", pace: "fast", diagnostic: false,
    interval_s: step_s, stale_after_s: Math.max(60, 3 * step_s), at, step_s, delay_s: 0, ...more,
  };
}

const Round = (v: number, d: number) => Number(v.toFixed(d));
const kCounter = { kind: "counter" } as const;
const kDiagnostic = { diagnostic: true, pace: "slow" } as const;

function Phase(n: number): Field[] {
  const share = [0.5, 0.2, 0.3][n - 1]!;
  const p = (t: number) => Load(t) * (share + 0.08 * Noise(t, 300, 10 + n)) - Sun(t) / 3;
  const v = (t: number) => 230.4 + 2.6 * Noise(t, 400, 20 + n) - 1.2 * p(t);
  return [
    F(`power_import_l${n}`, `Power imported, L${n}`, "power", "kW", 3, (t) => Round(Math.max(0, p(t)), 3)),
    F(`power_export_l${n}`, `Power exported, L${n}`, "power", "kW", 3, (t) => Round(Math.max(0, -p(t)), 3)),
    F(`voltage_l${n}`, `Voltage, L${n}`, "voltage", "V", 1, (t) => Round(v(t), 1)),
    F(`current_l${n}`, `Current, L${n}`, "current", "A", 2, (t) => Math.round(Math.abs(p(t) * 1000) / v(t))),
    F(`voltage_sags_l${n}`, `Voltage sags, L${n}`, "count", "", 0, () => [3, 1, 0][n - 1]!, { ...kCounter, ...kDiagnostic }),
    F(`voltage_swells_l${n}`, `Voltage swells, L${n}`, "count", "", 0, () => 0, { ...kCounter, ...kDiagnostic }),
  ];
}

function T(key: string, kind: string, title: string, more: Partial<Thing>, fields: Field[]): Thing {
  for (const f of fields) f.device = key;
  return {
    key, protocol: "p1", source: "meter", identity: key.replace(/^\w+?_/, ""), identity_on_wire: true, kind,
    manufacturer: "", model: "", serial: "", firmware: "", parent: null, name: "", place: "", title,
    interval_s: fields[0]?.step_s ?? null, ...more, fields,
  };
}

const HighHours = (h: number) => (h >= 7 && h < 23 ? 1 : 0);
const SunHours = (h: number) => Math.max(0, Math.sin(((h - 8) / 10) * Math.PI)) * (h > 8 && h < 18 ? 1 : 0);

export function House(): Thing[] {
  next_id = 1;
  const meter = T("p1_e0044007382246019", "electricity_meter", "Electricity meter",
    { manufacturer: "ISKRA", model: "AM550", serial: "E0044007382246019", firmware: "50", place: "Hall cupboard" }, [
    F("energy_import_t1", "Energy imported, tariff 1", "energy", "kWh", 3, (t) => Round(Counter(4821.3, 2.4, (h) => 1 - HighHours(h))(t), 3), kCounter),
    F("energy_import_t2", "Energy imported, tariff 2", "energy", "kWh", 3, (t) => Round(Counter(5310.8, 5.9, (h) => HighHours(h) * (h > 16 ? 3 : 1))(t), 3), kCounter),
    F("energy_export_t1", "Energy exported, tariff 1", "energy", "kWh", 3, () => 1204.117, kCounter),
    F("energy_export_t2", "Energy exported, tariff 2", "energy", "kWh", 3, (t) => Round(Counter(3977.2, 11.2, SunHours)(t), 3), kCounter),
    F("power_import", "Power imported", "power", "kW", 3, (t) => Round(Import(t), 3)),
    F("power_export", "Power exported", "power", "kW", 3, (t) => Round(Export(t), 3)),
    F("tariff", "Tariff", "mode", "", 0, (t) => (HighHours(HourOf(t)) ? "normal" : "low"), { kind: "state", pace: "slow", states: [{ code: 1, name: "low" }, { code: 2, name: "normal" }] }),
    ...[1, 2, 3].flatMap(Phase),
    F("power_failures_short", "Power failures, short", "count", "", 0, () => 8, { ...kCounter, ...kDiagnostic }),
    F("power_failures_long", "Power failures, long", "count", "", 0, () => 3, { ...kCounter, ...kDiagnostic }),
    F("dsmr_version", "DSMR version", "identifier", "", 0, () => "50", { kind: "text", ...kDiagnostic }),
    F("equipment_id", "Equipment identifier", "identifier", "", 0, () => "E0044007382246019", { kind: "text", ...kDiagnostic }),
  ]);
  const gas = T("p1_g0039001600123456", "gas_meter", "Gas meter",
    { manufacturer: "Flonidan", serial: "G0039001600123456", parent: meter.key, place: "Hall cupboard" }, [
    F("gas_volume", "Gas volume", "gas_volume", "m³", 3, (t) => Round(Counter(2874.1, 1.9, (h) => (h > 6 && h < 9) || (h > 17 && h < 22) ? 3 : 0.2)(t), 3), { ...kCounter, pace: "slow", step_s: 300, delay_s: 40 }),
    F("valve_state", "Valve", "mode", "", 0, () => "closed", { kind: "state", ...kDiagnostic, step_s: 300, states: [] }),
  ]);
  const water = T("p1_w0012001900765432", "water_meter", "Water meter",
    { manufacturer: "Kamstrup", serial: "W0012001900765432", parent: meter.key }, [
    F("water_volume", "Water volume", "water_volume", "m³", 3, (t) => Round(Counter(611.4, 0.21, (h) => (h > 6 && h < 9 ? 4 : h > 22 ? 0 : 1))(t), 3), { ...kCounter, pace: "slow", step_s: 3600, delay_s: 900 }),
  ]);
  const battery = T("victron_c0ffee112233", "battery_monitor", "SmartShunt 500A",
    { protocol: "victron", source: "ble", manufacturer: "Victron Energy", model: "SmartShunt 500A", name: "House bank", place: "Boat" }, [
    F("state_of_charge", "State of charge", "state_of_charge", "%", 1, (t) => Round(71 + 17 * Math.sin(((HourOf(t) - 13) / 24) * 2 * Math.PI), 1), { step_s: 2 }),
    F("battery_voltage", "Battery voltage", "voltage", "V", 2, (t) => Round(13.21 + 0.12 * Noise(t, 600, 31) + Sun(t) / 12, 2), { step_s: 2 }),
    F("battery_current", "Battery current", "current", "A", 3, (t) => Round(Sun(t) * 3.1 - 4.2 + 0.6 * Noise(t, 60, 32), 3), { step_s: 2 }),
    F("consumed", "Consumed charge", "charge", "Ah", 1, (t) => Round(-58 - 30 * Math.sin((HourOf(t) / 24) * 2 * Math.PI), 1), { step_s: 2 }),
    F("time_to_go", "Time to go", "duration", "min", 0, () => null, { step_s: 2 }),
    F("aux_voltage", "Starter battery voltage", "voltage", "V", 2, (t) => Round(12.7 + 0.02 * Noise(t, 900, 33), 2), { step_s: 2 }),
    F("signal_strength", "Signal strength", "signal_strength", "dBm", 0, (t) => Math.round(-71 + 4 * Noise(t, 30, 34)), { step_s: 2, diagnostic: true }),
  ]);
  const solar = T("victron_d1ffee998877", "solar_charger", "SmartSolar MPPT 100/20",
    { protocol: "victron", source: "ble", manufacturer: "Victron Energy", model: "SmartSolar MPPT 100/20", place: "Boat" }, [
    F("pv_power", "Panel power", "power", "W", 0, (t) => Math.round(Sun(t) * 52), { step_s: 2 }),
    F("state", "Charger state", "mode", "", 0, (t) => (Sun(t) > 2 ? "bulk" : Sun(t) > 0.2 ? "absorption" : "off"), { kind: "state", step_s: 2, states: [] }),
    F("yield_today", "Yield today", "energy", "kWh", 2, (t) => Round(Math.max(0, Math.min(1, (HourOf(t) - 7) / 12)) * 1.32, 2), { step_s: 2 }),
    F("battery_voltage", "Battery voltage", "voltage", "V", 2, (t) => Round(13.24 + 0.12 * Noise(t, 600, 31) + Sun(t) / 12, 2), { step_s: 2 }),
  ]);
  const sensor = T("espnow_24d7eb0a1b2c", "sensor", "Sensor 24d7eb",
    { protocol: "espnow", source: "radio", name: "Engine room", place: "Boat", silent_since_s: 764 }, [
    F("temperature", "Temperature", "temperature", "°C", 1, (t) => Round(21.4 + 3 * Noise(t, 4000, 41), 1), { step_s: 30 }),
    F("humidity", "Humidity", "humidity", "%", 1, (t) => Round(58 + 6 * Noise(t, 5000, 42), 1), { step_s: 30 }),
    F("battery_voltage", "Battery voltage", "voltage", "V", 2, () => 3.71, { step_s: 30, diagnostic: true }),
  ]);
  return [meter, gas, water, battery, solar, sensor];
}

// Texts as a hostile device might send them, wherever a device can send text.
export const kHostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'&lt;`;

export function HostileHouse(): Thing[] {
  const house = House().slice(0, 1);
  const rtl = "\u202eright to left \u0000\u0007 " + "long ".repeat(60);
  const fields = house[0]!.fields;
  const add = (f: Field) => {
    f.device = house[0]!.key;
    f.id = 900 + fields.length;
    fields.push(f);
  };
  add(F("message", kHostile, "message", kHostile, 0, () => kHostile, { kind: "text" }));
  add(F("mode2", "Mode " + kHostile, "mode", "", 0, () => `unknown(0x2A) ${kHostile}`, { kind: "state", states: [] }));
  add(F("__proto__", "Prototype", "constructor", "", 2, () => 1.5));
  add(F("long", rtl, "temperature", "°C", 1, () => 1e21));
  Object.assign(house[0]!, {
    title: kHostile, manufacturer: kHostile, model: "</title></script>" + kHostile, serial: kHostile, place: kHostile,
    firmware: "javascript:alert(1)", identity: kHostile,
  });
  house.push(T("p1_" + "x".repeat(60), kHostile, "javascript:document.title='owned'", { manufacturer: rtl, parent: house[0]!.key }, [
    F("temperature", kHostile, kHostile, kHostile, 1, () => 20.5),
  ]));
  house[1]!.fields[0]!.id = 990;
  house.push(T("__proto__", "constructor", "toString", { protocol: "valueOf" }, [
    F("hasOwnProperty", "", "toString", "", -3, () => "toString", { kind: "constructor" as "state" }),
  ]));
  house[2]!.fields[0]!.id = 991;
  return house;
}
