// Keys of devices that send sealed adverts: which are there, who is heard without one, and what a key opens.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Ask, Send, type ApiError, type Heard, type HeardRow, type KeyCheck, type KeyRow, type Keys } from "../api.ts";
import { FormatAgo, FormatNumber, Words } from "../format.ts";
import { useAsk } from "../hooks.ts";
import { LateProgress } from "../parts/late.tsx";

const kEvery_ms = 5_000;

function Address(text: string): string {
  return /^[0-9a-f]{12}$/.test(text) ? text.replace(/(..)(?=.)/g, "$1:") : text;
}

function Give({ heard, done }: { heard: HeardRow[]; done: () => void }): JSX.Element {
  const [id, set_id] = useState("");
  const [key, set_key] = useState("");
  const [name, set_name] = useState("");
  const [answer, set_answer] = useState<KeyCheck | undefined>();
  const [error, set_error] = useState("");
  const [busy, set_busy] = useState(false);
  const run = async (work: () => Promise<KeyCheck>, stored: boolean) => {
    set_busy(true);
    set_error("");
    set_answer(undefined);
    try {
      set_answer(await work());
      if (stored) {
        set_key("");
        set_name("");
        done();
      }
    } catch (problem) {
      set_error((problem as ApiError).message);
    }
    set_busy(false);
  };
  const give = (event: Event) => {
    event.preventDefault();
    void run(() => Send<KeyCheck>("PUT", "/keys/" + encodeURIComponent(id.trim()), { key, name: name.trim() }), true);
  };
  const check = () => void run(() => Send<KeyCheck>("POST", "/keys/check", { key, device: id.trim() }), false);
  return (
    <form class="panel keys-form" onSubmit={give} autocomplete="off">
      <h2>Give a key</h2>
      <label>Device's address, or network- and a network's id
        <input value={id} list="heard-addresses" maxLength={64} spellcheck={false} onInput={(e) => set_id(e.currentTarget.value)} />
      </label>
      <datalist id="heard-addresses">
        {heard.map((row) => <option key={row.address} value={Address(row.address)}>{row.name}</option>)}
      </datalist>
      <label>Key, 32 hex digits
        <input value={key} maxLength={100} spellcheck={false} autocomplete="off" onInput={(e) => set_key(e.currentTarget.value)} />
      </label>
      <label>Name
        <input value={name} maxLength={64} onInput={(e) => set_name(e.currentTarget.value)} />
      </label>
      <div class="buttons">
        <button type="button" disabled={busy || key === ""} onClick={check}>Check</button>
        <button type="submit" class="main" disabled={busy || key === "" || id.trim() === ""}>Store</button>
      </div>
      {answer && <p role="status"><bdi>{answer.text}</bdi></p>}
      {error && <p class="error" role="alert"><bdi>{error}</bdi></p>}
    </form>
  );
}

function Stored({ rows, changed }: { rows: KeyRow[]; changed: () => void }): JSX.Element {
  const [error, set_error] = useState("");
  const remove = async (row: KeyRow) => {
    set_error("");
    try {
      await Ask("/keys/" + encodeURIComponent(row.id), { method: "DELETE" });
      changed();
    } catch (problem) {
      set_error((problem as ApiError).message);
    }
  };
  return (
    <section class="panel scroll">
      <h2>Keys that are there</h2>
      {error && <p class="error" role="alert"><bdi>{error}</bdi></p>}
      <table class="archive">
        <thead><tr><th scope="col">Of</th><th scope="col">Name</th><th scope="col">Heard as</th><th scope="col"></th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td class="digits"><bdi>{row.kind === "network" ? row.id : Address(row.id)}</bdi></td>
              <td><bdi>{row.name}</bdi></td>
              <td><bdi>{row.heard_as ?? (row.kind === "network" ? "" : "not heard")}</bdi></td>
              <td class="right">
                {row.origin === "file" ? "from a file"
                  : <button type="button" aria-label={"Remove the key of " + Address(row.id)} onClick={() => void remove(row)}>Remove</button>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function KeysPage(): JSX.Element {
  const keys = useAsk<Keys>("/keys", kEvery_ms);
  const heard = useAsk<Heard>("/heard", kEvery_ms);
  const rows = heard.data?.heard ?? [];
  const locked = rows.filter((row) => !row.has_key && row.reason !== "");
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>Keys</h1></div>
      <p class="lead">Some devices seal what they send. Their maker's app shows the key. What was heard before a key came is decoded then, with its own times; a key is never shown again.</p>
      {(keys.error ?? heard.error) && <p class="error" role="alert">{(keys.error ?? heard.error)!.message}</p>}
      <LateProgress late={keys.data?.late_decode} />
      <Give heard={locked} done={() => keys.again()} />
      {locked.length > 0 && (
        <section class="panel scroll">
          <h2>Heard, but sealed</h2>
          <table class="archive">
            <thead><tr><th scope="col">Address</th><th scope="col">Device</th><th scope="col">Why</th><th scope="col" class="right">Signal</th><th scope="col" class="right">Frames</th><th scope="col" class="wide">Last</th></tr></thead>
            <tbody>
              {locked.map((row) => (
                <tr key={row.source + row.address}>
                  <td class="digits">{Address(row.address)}</td>
                  <td><bdi>{row.name}</bdi></td>
                  <td>{Words(row.reason)}</td>
                  <td class="right digits">{row.rssi_dbm === null ? "" : row.rssi_dbm + " dBm"}</td>
                  <td class="right digits">{FormatNumber(row.frames, 0)}</td>
                  <td class="wide">{FormatAgo((Date.now() - Date.parse(row.last)) / 1000)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {keys.data && keys.data.keys.length > 0 && <Stored rows={keys.data.keys} changed={() => keys.again()} />}
    </>
  );
}
