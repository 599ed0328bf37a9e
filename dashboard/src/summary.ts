// What a card says first about a device, made from its field table: the quantity that matters most for its kind, the
// next few, and the rest in groups. A protocol added to the hub gets sensible cards without a line changed here.

import type { Device, Series } from "./api.ts";

// Most telling quantities first. A kind that is not named uses kUsual.
const kUsual = [
  "power", "state_of_charge", "gas_volume", "water_volume", "heat_energy", "temperature", "voltage", "current",
  "oxygen", "humidity", "pressure", "energy", "level", "volume", "speed", "mass", "charge", "illuminance",
  "sound_level", "mode", "presence", "problem", "duration", "ratio", "frequency", "count",
];
// Looked up with words from the hub, so as maps: a device that calls itself "constructor" finds nothing in them.
const kByKind = new Map(Object.entries({
  electricity_meter: ["power", "energy", "mode", "voltage", "current"],
  gas_meter: ["gas_volume", "volume", "temperature"],
  water_meter: ["water_volume", "volume", "temperature"],
  heat_meter: ["heat_energy", "temperature", "power", "volume"],
  cooling_meter: ["heat_energy", "temperature", "power", "volume"],
  battery_monitor: ["state_of_charge", "voltage", "current", "power", "duration", "temperature"],
  battery: ["state_of_charge", "voltage", "current", "temperature"],
  solar_charger: ["power", "mode", "energy", "voltage", "current"],
  ac_charger: ["mode", "current", "voltage", "power"],
  inverter: ["power", "apparent_power", "mode", "voltage", "current"],
  dc_converter: ["voltage", "mode", "current", "power"],
  incubator: ["temperature", "humidity", "oxygen", "mode"],
  sensor: ["temperature", "humidity", "pressure", "level", "illuminance"],
}));
const kKindOrder = [
  "electricity_meter", "gas_meter", "water_meter", "heat_meter", "cooling_meter", "battery_monitor", "battery",
  "solar_charger", "inverter", "ac_charger", "dc_converter", "incubator", "sensor", "node", "gateway", "other",
];

const kPhase = /_l[123]$/;

export function Find(device: Device, field: string): Series | undefined {
  return device.series.find((s) => s.field === field);
}

function Rank(device: Device, series: Series): number {
  const order = kByKind.get(device.kind) ?? kUsual;
  let rank = order.indexOf(series.quantity);
  if (rank < 0) rank = order.length + (kUsual.indexOf(series.quantity) + 1 || kUsual.length + 1);
  // The whole before its parts, the present before averages and peaks.
  if (kPhase.test(series.field)) rank += 0.4;
  if (/average|_last|_max|_min|_peak|limit|threshold|absolute/.test(series.field)) rank += 0.6;
  return rank;
}

// Of a quantity that people look for, and so worth a place on a card.
export function Usual(device: Device, series: Series): boolean {
  return kUsual.includes(series.quantity) || (kByKind.get(device.kind) ?? []).includes(series.quantity);
}

