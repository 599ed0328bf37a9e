// The hub's HTTP API v1 as the page uses it: the shapes of docs/api.md, and one function to ask. The page knows the hub
// by this file only. Every text in these shapes may come from a device and is hostile: it reaches the page as a text
// node or an attribute value, never as markup.

export type Quality = "ok" | "unavailable" | "out_of_range" | "suspect" | "derived";
export type Availability = "unknown" | "online" | "offline";
export type FieldKind = "gauge" | "counter" | "state" | "flag" | "text";
export type Scalar = number | string | boolean | null;

export interface StateName {
  code: number;
  name: string;
}

export interface Series {
  id: number;
  device: string;
  field: string;
  name: string;
  quantity: string;
  unit: string;
  decimals: number;
  kind: FieldKind;
  pace: "fast" | "slow";
  diagnostic: boolean;
  states?: StateName[];
  interval_s: number | null;
  stale_after_s: number | null; // null: sent only when it changes, as fresh as its device
}

export interface Device {
  key: string;
  protocol: string;
  source: string;
  identity: string;
  identity_on_wire: boolean;
  kind: string;
  manufacturer: string;
  model: string;
  serial: string;
  firmware: string;
  parent: string | null;
  name: string;
  place: string;
  title: string;
  availability: Availability;
  last_heard: string | null;
  age_s: number | null;
  bed?: string | null;
  interval_s: number | null;
  series: Series[];
}

export interface Value {
  series: number;
  time: string;
  received: string;
  value: Scalar;
  quality: Quality;
  time_quality: string;
  stale: boolean;
  age_s: number;
}

export type Counts = Record<string, number>;

export interface Source {
  name: string;
  type: string;
  protocol: string;
  where: string;
  state: "stopped" | "opening" | "open" | "waiting" | "failed";
  error: string;
  hint: string;
  state_since: string;
  opens: number;
  bytes: number;
  frames_accepted: number;
  readings: number;
  unknown_objects: number;
  counters?: Counts;
  refused_connections?: number;
  frames_rejected: Counts;
  frames_discarded: Counts;
  refused_readings: number;
  last_frame: string | null;
  last_frame_age_s?: number | null; // may be left out in the live stream
  interval_s: number | null;
  commit_each_frame?: boolean; // a frame counts as accepted once it is durable
  frames_pending?: number;
  frames_refused?: number;
  commit_p50_s?: number | null;
  commit_p99_s?: number | null;
}

export interface Bed {
  bed: string;
  begin: string;
  end: string | null;
}

export interface Beds {
  beds: string[];
  stays: (Bed & { id: number; device: string; by: string })[];
}

export interface Trace {
  reading: {
    number: number; series: number; device: string; field: string; name: string; unit: string; value: Scalar;
    mantissa: number | null; exponent: number | null; code: number | null; quality: string; late: boolean; repaired: boolean;
  };
  time: { time: string; received: string; quality: string; text: string; delay_s: number };
  bed: Bed | null;
  frame: { state: "kept" | "not_kept" | "gone"; text: string; id: number | null; source?: string; received?: string; readings?: number; hex?: string };
  decoder: { source: string; decoder: string; tables: string; since: string } | null;
}

export interface AuditEntry {
  number: number;
  time: string;
  clock: string;
  actor: string;
  action: string;
  details: Record<string, string>;
}

export interface Audit {
  entries: AuditEntry[];
  next_before: number | null;
  health: { error: string };
}

export interface DeviceCounts {
  device: string;
  received: number;
  stored: number;
  delivered: number | null;
  waiting: number | null;
  rejected: number | null;
}

export interface Output {
  name: string;
  type: string;
  delivery_class: string;
  where: string;
  connected: boolean;
  error: string;
  state_since: string;
  accepted: number;
  sent: number;
  acknowledged: number;
  waiting: number;
  dropped: Counts;
  failed?: Counts;
  oldest_unsent_age_s?: number; // may be left out in the live stream
  connects: number;
}

export interface Health {
  status: "ok" | "degraded" | "failing";
  reasons: string[];
  version: string;
  started: string;
  uptime_s: number;
  memory_rss_bytes: number;
  clock_synchronised: boolean;
}

export interface Session {
  login_required: boolean;
  logged_in: boolean;
  scope: "read" | "operate" | null;
}

export type ReadingRow = [time_ms: number, value: Scalar, quality?: Quality];

export interface Readings {
  series: number;
  from: string;
  to: string;
  total: number;
  thinned: boolean;
  before?: ReadingRow | null; // the newest one before `from`
  readings: ReadingRow[];
}

export interface ArchiveRow {
  source: string;
  reason: string;
  frames: number;
  bytes: number;
  oldest: string;
  newest: string;
}

