// The view of a node network in a real Chromium: the stub hub serves the page, its answers of nodes are given here.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { CloseBrowser, Open, Violations, type Opened } from "./browser.ts";
import { StubHub } from "./stub.ts";
import { kHostile } from "./stub_world.ts";

const kWait = { timeout: 20_000 };
const kNow = new Date().toISOString();

const wish = { item: 2, value: 21.5, held: null, state: "sent", clamped: false, reason: "", who: "page", requested: kNow, answered: null };
const node = {
  id: "02bb00000001", source: "home", protocol: "link", number: 3, name: kHostile, group: "Garden", address: "02bb00000001",
  device: "nodes_02bb00000001", firmware: "1.2.3", listed: true, sleepy: true, insecure: false, insecure_writes: false, rssi_dbm: -61,
  hardware: 1, update: { version: "1.3.0", state: "loading", percent: 40, reason: "", ordered: kNow },
  channel: 6, heard: kNow, reports: 734, unknown_items: 0, state: "asleep", note: "tuned to channel 5, heard on 6",
  items: [
    { item: 2, name: "Bath", device: "d", field: "set_point", kind: "gauge", unit: "°C", writable: true, min: 5, max: 30, step: 0.5 },
    { item: 3, name: "Pump", device: "d", field: "switch", kind: "flag", unit: "", writable: true, min: null, max: null, step: 1 },
  ],
  wishes: [wish],
};
const waiting = {
  address: "02bb00000002", source: "home", name: "porch", reason: "compare_code", text: "Let it in when it shows the same six digits.",
  code: "012345", rssi_dbm: -70, channel: 6, node_channel: 5, requests: 4, first: kNow, last: kNow,
};
const network = {
  source: "home", air: "udp", address: "02aa00000001", channel: 6, hub_id: 1, number: 1, nodes: 1, max_nodes: 256, window_s: 0,
  secrets: 1, schedules: 2, problems: [] as string[], firmware: [{ hardware: 1, version: "1.3.0", size: 4096 }],
};

let stub: StubHub;
let opened: Opened | undefined;
let sent: string[] = [];
let window_s = 0;

beforeEach(async () => {
  stub = new StubHub();
  sent = [];
  window_s = 0;
  opened = await Open(await stub.Start());
  await opened.page.route("**/api/v1/nodes**", (route) => {
    const request = route.request();
    if (request.method() === "GET") {
      return route.fulfill({ json: { networks: [{ ...network, window_s }], nodes: [node], waiting: [waiting] } });
    }
    sent.push(`${request.method()} ${new URL(request.url()).pathname} ${request.postData() ?? ""}`);
    if (request.url().endsWith("/window")) window_s = 118;
    return route.fulfill({ status: 204 });
  });
  await opened.page.goto(opened.page.url().replace(/#.*$/, "") + "#/nodes");
  await opened.page.locator(".node h2").waitFor(kWait);
});
afterEach(async () => {
  await opened?.close();
  await stub.Stop();
});
after(CloseBrowser);

test("a node, what was asked of it, and who waits with the reason", async () => {
  const { page } = opened!;
  const text = await page.locator("main").innerText();
  for (const part of ["-61 dBm, channel 6", "734 reports", "sleeps between them", "tuned to channel 5, heard on 6", "21.5 sent", "Firmware 1.3.0: Loading 40 %", "012345", "Tuned to channel 5, heard on 6.", "2 schedules"]) {
    assert.ok(text.replaceAll("\u2212", "-").includes(part), part + " is missing in " + text);
  }
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.deepEqual(await Violations(page), []);
  const folder = process.env["VESTA_PICTURES"];
  if (folder) await page.screenshot({ path: folder + "/nodes.png", fullPage: true });
});

test("set-points, switches, joining and letting in go to the hub", async () => {
  const { page } = opened!;
  await page.getByLabel("Bath, set point").fill("22.5");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByRole("button", { name: "Pump, switch on" }).click();
  await page.getByRole("button", { name: "It shows 012345: let it in" }).click();
  await page.getByRole("button", { name: "Ping" }).click();
  await page.getByRole("button", { name: "Load firmware 1.3.0" }).click();
  await page.getByRole("button", { name: "Let new nodes join for 2 minutes" }).click();
  await page.getByRole("button", { name: "Close joining (118 s left)" }).waitFor(kWait);
  assert.deepEqual(sent, [
    'PUT /api/v1/nodes/02bb00000001/items/2 {"value":"22.5"}',
    'PUT /api/v1/nodes/02bb00000001/items/3 {"value":"1"}',
    'POST /api/v1/nodes/confirm {"address":"02bb00000002","code":"012345"}',
    'POST /api/v1/nodes/orders {"node":"02bb00000001","order":"ping"}',
    'POST /api/v1/nodes/updates {"node":"02bb00000001"}',
    'POST /api/v1/nodes/window {"seconds":"120"}',
  ]);
});
