// Debian's Chromium under playwright-core, and what every page test wants to know of it: nothing was logged as an
// error, no security policy was violated, nothing was asked of another host.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

const kChromium = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export interface Opened {
  page: Page;
  context: BrowserContext;
  problems: string[]; // console errors and exceptions
  foreign: string[]; // requests that left the page's origin
  close: () => Promise<void>;
}

export interface Look {
  width?: number;
  height?: number;
  dark?: boolean;
  touch?: boolean;
  scale?: number;
}

export async function Open(url: string, look: Look = {}): Promise<Opened> {
  const data = mkdtempSync(join(tmpdir(), "vesta-chromium-"));
  const context = await chromium.launchPersistentContext(data, {
    executablePath: kChromium,
    headless: true,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ],
    viewport: { width: look.width ?? 1280, height: look.height ?? 900 },
    colorScheme: look.dark ? "dark" : "light",
    hasTouch: look.touch ?? false,
    deviceScaleFactor: look.scale ?? 1,
    timezoneId: "Europe/Amsterdam",
    locale: "en-GB",
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const problems: string[] = [];
  const foreign: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) foreign.push(request.url());
  });
  await page.addInitScript(() => {
    const found: string[] = [];
    Object.assign(window, { policy_violations: found });
    document.addEventListener("securitypolicyviolation", (e) => found.push(e.violatedDirective + " " + e.blockedURI));
  });
  await page.goto(url);
  return {
    page, context, problems, foreign,
    close: async () => {
      await context.close();
      rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

export function Violations(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { policy_violations: string[] }).policy_violations);
}
