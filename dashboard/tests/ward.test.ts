// The ward's views in a real Chromium against the stub hub: the notice stands everywhere, old is unmistakable, a value
// leads to how it came about.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { CloseBrowser, Open, Violations, type Look, type Opened } from "./browser.ts";
import { StubHub } from "./stub.ts";
import { Ward } from "./stub_ward.ts";
import { House } from "./stub_world.ts";

const kWait = { timeout: 20_000 };
const kNotice = "Information only: not for alarming or therapy. Not a medical device.";
const kFirst = "#/device/medibus_asfh0001";

let stub: StubHub;
let url: string;
let open: Opened[] = [];

beforeEach(async () => {
  stub = new StubHub();
  stub.things = [...House().slice(0, 1), ...Ward()];
  url = await stub.Start();
});
afterEach(async () => {
  for (const o of open) await o.close();
  open = [];
  await stub.Stop();
});
after(CloseBrowser);

async function Visit(hash: string, look: Look = {}): Promise<Opened> {
  const opened = await Open(url + hash, look);
  open.push(opened);
  return opened;
}

async function AssertClean(o: Opened): Promise<void> {
  assert.deepEqual(await Violations(o.page), []);
  assert.deepEqual(o.foreign, []);
  assert.deepEqual(o.problems.filter((p) => !p.startsWith("Failed to load resource")), []);
  assert.equal(await o.page.locator("main img, main script").count(), 0);
  assert.equal(await o.page.title(), "Vesta");
}

test("the ward shows each incubator with its bed, values, set-points and alarms, under the notice", async () => {
  const o = await Visit("#/ward");
  await o.page.locator(".bed").nth(4).waitFor(kWait);
  assert.deepEqual(await o.page.locator(".bed h2").allInnerTexts(), ["Bed 1", "Bed 2", "Bed 3", "Bed 4", "no bed"]);
  assert.equal((await o.page.locator(".notice:not(.small)").innerText()).trim(), kNotice);
  assert.equal(await o.page.locator(".bed .notice", { hasText: kNotice }).count(), 5);
  const first = o.page.locator("[data-key=medibus_asfh0001]");
  await first.locator(".fresh .digits", { hasText: "33.6" }).waitFor(kWait);
  assert.match(await first.innerText(), /set 34\.0/);
  assert.equal(await first.locator(".alarms .alarm").count(), 0);
  assert.equal(await o.page.locator("[data-key=medibus_asfh0002] .alarm", { hasText: "AIR TEMP HI" }).count(), 1);
  await AssertClean(o);
  if (process.env["PICTURES"]) await o.page.screenshot({ path: process.env["PICTURES"] + "/ward.png", fullPage: true });
});

test("a silent incubator is unmistakable: no present alarm, no fresh value, and it says why", async () => {
  const o = await Visit("#/ward");
  const silent = o.page.locator("[data-key=medibus_asfh0003].silent");
  await silent.waitFor(kWait);
  assert.match(await silent.innerText(), /Values are old: not heard/);
  assert.match(await silent.innerText(), /was on when last heard/);
  assert.equal(await silent.locator(".alarms .alarm").count(), 0);
  assert.equal(await silent.locator(".bed-values .fresh").count(), 0);
  assert.match(await o.page.locator("[data-key=medibus_asfh0004].silent").innerText(), /link silent/);
  assert.equal(await o.page.locator(".bed.silent").count(), 2);
  await stub.Stop();
  await o.page.waitForFunction(() => document.querySelectorAll(".bed.silent").length === 5, undefined, kWait);
  assert.equal(await o.page.locator(".bed-values .fresh").count(), 0);
});

test("a value leads to its trace: bytes, decoder, tables, time and bed", async () => {
  const o = await Visit(kFirst);
  await o.page.locator(".notice", { hasText: kNotice }).first().waitFor(kWait);
  const row = o.page.locator(".row", { hasText: "Air temperature" }).first();
  await row.locator("a.traced").click();
  await o.page.getByText("builtin-1/0123456789abcdef").waitFor(kWait);
  const text = await o.page.locator("main").innerText();
  for (const part of ["vesta 0.1.0 medibus", "336 × 10^-1", "Bed 1", "which was synchronised", kNotice, "01 24 36 44"]) assert.ok(text.includes(part), part);
  await AssertClean(o);
  if (process.env["PICTURES"]) await o.page.screenshot({ path: process.env["PICTURES"] + "/trace.png", fullPage: true });
});

test("where an incubator stands can be said and ended", async () => {
  const o = await Visit(kFirst);
  const panel = o.page.locator(".panel", { has: o.page.locator("h2", { hasText: /^Bed$/ }) });
  await panel.getByLabel("Stands at").fill("Bed 9");
  await panel.getByRole("button", { name: "From now on" }).click();
  await panel.locator("p strong", { hasText: "Bed 9" }).waitFor(kWait);
  await panel.getByRole("button", { name: "At no bed any more" }).click();
  await panel.getByText("At no bed", { exact: true }).waitFor(kWait);
  assert.equal(stub.stays.length, 1);
  if (process.env["PICTURES"]) await o.page.screenshot({ path: process.env["PICTURES"] + "/incubator.png", fullPage: true });
  stub.scope = "read";
  const reader = await Visit(kFirst);
  await reader.page.locator("h2", { hasText: /^Bed$/ }).waitFor(kWait);
  assert.equal(await reader.page.getByLabel("Stands at").count(), 0);
});

test("the audit log is read page by page", async () => {
  const o = await Visit("#/audit");
  await o.page.locator(".audit li").nth(99).waitFor(kWait);
  await o.page.getByRole("button", { name: "Show older entries" }).click();
  await o.page.locator(".audit li").nth(119).waitFor(kWait);
  assert.equal(await o.page.getByRole("button", { name: "Show older entries" }).count(), 0);
  await AssertClean(o);
  if (process.env["PICTURES"]) await o.page.screenshot({ path: process.env["PICTURES"] + "/audit.png" });
});

test("on a phone the ward fits", async () => {
  for (const hash of ["#/ward", kFirst, "#/audit", "#/trace/2001"]) {
    const o = await Visit(hash, { width: 360, height: 740, touch: true });
    await o.page.locator("h1").waitFor(kWait);
    await o.page.waitForTimeout(300);
    const wide = await o.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${hash} is ${wide} px too wide`);
    if (process.env["PICTURES"] && hash === "#/ward") await o.page.screenshot({ path: process.env["PICTURES"] + "/phone.png" });
  }
});

test("a house without incubators has no ward", async () => {
  stub.things = House();
  const o = await Visit("");
  await o.page.locator(".card").first().waitFor(kWait);
  assert.equal(await o.page.locator("nav a", { hasText: "Ward" }).count(), 0);
});
