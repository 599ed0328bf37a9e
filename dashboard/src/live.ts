// What the page knows: devices, newest values, health of sources and outputs, kept true by the hub's live stream. Views
// subscribe to a topic ("devices", "device/KEY", "sources", "outputs", "link", "session") and are called at most once a
// frame. When the stream breaks everything known stays, but counts as old at once (see stale.ts).

import { Ask, kApi, OnUnauthorised, type Device, type Output, type Session, type Source, type Value } from "./api.ts";
import { ClockStepped, ElapsedS, Now, SetHubTime, type Instant } from "./clock.ts";
import { EventParser, Follow, type StreamEvent } from "./events.ts";
import { Hold, type DeviceAge, type Held, type Link } from "./stale.ts";

type Listener = () => void;

// A break shorter than this is a hiccup nobody needs to read about; values keep ageing meanwhile.
const kLostAfter_ms = 2_500;
const kRetryLast_ms = 15_000;

class Hub {
  readonly devices = new Map<string, Device>();
  readonly values = new Map<number, Held>();
  readonly ages = new Map<string, DeviceAge>();
  sources: Source[] | undefined;
  outputs: Output[] | undefined;
  // When the sources and outputs were told, so that their ages count on too.
  sources_at: Instant = Now();
  outputs_at: Instant = Now();
  session: Session | undefined;
  link: Link = "connecting";
  lost_since: Instant | undefined;
  snapshots = 0;
  coalesced = 0;

  private readonly device_of = new Map<number, string>();
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly value_listeners = new Map<number, Set<(held: Held) => void>>();
  private readonly pending = new Set<string>();
  private scheduled = false;
  private last_id = "";
  private stop: AbortController | undefined;
  private lost_timer: ReturnType<typeof setTimeout> | undefined;

