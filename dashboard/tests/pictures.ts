// Takes the pictures of the README from the demo of the real hub: VESTA_BIN=build/app/vesta npm run pictures

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { CloseBrowser, Open, type Look } from "./browser.ts";
import { Demo } from "./demo.ts";

const program = process.env["VESTA_BIN"];
if (!program) {
  console.error("VESTA_BIN must name the built program.");
  process.exit(2);
}
const folder = join(process.env["VESTA_DASHBOARD"]!, "../docs/pictures");
const kWait = { timeout: 60_000 };
// Long enough for the demo to have lived, so that ages and lines look as they do in a house.
const kSettle_ms = 20_000;

const demo = new Demo(program);
try {
  mkdirSync(folder, { recursive: true });
  const url = await demo.Start();
  await new Promise((resolve) => setTimeout(resolve, kSettle_ms));
  const { devices } = (await (await fetch(url + "api/v1/devices")).json()) as { devices: { key: string; kind: string }[] };
  const meter = devices.find((d) => d.kind === "electricity_meter") ?? devices[0]!;
  const cards = async (page: Page) => {
    await page.locator(".hero.fresh").first().waitFor(kWait);
    await page.locator(".spark .stroke").first().waitFor(kWait);
    await page.locator(".facts .digits").first().waitFor(kWait);
  };
  const chart = (page: Page) => page.locator(".plot:not(.busy) canvas").waitFor(kWait);
  const item = (page: Page) => page.locator(".item").first().waitFor(kWait);
  const take = async (name: string, hash: string, look: Look, ready: (page: Page) => Promise<void>) => {
    const o = await Open(url + hash, { scale: 1.5, ...look });
    await ready(o.page);
    await o.page.waitForTimeout(1500); // lines below the first card
    await o.page.screenshot({ path: join(folder, name + ".png") });
    console.log(`docs/pictures/${name}.png`);
    await o.close();
  };
  const detail = "#/device/" + encodeURIComponent(meter.key) + "?range=24h";
  await take("home", "", { width: 1280, height: 860 }, cards);
  await take("home-dark", "", { width: 1280, height: 860, dark: true }, cards);
  await take("home-phone", "", { width: 390, height: 844 }, cards);
  await take("device", detail, { width: 1280, height: 860 }, chart);
  await take("health", "#/health", { width: 1280, height: 860 }, item);
} finally {
  await CloseBrowser();
  await demo.Close();
}
