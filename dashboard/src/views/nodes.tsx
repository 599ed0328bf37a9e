// The node network: who is in it and how well it is heard, who waits to join and why, and what can be asked of each node.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Ask, Send, type ApiError } from "../api.ts";
import { FormatAgo, FormatNumber, Words } from "../format.ts";
import { useAsk } from "../hooks.ts";
import { DeviceHref } from "../route.ts";

const kEvery_ms = 2_000;
const kWindow_s = 120;
const kAirs: Record<string, string> = { udp: "UDP", serial: "Radio on a serial port", wifi: "Wi-Fi in monitor mode" };
const kPing = 0xf0;
const kRestart = 0xf1;

// Here and not in the style sheet, which is loaded at first by everybody.
const kLine = { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "0.5rem", margin: "0.5rem 0" };
const kNumber = { width: "7rem" };

interface Network {
  source: string; air: string; address: string; channel: number; nodes: number; max_nodes: number; window_s: number;
  secrets: number; schedules: number; problems: string[]; firmware: Firmware[];
}
interface Firmware {
  hardware: number; version: string; size: number;
}
interface Item {
  item: number; name: string; device: string; field: string; kind: string; unit: string; writable: boolean;
  min: number | null; max: number | null; step: number;
}
interface Wish {
  item: number; value: number; held: number | null; state: string; clamped: boolean; reason: string; requested: string;
}
interface Update {
  version: string; state: string; percent: number; reason: string;
}
interface Node {
  hardware: number; update: Update | null;
  id: string; source: string; protocol: string; number: number; name: string; group: string; device: string; firmware: string;
  sleepy: boolean; insecure: boolean; insecure_writes: boolean; rssi_dbm: number | null; channel: number; heard: string | null;
  reports: number; unknown_items: number; state: string; note: string; items: Item[]; wishes: Wish[];
}
interface Waiting {
  address: string; source: string; name: string; reason: string; text: string; code: string | null; rssi_dbm: number | null;
  channel: number; node_channel: number; requests: number; last: string;
}
interface Nodes {
  networks: Network[]; nodes: Node[]; waiting: Waiting[];
}

type Do = (work: () => Promise<unknown>) => void;

function Ago(time: string | null): string {
  return time === null ? "never" : FormatAgo((Date.now() - Date.parse(time)) / 1000);
}

function Signal({ dbm, channel }: { dbm: number | null; channel: number }): JSX.Element {
  const parts = [dbm === null ? "" : dbm + " dBm", channel === 0 ? "" : "channel " + channel];
  return <>{parts.filter(Boolean).join(", ")}</>;
}

function WishText({ wish }: { wish: Wish }): JSX.Element {
  const value = wish.held !== null && wish.clamped ? ` (it took ${wish.held})` : "";
  const what = wish.item === kPing ? "ping" : wish.item === kRestart ? "restart" : String(wish.value);
  return <span class={"wish " + wish.state} role="status"><bdi>{what} {wish.state}{value}{wish.reason && ": " + wish.reason}</bdi></span>;
}

function Control({ node, item, act }: { node: Node; item: Item; act: Do }): JSX.Element {
  const wish = node.wishes.find((one) => one.item === item.item);
  const [value, set_value] = useState("");
  const set = (text: string) => act(() => Send("PUT", `/nodes/${encodeURIComponent(node.id)}/items/${item.item}`, { value: text }));
  const label = item.name + ", " + Words(item.field);
  return (
    <div style={kLine}>
      <span><bdi>{label}</bdi></span>
      {item.kind === "flag" ? (
        <span class="buttons">
          <button type="button" aria-label={label + " on"} onClick={() => set("1")}>On</button>
          <button type="button" aria-label={label + " off"} onClick={() => set("0")}>Off</button>
        </span>
      ) : (
        <form style={{ ...kLine, margin: "0" }} onSubmit={(e) => { e.preventDefault(); set(value); }}>
          <input type="number" style={kNumber} aria-label={label} value={value} step={item.step} min={item.min ?? undefined} max={item.max ?? undefined}
            onInput={(e) => set_value(e.currentTarget.value)} /> {item.unit} <button type="submit" disabled={value === ""}>Set</button>
        </form>
      )}
      {wish && <WishText wish={wish} />}
    </div>
  );
}

function UpdateText({ update }: { update: Update }): JSX.Element {
  const far = update.state === "loading" ? ` ${update.percent} %` : "";
  return <p class="hint" role="status"><bdi>Firmware {update.version}: {Words(update.state)}{far}{update.reason && ", " + update.reason}</bdi></p>;
}