export interface UnknownFrame {
  id: number | string;
  source: string;
  received: string;
  verdict: string;
  reason: string;
  hex: string;
  text: string;
}

// Something inside frames that were understood which no table knows.
export interface UnknownObject {
  source: string;
  code: string;
  example: string;
  count: number;
}

export interface Unknown {
  archive: ArchiveRow[];
  objects?: UnknownObject[];
  frames: UnknownFrame[];
  next_before?: number | string | null; // where older ones go on; null: nowhere
}

export interface KeyRow {
  id: string; // address, or network- and the network's id
  kind: "device" | "network";
  name: string;
  origin: "given" | "file";
  heard_as: string | null;
  device: string | null;
}

// Archived frames that are decoded again.
export interface Late {
  running: boolean;
  source: string;
  why: string;
  run_frames: number;
  run_tried: number;
  waiting: number;
  runs: number;
  tried: number;
  decoded: number;
  readings: number;
  error: string;
}

export interface Keys {
  keys: KeyRow[];
  late_decode: Late;
}

export interface KeyCheck {
  code: string;
  text: string;
  opens: string[];
  maybe: string[];
  tried: number;
}

export interface HeardRow {
  source: string;
  address: string;
  name: string;
  rssi_dbm: number | null;
  frames: number;
  repeats: number;
  rejected: number;
  reason: string;
  has_key: boolean;
  first: string;
  last: string;
  interval_s: number | null;
}

export interface Heard {
  heard: HeardRow[];
  forgotten: number;
}

export const kApi = "/api/v1";
// A hub on a slow board answers a year of history in well under this; beyond it the way is broken.
const kTimeout_ms = 20_000;

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let on_unauthorised: () => void = () => {};
export function OnUnauthorised(listener: () => void): void {
  on_unauthorised = listener;
}

export async function Ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), kTimeout_ms);
  const outer = init.signal;
  outer?.addEventListener("abort", () => timeout.abort());
  let response: Response;
  let text: string;
  try {
    response = await fetch(kApi + path, { cache: "no-store", ...init, signal: timeout.signal });
    text = await response.text();
  } catch {
    throw new ApiError(0, outer?.aborted ? "aborted" : "no_answer", "The hub does not answer.");
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) {
    try {
      return (text === "" ? {} : JSON.parse(text)) as T;
    } catch {
      throw new ApiError(response.status, "bad_answer", "The hub's answer could not be read.");
    }
  }
  if (response.status === 401 && path !== "/login") on_unauthorised();
  let code = "http_" + response.status;
  let message = "The hub answered with status " + response.status + ".";
  try {
    const error = JSON.parse(text).error;
    if (typeof error?.code === "string") code = error.code;
    if (typeof error?.message === "string") message = error.message;
  } catch {
    // Not the hub's own error form (a proxy's page, say): the status has to do.
  }
  throw new ApiError(response.status, code, message);
}

export function Send<T>(method: "POST" | "PATCH" | "PUT", path: string, body: unknown): Promise<T> {
  return Ask<T>(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

// History questions at once: the hub answers a few at a time and sends the rest away, and other pages ask too. A "busy"
// is asked again a little later.
const kHistoryAtOnce = 2;
const kBusyTries = 6;
const kBusyWait_ms = 400;
let asking = 0;
const in_line: { start: () => void; urgent: boolean }[] = [];

async function InTurn<T>(urgent: boolean, stop: AbortSignal, ask: () => Promise<T>): Promise<T> {
  if (asking >= kHistoryAtOnce) {
    await new Promise<void>((start) => {
      const first_idle = in_line.findIndex((waiter) => !waiter.urgent);
      in_line.splice(urgent && first_idle >= 0 ? first_idle : in_line.length, 0, { start, urgent });
    });
  }
  asking += 1;
  try {
    for (let attempt = 1; ; ++attempt) {
      if (stop.aborted) throw new ApiError(0, "aborted", "Not wanted any more.");
      try {
        return await ask();
      } catch (error) {
        const busy = error instanceof ApiError && (error.status === 503 || error.status === 429);
        if (!busy || attempt === kBusyTries) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, kBusyWait_ms * attempt));
    }
  } finally {
    asking -= 1;
    in_line.shift()?.start();
  }
}

// urgent: what the reader clicked, before what cards ask by themselves.
export function AskReadings(
  series: number,
  from_ms: number,
  to_ms: number,
  points: number,
  stop: AbortSignal,
  urgent = false,
): Promise<Readings> {
  const query = new URLSearchParams({
    series: String(series),
    from: new Date(from_ms).toISOString(),
    to: new Date(to_ms).toISOString(),
    points: String(Math.max(1, Math.min(10_000, Math.round(points)))),
  });
  return InTurn(urgent, stop, () => Ask<Readings>("/readings?" + query, { signal: stop }));
}