// The fields worth showing without being asked, best first. Stable: equal ranks keep the order of the field table.
export function Ranked(device: Device): Series[] {
  return device.series
    .filter((s) => !s.diagnostic && s.kind !== "text")
    .map((s, i) => ({ s, i, rank: Rank(device, s) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map((x) => x.s);
}

export function Watts(series: Series, value: number): number {
  return series.unit === "kW" ? value * 1000 : value;
}

export interface PowerPair {
  import?: Series;
  export?: Series;
  net?: Series; // signed, + from the grid
}

// The fields that tell which way power flows, for the whole connection or one phase ("_l1").
export function PowerFields(device: Device, phase = ""): PowerPair | undefined {
  const pick = (field: string) => {
    const s = Find(device, field + phase);
    return s && s.quantity === "power" && (s.unit === "W" || s.unit === "kW") ? s : undefined;
  };
  const pair: PowerPair = {};
  const [from, to, net] = [pick("power_import"), pick("power_export"), pick("power_net")];
  if (from) pair.import = from;
  if (to) pair.export = to;
  if (net) pair.net = net;
  return from || net ? pair : undefined;
}

export type Direction = "import" | "export" | "idle";

// Net power in watts, + from the grid; undefined when it cannot be told. A meter sends both directions in one telegram
// and one of them is zero, but a meter that has an export register and lost its value says nothing of the balance.
export function NetPower(pair: PowerPair, value: (series: Series) => number | undefined): number | undefined {
  if (pair.import) {
    const from = value(pair.import);
    if (from === undefined) return undefined;
    if (!pair.export) return Watts(pair.import, from);
    const to = value(pair.export);
    if (to === undefined) return undefined;
    return Watts(pair.import, from) - Watts(pair.export, to);
  }
  if (!pair.net) return undefined;
  const net = value(pair.net);
  return net === undefined ? undefined : Watts(pair.net, net);
}

export function DirectionOf(watts: number): Direction {
  if (watts >= 0.5) return "import";
  return watts <= -0.5 ? "export" : "idle";
}

export const kDirectionWords: Record<Direction, string> = {
  import: "taken from the grid",
  export: "fed into the grid",
  idle: "in balance with the grid",
};

export const kPhases = ["_l1", "_l2", "_l3"] as const;

export interface DayCounter {
  label: string; // "Taken today"
  since: string; // "Taken since": what it says when today began before the first reading
  unit: string;
  decimals: number;
  parts: Series[]; // summed: tariffs
}

const kDayQuantities = new Set(["energy", "gas_volume", "water_volume", "heat_energy", "volume"]);

// Counters whose use since midnight belongs on the card. Tariffs add up to one; a total, when sent, makes them needless.
export function DayCounters(device: Device): DayCounter[] {
  const counters = device.series.filter((s) => s.kind === "counter" && !s.diagnostic && kDayQuantities.has(s.quantity));
  const used = new Set<Series>();
  const list: DayCounter[] = [];
  for (const [stem, word] of [["energy_import", "Taken"], ["energy_export", "Fed in"]] as const) {
    const total = counters.find((s) => s.field === stem + "_total" || s.field === stem);
    const tariffs = counters.filter((s) => s.field.startsWith(stem + "_t") && /_t\d+$/.test(s.field));
    const parts = total ? [total] : tariffs;
    for (const s of [...tariffs, ...(total ? [total] : [])]) used.add(s);
    const first = parts[0];
    if (first) {
      list.push({ label: word + " today", since: word + " since", unit: first.unit, decimals: Math.min(2, first.decimals), parts });
    }
  }
  if (list.length === 0) {
    for (const s of counters.filter((c) => !used.has(c)).slice(0, 2)) {
      list.push({ label: "Today", since: "Since", unit: s.unit, decimals: s.decimals, parts: [s] });
    }
  }
  return list;
}

export interface Group {
  title: string;
  series: Series[];
}

const kGroups: [string, string[]][] = [
  ["Power", ["power", "reactive_power", "apparent_power", "power_factor"]],
  ["Energy and volume", ["energy", "reactive_energy", "apparent_energy", "gas_volume", "water_volume", "heat_energy",
    "volume", "charge"]],
  ["Voltage and current", ["voltage", "current", "frequency"]],
  ["Climate", ["temperature", "humidity", "pressure", "oxygen", "illuminance", "sound_level"]],
  ["State", ["state_of_charge", "mode", "problem", "presence", "message", "duration", "instant"]],
];

// All fields of a device, grouped for reading; the diagnostic ones apart.
export function Grouped(device: Device): { groups: Group[]; diagnostic: Series[] } {
  const plain = device.series.filter((s) => !s.diagnostic);
  const groups: Group[] = [];
  const taken = new Set<Series>();
  for (const [title, quantities] of kGroups) {
    const series = plain.filter((s) => quantities.includes(s.quantity));
    for (const s of series) taken.add(s);
    if (series.length) groups.push({ title, series });
  }
  const rest = plain.filter((s) => !taken.has(s));
  if (rest.length) groups.push({ title: groups.length ? "Other" : "Values", series: rest });
  return { groups, diagnostic: device.series.filter((s) => s.diagnostic) };
}

// Meters before chargers before gateways; a device heard through another stands behind it.
export function InOrder(devices: Iterable<Device>): Device[] {
  const all = [...devices];
  const place = (d: Device) => {
    const at = kKindOrder.indexOf(d.kind);
    return at < 0 ? kKindOrder.length : at;
  };
  const by_key = new Map(all.map((d) => [d.key, d]));
  const compare = (a: Device, b: Device) =>
    place(a) - place(b) || a.title.localeCompare(b.title) || (a.key < b.key ? -1 : 1);
  const list: Device[] = [];
  const seen = new Set<Device>();
  const add = (d: Device) => {
    if (seen.has(d)) return; // also ends a ring of parents that a confused device might announce
    seen.add(d);
    list.push(d);
    for (const child of all.filter((c) => c.parent === d.key).sort(compare)) add(child);
  };
  for (const d of all.filter((c) => c.parent === null || !by_key.has(c.parent)).sort(compare)) add(d);
  for (const d of all.sort(compare)) add(d);
  return list;
}

export interface ChartGroup {
  id: string; // "power:kW"
  title: string;
  unit: string;
  series: Series[];
}

const kQuantityTitles = new Map(Object.entries({
  gas_volume: "Gas", water_volume: "Water", heat_energy: "Heat", state_of_charge: "State of charge", none: "Other",
}));

export function QuantityTitle(quantity: string): string {
  const title = kQuantityTitles.get(quantity) ?? quantity.replace(/_/g, " ");
  return title.charAt(0).toUpperCase() + title.slice(1);
}

// What can be drawn, by quantity and unit: one axis each. Most telling first.
export function ChartGroups(device: Device): ChartGroup[] {
  const groups = new Map<string, ChartGroup>();
  const ranked = Ranked(device);
  for (const s of [...ranked, ...device.series.filter((d) => d.diagnostic)]) {
    if ((s.kind !== "gauge" && s.kind !== "counter") || s.quantity === "instant" || s.quantity === "identifier") continue;
    const id = s.quantity + ":" + s.unit;
    let group = groups.get(id);
    if (!group) groups.set(id, (group = { id, title: QuantityTitle(s.quantity), unit: s.unit, series: [] }));
    group.series.push(s);
  }
  return [...groups.values()];
}

// Shown at first: the whole, not its phases; at most four lines.
export function DefaultSeries(group: ChartGroup): Series[] {
  const whole = group.series.filter((s) => !kPhase.test(s.field) && !s.diagnostic);
  const plain = whole.filter((s) => !/average|_last|_max|_min|_peak|limit|threshold|absolute/.test(s.field));
  const list = plain.length ? plain : whole.length ? whole : group.series;
  return list.slice(0, 4);
}
