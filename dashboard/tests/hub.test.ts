// The page against the real hub and its demo. Needs VESTA_BIN, the built program; test.mjs leaves this file out without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { CloseBrowser, Open, Violations, type Opened } from "./browser.ts";
import { Demo } from "./demo.ts";

const program = process.env["VESTA_BIN"]!;
// The demo lives through a day before its meters begin to send.
const kWait = { timeout: 60_000 };

let demo: Demo;
before(async () => {
  demo = new Demo(program);
  await demo.Start();
});
after(async () => {
  await CloseBrowser();
  await demo.Close();
});

const AssertClean = async (o: Opened) => {
  assert.deepEqual(await Violations(o.page), []);
  assert.deepEqual(o.foreign, []);
  assert.deepEqual(o.problems.filter((p) => !p.startsWith("Failed to load resource")), []);
};

// Waits, and when it was for nothing says what the page showed and logged instead.
const Shows = (o: Opened, what: Locator) =>
  what.first().waitFor(kWait).catch(async () => {
    assert.fail(`${what} did not come. Shown: ${await o.page.locator("body").innerText()}\nLogged: ${o.problems.join("\n")}`);
  });

test("the hub serves the page under a strict policy, without inline script or style", async () => {
  const response = await fetch(demo.url);
  assert.equal(response.status, 200);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
});

test("the demo's meters come alive, with net power in words and today's use", async () => {
  const o = await Open(demo.url);
  const card = o.page.locator(".card", { has: o.page.locator(".hero-words", { hasText: /grid/ }) }).first();
  await card.locator(".hero.fresh .digits").waitFor(kWait);
  await card.locator(".fact", { hasText: /^Taken (today|since)/ }).locator(".digits").waitFor(kWait);
  await card.locator(".spark .stroke").waitFor(kWait);
  const text = () => card.locator(".hero").innerText();
  const first = await text();
  const until = Date.now() + kWait.timeout;
  while ((await text()) === first) {
    assert.ok(Date.now() < until, "the value does not move");
    await o.page.waitForTimeout(200);
  }
  assert.equal(await o.page.locator(".link-state.live").count(), 1);
  await AssertClean(o);
  await o.close();
});

test("every view of every device opens, and its chart is drawn", async () => {
  const { devices } = (await (await fetch(demo.url + "api/v1/devices")).json()) as {
    devices: { key: string; title: string; series: { kind: string }[] }[];
  };
  assert.ok(devices.length > 1);
  const o = await Open(demo.url);
  for (const device of devices) {
    await o.page.goto(`${demo.url}#/device/${encodeURIComponent(device.key)}?range=24h`);
    await Shows(o, o.page.getByRole("heading", { name: device.title, level: 1 }));
    // A line that only says whether it is up has nothing to draw.
    if (!device.series.some((series) => series.kind === "gauge" || series.kind === "counter")) continue;
    await o.page.locator(".plot:not(.busy) canvas").waitFor(kWait);
    await Shows(o, o.page.locator(".plot[aria-label*=lowest]"));
  }
  await o.page.goto(demo.url + "#/health");
  await o.page.locator(".item").first().waitFor(kWait);
  // Each source of the demo does its work; the slow meters say their first word after ten seconds.
  await o.page.locator(".item.warn, .item.bad").first().waitFor({ ...kWait, state: "detached" });
  assert.equal(await o.page.locator(".item.warn, .item.bad").count(), 0);
  await o.page.locator(".summary .fact", { hasText: "Version" }).waitFor(kWait);
  await o.page.goto(demo.url + "#/unknown");
  await o.page.locator(".frames[aria-busy=false]").waitFor({ ...kWait, state: "attached" });
  assert.equal(await o.page.locator(".error").count(), 0);
  await AssertClean(o);
  await o.close();
});

test("keys: which are there, and in words what is wrong with one", async () => {
  const o = await Open(demo.url + "#/keys");
  await Shows(o, o.page.getByRole("heading", { name: "Keys", level: 1 }));
  await Shows(o, o.page.locator("td", { hasText: "c0:ff:ee:10:00:00" }));
  await o.page.getByLabel("Key, 32 hex digits").fill("0123456789abcdef0123456789abcde");
  await o.page.getByRole("button", { name: "Check" }).click();
  await Shows(o, o.page.locator(".keys-form [role=status]", { hasText: "31" }));
  assert.equal(await o.page.getByRole("button", { name: /Remove/ }).count(), 0, "those of the file stay");
  await AssertClean(o);
  await o.close();
});

test("the boat's bus: its nodes, their items, and who asks whom", async () => {
  const o = await Open(demo.url);
  await o.page.getByRole("link", { name: "Bus", exact: true }).click(kWait);
  const shunt = o.page.locator(".bus-node", { hasText: "MSH House shunt" });
  await Shows(o, shunt.locator("tr", { hasText: "State of Charge" }).locator("td", { hasText: /^[0-9.]+ %$/ }));
  await Shows(o, o.page.locator("#asks tr", { hasText: "MSH House shunt" }));
  assert.match(await shunt.locator("h2 a").getAttribute("href") ?? "", /masterbus_6f1297/);
  await AssertClean(o);
  await o.close();
});

test("a name given on the page is the hub's", async () => {
  const o = await Open(demo.url);
  const { devices } = (await (await fetch(demo.url + "api/v1/devices")).json()) as { devices: { key: string; name: string }[] };
  const key = devices.find((d) => d.name === "")!.key; // what the configuration names stays so
  await o.page.goto(`${demo.url}#/device/${encodeURIComponent(key)}`);
  await Shows(o, o.page.getByRole("button", { name: "Name and place" }));
  await o.page.getByRole("button", { name: "Name and place" }).click();
  await o.page.getByLabel("Name", { exact: true }).fill("Renamed <b>here</b>");
  await o.page.getByRole("button", { name: "Save" }).click();
  await o.page.getByRole("heading", { name: "Renamed <b>here</b>" }).waitFor(kWait);
  const device = (await (await fetch(`${demo.url}api/v1/devices/${encodeURIComponent(key)}`)).json()) as { name: string };
  assert.equal(device.name, "Renamed <b>here</b>");
  await AssertClean(o);
  await o.close();
});

test("the hub killed: values are old and said so; started again: fresh without a reload", async () => {
  const o = await Open(demo.url);
  await o.page.locator(".hero.fresh").first().waitFor(kWait);
  await demo.Stop("SIGKILL");
  await o.page.getByText("This page lost contact with the hub: the values are old.").waitFor(kWait);
  assert.equal(await o.page.locator(".hero.fresh").count(), 0);
  await demo.Start();
  await o.page.locator(".hero.fresh").first().waitFor(kWait);
  assert.equal(await o.page.locator(".lost").count(), 0);
  await AssertClean(o);
  await o.close();
});