function NodePanel({ node, act, may, firmware }: { node: Node; act: Do; may: boolean; firmware: Firmware | undefined }): JSX.Element {
  const order = (what: string) => act(() => Send("POST", "/nodes/orders", { node: node.id, order: what }));
  const writable = node.items.filter((item) => item.writable);
  const other = node.wishes.filter((wish) => wish.item >= kPing);
  return (
    <section class={"panel node " + node.state}>
      <h2><bdi>{node.name || node.id}</bdi> <small class={"state " + node.state}>{Words(node.state)}</small></h2>
      <p>
        <span class="digits"><bdi>{node.id}</bdi>{node.number ? ", number " + node.number : ""}</span>{" "}
        {node.group && <bdi>{node.group}</bdi>} <Signal dbm={node.rssi_dbm} channel={node.channel} />, heard {Ago(node.heard)},{" "}
        {FormatNumber(node.reports, 0)} reports{node.sleepy && ", sleeps between them"}{node.firmware && ", firmware " + node.firmware}
        {node.unknown_items > 0 && `, ${node.unknown_items} unknown values`}
      </p>
      {node.note && <p class="hint"><bdi>{node.note}</bdi></p>}
      {node.update && <UpdateText update={node.update} />}
      {node.insecure && <p class="hint">This kind of node can't prove who it is: anybody near can forge what it says.{node.insecure_writes && " Its owner lets it be written to nevertheless."}</p>}
      {writable.map((item) => may
        ? <Control key={item.item} node={node} item={item} act={act} />
        : <p key={item.item}><bdi>{item.name}</bdi></p>)}
      {other.map((wish) => <WishText key={wish.item} wish={wish} />)}
      <div class="buttons" style={kLine}>
        {node.device && <a href={DeviceHref(node.device)}>Values</a>}
        {may && <button type="button" onClick={() => order("ping")}>Ping</button>}
        {may && <button type="button" onClick={() => order("restart")}>Restart</button>}
        {may && firmware && firmware.version !== node.firmware &&
          <button type="button" onClick={() => act(() => Send("POST", "/nodes/updates", { node: node.id }))}>Load firmware {firmware.version}</button>}
        {may && <button type="button" onClick={() => confirm("It has to join anew.") && act(() => Ask("/nodes/" + encodeURIComponent(node.id), { method: "DELETE" }))}>Forget</button>}
      </div>
    </section>
  );
}

function WaitingPanel({ rows, act, may }: { rows: Waiting[]; act: Do; may: boolean }): JSX.Element {
  return (
    <section class="panel scroll">
      <h2>Waiting to join</h2>
      <table class="archive">
        <thead><tr><th scope="col">Node</th><th scope="col">Why</th><th scope="col" class="wide">Signal</th><th scope="col" class="right">Asked</th><th scope="col"></th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.source + row.address}>
              <td><bdi>{row.name}</bdi> <span class="digits">{row.address}</span></td>
              <td><bdi>{row.text || Words(row.reason)}</bdi>{row.code && <> <strong class="digits">{row.code}</strong></>}
                {row.node_channel !== 0 && row.channel !== 0 && row.node_channel !== row.channel && ` Tuned to channel ${row.node_channel}, heard on ${row.channel}.`}</td>
              <td class="wide"><Signal dbm={row.rssi_dbm} channel={row.channel} /></td>
              <td class="right">{FormatNumber(row.requests, 0)} times, {Ago(row.last)}</td>
              <td class="right">{row.code && may && <button type="button" onClick={() => act(() => Send("POST", "/nodes/confirm", { address: row.address, code: row.code }))}>It shows {row.code}: let it in</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function SecretForm({ networks, act }: { networks: Network[]; act: Do }): JSX.Element {
  const [secret, set_secret] = useState("");
  const [name, set_name] = useState("");
  const give = (event: Event) => {
    event.preventDefault();
    act(() => Send("POST", "/nodes/secrets", { secret, name, source: networks[0]!.source }));
    set_secret("");
  };
  return (
    <form class="panel keys-form" onSubmit={give} autocomplete="off">
      <h2>Give a node's secret</h2>
      <label>Secret from the node's label, 32 hex digits
        <input value={secret} maxLength={64} spellcheck={false} autocomplete="off" onInput={(e) => set_secret(e.currentTarget.value)} />
      </label>
      <label>Name
        <input value={name} maxLength={64} onInput={(e) => set_name(e.currentTarget.value)} />
      </label>
      <div class="buttons"><button type="submit" class="main" disabled={secret === ""}>Store</button></div>
    </form>
  );
}

export function NodesPage({ may }: { may: boolean }): JSX.Element {
  const asked = useAsk<Nodes>("/nodes", kEvery_ms);
  const [error, set_error] = useState("");
  const act: Do = (work) => {
    set_error("");
    work().then(() => asked.again(), (problem: ApiError) => set_error(problem.message));
  };
  const open = (seconds: number) => act(() => Send("POST", "/nodes/window", { seconds: String(seconds) }));
  const data = asked.data;
  const left_s = Math.max(0, ...(data?.networks ?? []).map((network) => network.window_s));
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>Nodes</h1></div>
      {(error || asked.error) && <p class="error" role="alert"><bdi>{error || asked.error!.message}</bdi></p>}
      {data?.networks.map((network) => (
        <section class="panel" key={network.source}>
          <h2><bdi>{network.source}</bdi></h2>
          <p>
            {kAirs[network.air]}{network.channel ? ", channel " + network.channel : ""}, {network.nodes} of {network.max_nodes} nodes,{" "}
            {network.secrets} secrets, {network.schedules} schedules
          </p>
          {network.problems.map((problem) => <p class="error" key={problem}><bdi>{problem}</bdi></p>)}
        </section>
      ))}
      {data && may && (
        <div class="buttons" style={kLine}>
          {left_s > 0
            ? <button type="button" onClick={() => open(0)}>Close joining ({left_s} s left)</button>
            : <button type="button" class="main" onClick={() => open(kWindow_s)}>Let new nodes join for {kWindow_s / 60} minutes</button>}
          {data.nodes.length > 0 && <button type="button" onClick={() => confirm("Restart all nodes?") && act(() => Send("POST", "/nodes/orders", { order: "restart" }))}>Restart all</button>}
        </div>
      )}
      {data && data.waiting.length > 0 && <WaitingPanel rows={data.waiting} act={act} may={may} />}
      <div class="nodes">
        {data?.nodes.map((node) => {
          const offered = data.networks.find((one) => one.source === node.source)?.firmware ?? [];
          const firmware = offered.find((one) => one.hardware === node.hardware) ?? offered.find((one) => one.hardware === 0);
          return <NodePanel key={node.source + node.id} node={node} act={act} may={may} firmware={node.hardware === 0 ? undefined : firmware} />;
        })}
      </div>
      {data && may && data.networks.length > 0 && <SecretForm networks={data.networks} act={act} />}
    </>
  );
}
