// The real hub, running its demo in a folder of its own until closed.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const kStart_ms = 60_000;
const kStop_ms = 10_000;

function FreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export class Demo {
  url = "";
  port = 0;
  private process: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), "vesta-page-"));
  private said = "";

  constructor(private readonly program: string) {}

  // Starts on a free port, the second time on the same one and with the same data. Resolves when the API answers.
  async Start(): Promise<string> {
    this.port ||= await FreePort();
    this.url = `http://127.0.0.1:${this.port}/`;
    this.said = "";
    const child = spawn(this.program, ["demo", "--http", `127.0.0.1:${this.port}`, "--data", this.folder]);
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (this.said += chunk));
    const until = Date.now() + kStart_ms;
    while (!this.said.includes(`:${this.port}`) || !(await this.Answers())) {
      if (child.exitCode !== null || Date.now() > until) {
        await this.Stop();
        throw new Error("the demo did not start: " + this.said.slice(-2000));
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.url;
  }

  private async Answers(): Promise<boolean> {
    try {
      return (await fetch(this.url + "api/v1/devices")).ok;
    } catch {
      return false;
    }
  }

  async Stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), kStop_ms);
    await ended;
    clearTimeout(timer);
  }

  async Close(): Promise<void> {
    await this.Stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
