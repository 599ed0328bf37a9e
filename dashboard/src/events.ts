// Reading of text/event-stream by hand. The browser's own EventSource hides the keep-alive comments and the status of
// a refusal, and so cannot tell a silent hub from a dead connection: this one can, because every byte is a sign of life.

export interface StreamEvent {
  id: string;
  type: string;
  data: string;
}

// Bytes of one event that the page takes; a snapshot of 4,096 devices stays below. Beyond it the stream is not sane.
const kMaxEvent = 64 * 1024 * 1024;

// Cuts a stream of text chunks into events, as the HTML standard's event stream section says.
export class EventParser {
  last_id = "";
  retry_ms = 3000;
  private rest = "";
  private type = "";
  private data: string[] = [];
  private size = 0;
  private skip_lf = false;

  constructor(private readonly on_event: (event: StreamEvent) => void) {}

  Push(chunk: string): void {
    if (this.skip_lf && chunk.startsWith("\n")) chunk = chunk.slice(1);
    this.skip_lf = false;
    let from = 0;
    for (let i = 0; i < chunk.length; ++i) {
      const c = chunk.charCodeAt(i);
      if (c !== 10 && c !== 13) continue;
      this.Line(this.rest + chunk.slice(from, i));
      this.rest = "";
      if (c === 13) {
        if (i + 1 < chunk.length && chunk.charCodeAt(i + 1) === 10) ++i;
        else if (i + 1 === chunk.length) this.skip_lf = true;
      }
      from = i + 1;
    }
    this.rest += chunk.slice(from);
    if (this.rest.length + this.size > kMaxEvent) throw new Error("event too long");
  }

  private Line(line: string): void {
    if (line === "") {
      if (this.data.length) {
        this.on_event({ id: this.last_id, type: this.type || "message", data: this.data.join("\n") });
      }
      this.type = "";
      this.data = [];
      this.size = 0;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") {
      this.data.push(value);
      this.size += value.length;
    } else if (field === "event") this.type = value;
    else if (field === "id" && !value.includes("\0")) this.last_id = value;
    else if (field === "retry" && /^\d{1,6}$/.test(value)) this.retry_ms = Number(value);
  }
}

export type StreamEnd = "ended" | "refused" | "unauthorised";

// The hub sends a comment each 15 s at least: two missed and the connection is dead, whatever TCP believes.
export const kSilence_ms = 35_000;

// Follows the stream until it ends. Resolves with why; never throws.
export async function Follow(
  url: string,
  last_id: string,
  parser: EventParser,
  on_open: () => void,
  stop: AbortSignal,
): Promise<StreamEnd> {
  const abort = new AbortController();
  const on_stop = () => abort.abort();
  stop.addEventListener("abort", on_stop);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), kSilence_ms);
  };
  try {
    alive();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (last_id) headers["Last-Event-ID"] = last_id;
    const response = await fetch(url, { headers, cache: "no-store", signal: abort.signal });
    if (response.status === 401) return "unauthorised";
    if (!response.ok || !response.body) return "refused";
    on_open();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "ended";
      alive();
      parser.Push(decoder.decode(value, { stream: true }));
    }
  } catch {
    return "ended"; // broken off, silent too long, or stopped
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", on_stop);
    abort.abort();
  }
}
