// Debian's Chromium under playwright-core, and what every page test wants to know of it: nothing was logged as an
// error, no security policy was violated, nothing was asked of another host.

import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

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

// One browser for a whole test file, with a user data folder of its own that goes with it.
let browser: Promise<Browser> | undefined;

export async function CloseBrowser(): Promise<void> {
  const open = browser;
  browser = undefined;
  await (await open)?.close();
}

export async function Open(url: string, look: Look = {}): Promise<Opened> {
  browser ??= chromium.launch({
    executablePath: kChromium,
    headless: true,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ],
  });
  const context = await (await browser).newContext({
    viewport: { width: look.width ?? 1280, height: look.height ?? 900 },
    colorScheme: look.dark ? "dark" : "light",
    hasTouch: look.touch ?? false,
    deviceScaleFactor: look.scale ?? 1,
    timezoneId: "Europe/Amsterdam",
    locale: "en-GB",
  });
  const page = await context.newPage();
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
    const shifts: number[] = [];
    Object.assign(window, { policy_violations: found, shifts });
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) shifts.push((e as unknown as { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
    document.addEventListener("securitypolicyviolation", (e) => found.push(e.violatedDirective + " " + e.blockedURI));
  });
  await page.goto(url);
  return {
    page, context, problems, foreign,
    close: () => context.close(),
  };
}

export function Violations(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { policy_violations: string[] }).policy_violations);
}

// The sum of layout shifts so far, as browsers score them.
export function Shifted(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((a, b) => a + b, 0));
}