  On(topic: string, listener: Listener): () => void {
    let set = this.listeners.get(topic);
    if (!set) this.listeners.set(topic, (set = new Set()));
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.listeners.get(topic) === set) this.listeners.delete(topic);
    };
  }

  // Every value of a series as it comes, for charts.
  OnValue(series: number, listener: (held: Held) => void): () => void {
    let set = this.value_listeners.get(series);
    if (!set) this.value_listeners.set(series, (set = new Set()));
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.value_listeners.get(series) === set) this.value_listeners.delete(series);
    };
  }

  Start(): void {
    OnUnauthorised(() => this.Lock());
    this.WatchClock();
    addEventListener("online", () => this.Reconnect());
    void this.Run();
  }

  // A login or logout changes who we are: ask everything anew.
  Reconnect(): void {
    this.stop?.abort();
    this.wake?.();
  }

  PutDevice(device: Device): void {
    this.TakeDevice(device, Now());
    this.Changed("device/" + device.key);
    this.Changed("devices");
  }

  private wake: Listener | undefined;

  private async Run(): Promise<void> {
    let failures = 0;
    for (;;) {
      this.stop = new AbortController();
      const before = this.snapshots;
      const end = await this.Once(this.stop.signal);
      failures = this.snapshots > before || end === "stopped" ? 0 : failures + 1;
      if (end === "unauthorised") this.Lock();
      else this.LostSoon();
      const wait = this.link === "locked" ? 3_600_000 : end === "stopped" ? 50 : this.RetryMs(failures);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
  }

  // Spread, so that twenty wall displays do not come back in the same instant.
  private RetryMs(failures: number): number {
    return Math.min(kRetryLast_ms, 1000 * 2 ** Math.min(failures, 5)) * (0.6 + 0.4 * Math.random());
  }

  private async Once(stop: AbortSignal): Promise<string> {
    try {
      this.session = await Ask<Session>("/session", { signal: stop });
      this.Changed("session");
    } catch {
      return stop.aborted ? "stopped" : "refused";
    }
    if (this.session.login_required && !this.session.logged_in) return "unauthorised";
    if (this.link === "locked") this.SetLink("connecting");
    const parser = new EventParser((event) => this.Take(event));
    parser.last_id = this.last_id;
    const end = await Follow(kApi + "/events", this.last_id, parser, () => this.Opened(), stop);
    this.last_id = parser.last_id;
    return stop.aborted ? "stopped" : end;
  }

  private Opened(): void {
    clearTimeout(this.lost_timer);
    this.lost_timer = undefined;
    // A resumed stream brings changes only, so what is known is whole again; else the snapshot makes it so.
    if (this.last_id !== "" && this.snapshots > 0) this.SetLink("live");
    const asked = Now();
    void Ask<{ time: string; values: Value[] }>("/latest").then((latest) => {
      SetHubTime(Date.parse(latest.time));
      // What the stream brought meanwhile is newer than this answer.
      this.TakeValues(latest.values.filter((v) => (this.values.get(v.series)?.arrived.mono_ms ?? 0) < asked.mono_ms));
    }, () => {});
    void this.AskHealth();
  }

  async AskHealth(): Promise<void> {
    const [sources, outputs] = await Promise.allSettled([
      Ask<{ sources: Source[] }>("/sources"),
      Ask<{ outputs: Output[] }>("/outputs"),
    ]);
    if (sources.status === "fulfilled") this.TakeSources(sources.value.sources);
    if (outputs.status === "fulfilled") this.TakeOutputs(outputs.value.outputs);
  }

  private LostSoon(): void {
    if (this.lost_timer !== undefined || this.link === "lost" || this.link === "locked") return;
    this.lost_timer = setTimeout(() => {
      this.lost_timer = undefined;
      this.SetLink("lost");
    }, kLostAfter_ms);
  }

  private Lock(): void {
    clearTimeout(this.lost_timer);
    this.lost_timer = undefined;
    if (this.session) this.session = { ...this.session, login_required: true, logged_in: false, scope: null };
    this.last_id = "";
    this.SetLink("locked");
    this.Changed("session");
    this.stop?.abort();
  }

  private SetLink(link: Link): void {
    if (link === this.link) return;
    this.lost_since = link === "lost" ? Now() : undefined;
    this.link = link;
    this.Changed("link");
    for (const key of this.devices.keys()) this.Changed("device/" + key);
  }

  // After a sleep or a clock step no age held here can be trusted: a fresh snapshot brings true ones.
  private WatchClock(): void {
    let before = Now();
    setInterval(() => {
      const now = Now();
      if (ClockStepped(before, now)) {
        this.last_id = "";
        this.Reconnect();
      }
      before = now;
    }, 1000);
  }

  private Take(event: StreamEvent): void {
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    switch (event.type) {
      case "snapshot":
        this.TakeSnapshot(data.devices ?? [], data.values ?? []);
        break;
      case "values":
        this.TakeValues(data.values ?? []);
        break;
      case "device":
        this.PutDevice(data);
        break;
      case "availability": {
        const device = this.devices.get(data.device);
        if (device) this.PutDevice({ ...device, availability: data.availability, age_s: this.AgeOf(device.key) });
        break;
      }
      case "sources":
        this.TakeSources(data.sources ?? []);
        break;
      case "outputs":
        this.TakeOutputs(data.outputs ?? []);
        break;
      case "coalesced":
        this.coalesced += Number(data.count) || 0;
        break;
    }
  }

  private AgeOf(key: string): number | null {
    const age = this.ages.get(key);
    if (!age || age.age_at_arrival_s === null) return null;
    return age.age_at_arrival_s + Math.max(0, Now().mono_ms - age.arrived.mono_ms) / 1000;
  }

  private TakeSnapshot(devices: Device[], values: Value[]): void {
    const gone = new Set(this.devices.keys());
    const now = Now();
    this.values.clear();
    for (const device of devices) {
      gone.delete(device.key);
      this.TakeDevice(device, now);
    }
    for (const key of gone) {
      this.devices.delete(key);
      this.ages.delete(key);
    }
    this.snapshots += 1;
    clearTimeout(this.lost_timer);
    this.lost_timer = undefined;
    this.TakeValues(values);
    this.SetLink("live");
    this.Changed("devices");
    this.Changed("snapshot");
    for (const key of [...this.devices.keys(), ...gone]) this.Changed("device/" + key);
  }

  private TakeDevice(device: Device, now: Instant): void {
    this.devices.set(device.key, device);
    this.ages.set(device.key, { age_at_arrival_s: device.age_s, arrived: now });
    for (const s of device.series) this.device_of.set(s.id, device.key);
  }

  private TakeSources(sources: Source[]): void {
    this.sources = sources;
    this.sources_at = Now();
    this.Changed("sources");
  }

  private TakeOutputs(outputs: Output[]): void {
    const elapsed = ElapsedS(this.outputs_at, Now());
    // The stream may leave the age out: then the last one told goes on, as long as something still waits.
    this.outputs = outputs.map((o, i) => {
      const known = this.outputs?.[i];
      if (o.oldest_unsent_age_s !== undefined || known?.name !== o.name || known.oldest_unsent_age_s === undefined) return o;
      return o.waiting > 0 ? { ...o, oldest_unsent_age_s: known.oldest_unsent_age_s + elapsed } : o;
    });
    this.outputs_at = Now();
    this.Changed("outputs");
  }

  private TakeValues(values: Value[]): void {
    const now = Now();
    for (const value of values) {
      const held = Hold(value, now);
      this.values.set(value.series, held);
      const key = this.device_of.get(value.series);
      if (key !== undefined) {
        const age = this.ages.get(key);
        if (!age || age.age_at_arrival_s === null || (this.AgeOf(key) ?? Infinity) > held.age_at_arrival_s) {
          this.ages.set(key, { age_at_arrival_s: held.age_at_arrival_s, arrived: now });
        }
        this.Changed("device/" + key);
      }
      if (!held.stale_at_hub) this.value_listeners.get(value.series)?.forEach((listener) => listener(held));
    }
  }

  private Changed(topic: string): void {
    this.pending.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page gets no animation frames; a timer keeps the state of its views from piling up.
    const flush = () => {
      this.scheduled = false;
      const topics = [...this.pending];
      this.pending.clear();
      for (const t of topics) this.listeners.get(t)?.forEach((listener) => listener());
    };
    if (document.hidden) setTimeout(flush, 250);
    else requestAnimationFrame(flush);
  }
}

export const hub = new Hub();
