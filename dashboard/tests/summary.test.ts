import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device, Series } from "../src/api.ts";
import {
  ChartGroups, DayCounters, DefaultSeries, DirectionOf, Grouped, InOrder, NetPower, PowerFields, Ranked,
} from "../src/summary.ts";

let id = 0;
function S(field: string, quantity: string, unit: string, more: Partial<Series> = {}): Series {
  return {
    id: ++id, device: "d", field, name: field, quantity, unit, decimals: 3, kind: "gauge", pace: "fast",
    diagnostic: false, interval_s: 1, stale_after_s: 60, ...more,
  };
}
function D(key: string, kind: string, series: Series[], more: Partial<Device> = {}): Device {
  return {
    key, protocol: "p1", source: "s", identity: key, identity_on_wire: true, kind, manufacturer: "", model: "", serial: "",
    firmware: "", parent: null, name: "", place: "", title: key, availability: "online", last_heard: null, age_s: 0,
    interval_s: 1, series, ...more,
  };
}
const counter = { kind: "counter" } as const;

const meter = D("meter", "electricity_meter", [
  S("energy_import_t1", "energy", "kWh", counter), S("energy_import_t2", "energy", "kWh", counter),
  S("energy_export_t1", "energy", "kWh", counter), S("demand_import_average", "power", "kW"),
  S("power_import_l1", "power", "kW"), S("power_export_l1", "power", "kW"), S("power_import", "power", "kW"),
  S("power_export", "power", "kW"), S("voltage_sags_l1", "count", "", { ...counter, diagnostic: true }),
  S("message", "message", "", { kind: "text" }),
]);
const Values = (of: Record<string, number>) => (s: Series) => of[s.field];

test("net power is what is taken less what is fed in, in watts", () => {
  const pair = PowerFields(meter)!;
  assert.equal(NetPower(pair, Values({ power_import: 0.302, power_export: 0 })), 302);
  assert.equal(NetPower(pair, Values({ power_import: 0, power_export: 1.25 })), -1250);
});

test("net power is not known while one of its parts is not", () => {
  const pair = PowerFields(meter)!;
  assert.equal(NetPower(pair, Values({ power_import: 0 })), undefined);
  assert.equal(NetPower(pair, Values({ power_export: 1 })), undefined);
});

test("a meter without an export register is known by import alone, one with a signed value by that", () => {
  const plain = D("d", "electricity_meter", [S("power_import", "power", "W")]);
  assert.equal(NetPower(PowerFields(plain)!, Values({ power_import: 120 })), 120);
  const signed = D("d", "electricity_meter", [S("power_net", "power", "kW")]);
  assert.equal(NetPower(PowerFields(signed)!, Values({ power_net: -0.5 })), -500);
  assert.equal(PowerFields(D("d", "sensor", [])), undefined);
});

test("phases have their own pair", () => {
  assert.equal(NetPower(PowerFields(meter, "_l1")!, Values({ power_import_l1: 0, power_export_l1: 0.04 })), -40);
  assert.equal(PowerFields(meter, "_l2"), undefined);
});

test("direction in words needs half a watt", () => {
  assert.equal(DirectionOf(0.4), "idle");
  assert.equal(DirectionOf(1), "import");
  assert.equal(DirectionOf(-1), "export");
});

test("the most telling comes first: the whole before phases and averages, nothing diagnostic, no texts", () => {
  const fields = Ranked(meter).map((s) => s.field);
  assert.deepEqual(fields.slice(0, 2), ["power_import", "power_export"]);
  assert.ok(fields.indexOf("power_import_l1") < fields.indexOf("demand_import_average"));
  assert.ok(!fields.includes("voltage_sags_l1") && !fields.includes("message"));
  const battery = D("b", "battery_monitor", [S("v", "voltage", "V"), S("soc", "state_of_charge", "%")]);
  assert.equal(Ranked(battery)[0]!.field, "soc");
  const strange = D("x", "never_heard_of", [S("q", "a_new_quantity", "x"), S("t", "temperature", "°C")]);
  assert.deepEqual(Ranked(strange).map((s) => s.field), ["t", "q"]);
});

test("today's use sums the tariffs, and prefers a total to them", () => {
  const list = DayCounters(meter);
  assert.deepEqual(list.map((c) => [c.label, c.parts.map((s) => s.field)]), [
    ["Taken today", ["energy_import_t1", "energy_import_t2"]], ["Fed in today", ["energy_export_t1"]],
  ]);
  const with_total = D("d", "electricity_meter", [...meter.series, S("energy_import_total", "energy", "kWh", counter)]);
  assert.deepEqual(DayCounters(with_total)[0]!.parts.map((s) => s.field), ["energy_import_total"]);
  const gas = D("g", "gas_meter", [S("gas_volume", "gas_volume", "m³", counter)]);
  assert.deepEqual(DayCounters(gas).map((c) => c.label), ["Today"]);
});

test("groups lose no field and keep diagnostic ones apart", () => {
  const { groups, diagnostic } = Grouped(meter);
  assert.equal(groups.flatMap((g) => g.series).length + diagnostic.length, meter.series.length);
  assert.deepEqual(diagnostic.map((s) => s.field), ["voltage_sags_l1"]);
});

test("charts put one unit on one axis and begin with the whole", () => {
  const groups = ChartGroups(meter);
  assert.equal(groups[0]!.id, "power:kW");
  assert.deepEqual(DefaultSeries(groups[0]!).map((s) => s.field), ["power_import", "power_export"]);
  assert.ok(!groups.some((g) => g.series.some((s) => s.kind === "text")));
});

test("devices stand in order, each behind the one it is heard through, and none is lost in a ring", () => {
  const list = InOrder([
    D("sensor", "sensor", []), D("gas", "gas_meter", [], { parent: "meter" }), D("meter", "electricity_meter", []),
    D("ring1", "node", [], { parent: "ring2" }), D("ring2", "node", [], { parent: "ring1" }),
    D("orphan", "water_meter", [], { parent: "gone" }),
  ]);
  assert.deepEqual(list.map((d) => d.key).slice(0, 4), ["meter", "gas", "orphan", "sensor"]);
  assert.equal(list.length, 6);
});
