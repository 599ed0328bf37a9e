// A stand-in for the hub that speaks docs/api.md with moving values, for tests of the page that need the hub to
// misbehave on command: fall silent, vanish, come back, want a login, tell hostile texts. Not the hub, and no proof
// of it; hub.test.ts runs the page against the real one.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import type { AddressInfo, Socket } from "node:net";
import type { Device, ReadingRow, Value } from "../src/api.ts";
import { Build } from "../build.mjs";
import { kHostile, House, type Field, type Thing } from "./stub_world.ts";
import { WardAnswer, type Stay } from "./stub_ward.ts";

export const kPolicy =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

export class StubHub {
  things: Thing[] = House();
  stays: Stay[] = [];
  password = "";
  scope: "read" | "operate" = "operate";
  redecoded = -1;  // frames of a run that was asked for
  frozen = false; // connected, but no value comes any more
  slow_ms = 0; // before each answer
  readings_gap: [from_ms: number, to_ms: number] | undefined; // history lost in this stretch
  frames = 180; // that were not understood
  resumed: string[] = []; // Last-Event-ID of each stream that asked to resume
  streams_opened = 0;
  refuse = false; // hang up on everybody
  hub_ahead_ms = 0; // the hub's clock against ours
  text_everywhere = ""; // put into every text of sources, outputs and frames
  started_ms = Date.now();

  private server: Server | undefined;
  private sockets = new Set<Socket>();
  private streams = new Set<ServerResponse>();
  private sequence = 0;
  private boot = "b1";
  private timers: NodeJS.Timeout[] = [];
  private assets: Map<string, { content_type: string; gzip: Buffer; etag: string }> | undefined;
  port = 0;

  async Start(port = 0): Promise<string> {
    this.assets ??= new Map((await Build()).map((a) => [a.path, a]));
    this.server = createServer((request, response) => void this.Answer(request, response));
    this.server.on("connection", (socket) => {
      if (this.refuse) socket.destroy();
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server!.listen(port || this.port, "127.0.0.1", resolve));
    this.port = (this.server.address() as AddressInfo).port;
    this.timers.push(setInterval(() => this.Beat(), 1000));
    this.timers.push(setInterval(() => this.streams.forEach((s) => s.write(": ping\n\n")), 15_000));
    return `http://127.0.0.1:${this.port}/`;
  }

  async Stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.DropConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
    this.server = undefined;
  }

  Restart(): void {
    this.boot = "b" + (Number(this.boot.slice(1)) + 1);
    this.sequence = 0;
    this.DropConnections();
  }

  DropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
    this.streams.clear();
  }

  Tell(type: string, data: unknown): void {
    this.sequence += 1;
    const text = `id: ${this.boot}-${this.sequence}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.streams) stream.write(text);
  }

  DeviceOf(thing: Thing): Device {
    const { fields, silent_since_s, ...rest } = thing;
    const age_s = silent_since_s === undefined ? (this.frozen ? 30 : 0.4) : this.SilentS(thing);
    return {
      ...rest,
      title: thing.name || thing.title,
      availability: silent_since_s === undefined ? "online" : "offline",
      last_heard: this.Iso(Date.now() - age_s * 1000),
      age_s,
      series: fields.map(({ at: _at, step_s: _step, delay_s: _delay, ...series }) => series),
    };
  }

  private SilentS(thing: Thing): number {
    return (thing.silent_since_s ?? 0) + (Date.now() - this.started_ms) / 1000;
  }

  private Iso(ms: number): string {
    return new Date(ms + this.hub_ahead_ms).toISOString();
  }

  private ValueOf(thing: Thing, field: Field): Value {
    const silent_s = thing.silent_since_s === undefined ? 0 : this.SilentS(thing);
    const at_s = Math.floor((Date.now() / 1000 - silent_s) / field.step_s) * field.step_s;
    const age_s = Math.max(0, Date.now() / 1000 - at_s);
    const value = field.at(at_s);
    return {
      series: field.id,
      time: this.Iso(at_s * 1000 - field.delay_s * 1000),
      received: this.Iso(at_s * 1000),
      value,
      quality: value === null ? "unavailable" : "ok",
      time_quality: "device_clock",
      stale: field.stale_after_s !== null && age_s > field.stale_after_s,
      age_s,
    };
  }

  AllValues(): Value[] {
    return this.things.flatMap((thing) => thing.fields.map((f) => this.ValueOf(thing, f)));
  }

  private beat = 0;
  private Beat(): void {
    if (this.frozen) return;
    this.beat += 1;
    const values = this.things
      .filter((t) => t.silent_since_s === undefined)
      .flatMap((t) => t.fields.filter((f) => this.beat % f.step_s === 0).map((f) => this.ValueOf(t, f)));
    if (values.length) this.Tell("values", { values });
    this.Tell("sources", { sources: this.Sources() });
    if (this.beat % 2 === 0) this.Tell("outputs", { outputs: this.Outputs() });
  }

  private Sources() {
    const n = 51_342 + this.sequence;
    const x = this.text_everywhere;
    const since = this.Iso(this.started_ms - 93_000_000);
    const none = { error: "", hint: "", unknown_objects: 0, refused_readings: 0, frames_rejected: {}, frames_discarded: {} };
    return [
      { ...none, name: "meter" + x, type: "serial", protocol: "p1", where: "/dev/serial/by-id/usb-FTDI_P1_cable" + x, state: "open",
        state_since: since, opens: 2, bytes: n * 873, frames_accepted: n, readings: n * 32, unknown_objects: 4,
        frames_rejected: { crc: 3 }, frames_discarded: { cut: 1, ...(x ? { [x]: 1 } : {}) }, last_frame: this.Iso(Date.now() - 400),
        last_frame_age_s: this.frozen ? 30 : 0.4, interval_s: 1 },
      { ...none, name: "ble", type: "bluetooth", protocol: "victron", where: "hci0", state: "open", state_since: since, opens: 1,
        bytes: 9_120_441, frames_accepted: 180_233, readings: 1_201_002, frames_rejected: { no_key: 1204 },
        hint: "Frames of f4:ce:36:00:11:22 have no key: add it to \"keys\" in the configuration." + x,
        frames_discarded: {}, last_frame: this.Iso(Date.now() - 1000), last_frame_age_s: 1, interval_s: 1.2 },
      { ...none, name: "garage", type: "tcp", protocol: "p1", where: "ser2net.lan:2001", state: "waiting", error: "connection refused" + x,
        hint: "Nothing listens on port 2001 of ser2net.lan. Is ser2net running there?", state_since: this.Iso(this.started_ms - 512_000),
        opens: 0, bytes: 0, frames_accepted: 0, readings: 0, frames_rejected: {}, frames_discarded: {}, last_frame: null,
        last_frame_age_s: null, interval_s: null },
      { ...none, name: "radio", type: "wifi", protocol: "espnow", where: "wlan1mon", state: "open", state_since: since, opens: 1, bytes: 81_233,
        frames_accepted: 1022, readings: 3066, frames_rejected: {}, frames_discarded: {}, last_frame: this.Iso(Date.now() - 764_000),
        last_frame_age_s: 764 + (Date.now() - this.started_ms) / 1000, interval_s: 30 },
    ];
  }

  private Outputs() {
    const n = 1_642_944 + this.sequence * 32;
    const x = this.text_everywhere;
    const base = { name: "home" + x, type: "mqtt", where: "mqtt://homeassistant.lan:1883" + x, connected: true, error: "",
      state_since: this.Iso(this.started_ms - 93_000_000), connects: 2 };
    return [
      { ...base, delivery_class: "every reading, at least once, original time", accepted: n, sent: n - 64, acknowledged: n - 96,
        waiting: 64, dropped: {}, oldest_unsent_age_s: 2.1 },
      { ...base, delivery_class: "newest value only", accepted: n, sent: 1_604_112, acknowledged: 1_604_112, waiting: 0,
        dropped: { replaced: n - 1_604_112 }, oldest_unsent_age_s: 0 },
      { ...base, name: "cloud", where: "mqtts://broker.example.org:8883", connected: false, error: "connection timed out" + x,
        state_since: this.Iso(this.started_ms - 5_430_000), delivery_class: "every reading, at least once, original time",
        accepted: n, sent: n - 173_811, acknowledged: n - 173_811, waiting: 173_811, dropped: {},
        oldest_unsent_age_s: 5430 + (Date.now() - this.started_ms) / 1000 },
    ];
  }

  private Bus() {
    const x = this.text_everywhere;
    const stamp = this.Iso(this.started_ms);
    const item = (number: number, label: string, unit: string, value: number | null, text = "") =>
      ({ number, menu: "monitoring", label: label + x, unit: unit + x, field: "", value, text, lowest: value, highest: value, values: 9, asked: 10, age_s: value === null ? null : 1 });
    const node = (address: string, name: string, polls: number, by: string[], items: ReturnType<typeof item>[]) =>
      ({ address, type: 27, uid: "31297", name: name + x, article: x, serial: "S01" + x, device: null, online: true, tentative: false, age_s: 0.4,
        frames_per_second: 7.2, frames: 900, announces: 12, polls, refusals: 1, commands: 0, malformed: 0,
        asked: { values: by.length * 300, properties: 40, items: 30, groups: 6, age_s: by.length ? 0.6 : null, by }, items });
    const many = Array.from({ length: 60 }, (_, i) => item(i, "Item " + i, "", i));
    return {
      source: "boat", frames_per_second: 31.4, frames: 18_302, roles: { value: 7000, announce: 120, unknown_kind: 7 }, error_frames: 2, bus_offs: 0,
      asks: false, questions: 0, devices_refused: 0, unknown_forgotten: 0,
      commands: [{ time: stamp, address: "3AF412", item: 56, label: "Power" + x, value: 1, commander: "50840A" }],
      absent: [{ address: "7F1297", requests: 100, last: stamp }],
      unknown: [{ id: "01234567", remote: false, data: "0102FF", moved: [2], size_changed: false, count: 7, first: stamp, last: stamp }],
      nodes: [
        node("6F1297", "MSH House shunt", 0, ["50840A", "3AF412"], [item(0, "State of Charge", "%", 75.5), item(9, "Time", "", 3661, "01:01:01"), item(4, "Remaining", "", null)]),
        node("3AF412", "INT Mass Combi", 4, ["50840A"], many),
        node("50840A", "", 9, [], []),
      ],
    };
  }

  private Unknown(query: URLSearchParams) {
    const before = Number(query.get("before") ?? Infinity);
    const limit = Number(query.get("limit") ?? 50);
    const source = query.get("source");
    const x = this.text_everywhere;
    const frames = [];
    for (let id = this.frames; id >= 1 && frames.length < limit; --id) {
      const serial = id % 9 === 0;
      const from = serial ? "meter" + x : "ble";
      if (id >= before || (source && source !== from)) continue;
      const telegram = `/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(260714093${id % 10}00S)\r\n1-0:1.8.1(00482${id % 10}.310*kWh)\r\n` +
        `1-0:1.7.0(00.3${id % 10}1*kW)\r\n0-0:96.13.0(${kHostile})\r\n!9F3B\r\n`;
      const bytes = serial ? Buffer.from(telegram) : Buffer.from(`e1021000a389${(id * 7919).toString(16).padStart(6, "0")}5a77b0c1d2e3f4`, "hex");
      frames.push({ id, source: from, received: this.Iso(this.started_ms - (this.frames - id) * 41_000), verdict: "rejected",
        reason: serial ? "crc" : "no_key", hex: bytes.toString("hex"), text: bytes.toString("latin1") });
    }
    const newest = this.Iso(this.started_ms);
    const oldest = this.Iso(this.started_ms - 86_400_000);
    return {
      archive: [
        { source: "ble", reason: "no_key", frames: Math.floor((this.frames * 8) / 9), bytes: 18_060, oldest, newest },
        { source: "meter" + x, reason: "crc", frames: Math.floor(this.frames / 9), bytes: 2619, oldest, newest },
      ],
      frames,
    };
  }

  private Readings(query: URLSearchParams) {
    const id = Number(query.get("series"));
    const thing = this.things.find((t) => t.fields.some((f) => f.id === id));
    const field = thing?.fields.find((f) => f.id === id);
    if (!thing || !field) return undefined;
    const from = Date.parse(query.get("from") ?? "") - this.hub_ahead_ms;
    const end = Date.now() - (thing.silent_since_s === undefined ? 0 : this.SilentS(thing) * 1000);
    const to = Math.min(Date.parse(query.get("to") ?? "") - this.hub_ahead_ms, end);
    const points = Number(query.get("points") ?? 1000);
    const rhythm = field.step_s * 1000;
    const total = Math.max(0, Math.floor((to - from) / rhythm));
    const step = Math.max(rhythm, Math.ceil((to - from) / points / rhythm) * rhythm);
    const readings: ReadingRow[] = [];
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      if (this.readings_gap && t > this.readings_gap[0] && t < this.readings_gap[1]) continue;
      readings.push([t + this.hub_ahead_ms, field.at(t / 1000)]);
    }
    return { series: id, from: query.get("from"), to: query.get("to"), total, thinned: step > rhythm, readings };
  }

  private async Answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://stub");
    if (this.slow_ms && url.pathname.startsWith("/api")) await new Promise((r) => setTimeout(r, this.slow_ms));
    const Json = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    const Fail = (status: number, code: string, message: string) => Json({ error: { code, message } }, status);
    if (!url.pathname.startsWith("/api/v1/")) return this.Asset(url.pathname, response);
    const path = url.pathname.slice("/api/v1".length);
    const body = await new Promise<string>((resolve) => {
      let text = "";
      request.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
    });
    const logged_in = this.password === "" || (request.headers.cookie ?? "").includes("vesta_session=stub");
    if (path === "/session") {
      return Json({ login_required: this.password !== "", logged_in, scope: logged_in ? this.scope : null });
    }
    if (path === "/login") {
      if (JSON.parse(body).password !== this.password) return Fail(401, "wrong_password", "The password is wrong.");
      return Json({}, 200, { "Set-Cookie": "vesta_session=stub; HttpOnly; SameSite=Strict; Path=/" });
    }
    if (path === "/logout") return Json({}, 200, { "Set-Cookie": "vesta_session=; Max-Age=0; Path=/" });
    if (!logged_in) return Fail(401, "login_required", "Log in first.");
    if (path === "/events") return this.Stream(request, response);
    if (path === "/devices") return Json({ devices: this.things.map((t) => this.DeviceOf(t)) });
    if (path.startsWith("/devices/")) {
      const thing = this.things.find((t) => t.key === decodeURIComponent(path.slice(9)));
      if (!thing) return Fail(404, "no_such_device", "There is no such device.");
      if (request.method === "PATCH") {
        if (this.scope !== "operate") return Fail(403, "scope", "This needs scope operate.");
        Object.assign(thing, JSON.parse(body));
        this.Tell("device", this.DeviceOf(thing));
      }
      return Json(this.DeviceOf(thing));
    }
    if (path === "/latest") return Json({ time: this.Iso(Date.now()), position: "b1-1", values: this.AllValues() });
    if (path === "/sources") return Json({ sources: this.Sources() });
    if (path === "/outputs") return Json({ outputs: this.Outputs() });
    if (path === "/sources/boat/bus") return Json(this.Bus());
    if (path === "/unknown") return Json(this.Unknown(url.searchParams));
    if (path === "/redecode") {
      // Every answer is a third further; the wish begins a run.
      if (request.method === "POST") this.redecoded = 0;
      else if (this.redecoded >= 0) this.redecoded = Math.min(this.redecoded + 100, 300);
      const running = this.redecoded >= 0 && this.redecoded < 300;
      return Json({ running, source: "garage", why: this.redecoded < 0 ? "" : "asked", run_frames: 300, run_tried: Math.max(this.redecoded, 0),
        waiting: 0, runs: this.redecoded === 300 ? 1 : 0, tried: 300, decoded: 12, readings: 336, error: "" });
    }
    if (path === "/health") {
      return Json({ status: "degraded", reasons: ["source garage: connection refused" + this.text_everywhere, "output cloud: not connected for 1 h 30 min"],
        version: "0.1.0", started: this.Iso(this.started_ms - 93_000_000), uptime_s: 93_000 + (Date.now() - this.started_ms) / 1000,
        journal: {}, memory_rss_bytes: 17_204_224, clock_synchronised: true });
    }
    if (path === "/readings") {
      const readings = this.Readings(url.searchParams);
      return readings ? Json(readings) : Fail(404, "no_such_series", "There is no such series.");
    }
    const ward = WardAnswer(this.things, this.stays, path, url.searchParams, body, (thing) => this.Tell("device", this.DeviceOf(thing)));
    if (ward !== undefined) return Json(ward);
    Fail(404, "not_found", "There is nothing here.");
  }

  private Stream(request: IncomingMessage, response: ServerResponse): void {
    this.streams_opened += 1;
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write("retry: 3000\n\n");
    const last = request.headers["last-event-id"];
    if (typeof last === "string") this.resumed.push(last);
    if (typeof last === "string" && last.startsWith(this.boot + "-")) {
      const data = { values: this.AllValues() };
      response.write(`id: ${this.boot}-${this.sequence}\nevent: values\ndata: ${JSON.stringify(data)}\n\n`);
    } else {
      const data = { devices: this.things.map((t) => this.DeviceOf(t)), values: this.AllValues() };
      response.write(`id: ${this.boot}-${this.sequence}\nevent: snapshot\ndata: ${JSON.stringify(data)}\n\n`);
    }
    this.streams.add(response);
    request.on("close", () => this.streams.delete(response));
  }

  private Asset(path: string, response: ServerResponse): void {
    const asset = this.assets!.get(path === "/" ? "/index.html" : path);
    if (!asset) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": asset.content_type, "Content-Security-Policy": kPolicy, "X-Content-Type-Options": "nosniff" });
    response.end(gunzipSync(asset.gzip));
  }
}
