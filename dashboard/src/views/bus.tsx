// A bus of several nodes: who is there, what they say, who asks whom, who gave commands, and what nobody understands.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { FormatAge, FormatAgo, FormatNumber, FormatTime, kNothing, Words } from "../format.ts";
import { useAsk, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { DeviceHref, type Route } from "../route.ts";

const kEvery_ms = 2_000;
// Items shown before the reader asks for the rest: a bus may have two thousand.
const kItemsFirst = 40;

interface Item {
  number: number;
  menu: string;
  label: string;
  unit: string;
  field: string;
  value: number | null;
  text: string;
  lowest: number | null;
  highest: number | null;
  values: number;
  asked: number;
  age_s: number | null;
}

interface Node {
  address: string;
  type: number;
  uid: string;
  name: string;
  article: string;
  serial: string;
  device: string | null;
  online: boolean;
  tentative: boolean;
  age_s: number | null;
  frames_per_second: number;
  frames: number;
  announces: number;
  polls: number;
  refusals: number;
  commands: number;
  malformed: number;
  asked: { values: number; properties: number; items: number; groups: number; age_s: number | null; by: string[] };
  items: Item[];
}

interface Bus {
  source: string;
  frames_per_second: number;
  frames: number;
  roles: Record<string, number>;
  error_frames: number;
  bus_offs: number;
  asks: boolean;
  questions: number;
  devices_refused: number;
  unknown_forgotten: number;
  commands: { time: string; address: string; item: number; label: string; value: number; commander: string | null }[];
  absent: { address: string; requests: number; last: string }[];
  unknown: { id: string; remote: boolean; data: string; moved: number[]; size_changed: boolean; count: number; first: string; last: string }[];
  nodes: Node[];
}

function Count(n: number): string {
  return FormatNumber(n, 0);
}

function Hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(2, "0");
}

function Plain(value: number | null): string {
  return value === null ? kNothing : FormatNumber(value, Number.isInteger(value) ? 0 : 2);
}

function Head({ names }: { names: [text: string, look?: string][] }): JSX.Element {
  return <thead><tr>{names.map(([text, look]) => <th key={text} scope="col" class={look ?? ""}>{text}</th>)}</tr></thead>;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return <div class="fact"><dt>{name}</dt><dd class="digits">{children}</dd></div>;
}

function NodePanel({ node }: { node: Node }): JSX.Element {
  const heard = node.age_s !== null;
  const [all, set_all] = useState(false);
  const items = all ? node.items : node.items.slice(0, kItemsFirst);
  return (
    <section class="panel bus-node">
      <div class="page-head">
        <h2>{node.device ? <a href={DeviceHref(node.device)}><bdi>{node.name || node.address}</bdi></a> : <bdi>{node.name || node.address}</bdi>}</h2>
        <span class={"pill " + (node.online ? "good" : "idle")}>{node.online ? "heard " + FormatAgo(node.age_s ?? 0) : heard ? "silent for " + FormatAge(node.age_s!) : "known from before"}</span>
      </div>
      <dl class="facts">
        <Fact name="Address">{node.address}</Fact>
        {node.serial && <Fact name="Serial number"><bdi>{node.serial}</bdi></Fact>}
        <Fact name="Frames a second">{FormatNumber(node.frames_per_second, 1)}</Fact>
        <Fact name="Frames">{Count(node.frames)}</Fact>
        <Fact name="Announces">{Count(node.announces)}</Fact>
        {node.polls > 0 && <Fact name="Polls">{Count(node.polls)}</Fact>}
        {node.refusals > 0 && <Fact name="Answers no value">{Count(node.refusals)}</Fact>}
        {node.malformed > 0 && <Fact name="Wrong length">{Count(node.malformed)}</Fact>}
      </dl>
      {node.items.length > 0 && (
        <div class="scroll">
          <table class="archive">
            <Head names={[["Item"], ["Label"], ["Value", "right"], ["Lowest", "right wide"], ["Highest", "right wide"], ["Told", "right wide"], ["Asked", "right wide"], ["Age", "right"]]} />
            <tbody>
              {items.map((item) => (
                <tr key={item.menu + item.number}>
                  <td class="digits">{Hex(item.number)}{item.menu !== "monitoring" && <span class="aside"> {item.menu}</span>}</td>
                  <td><bdi>{item.label || "not told yet"}</bdi></td>
                  <td class="right digits"><bdi>{item.text || Plain(item.value)}</bdi>{item.value !== null && !item.text && item.unit ? <> <bdi>{item.unit}</bdi></> : null}</td>
                  <td class="right wide digits">{item.text ? "" : Plain(item.lowest)}</td>
                  <td class="right wide digits">{item.text ? "" : Plain(item.highest)}</td>
                  <td class="right wide digits">{Count(item.values)}</td>
                  <td class="right wide digits">{Count(item.asked)}</td>
                  <td class="right digits">{item.age_s === null ? kNothing : FormatAge(item.age_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {items.length < node.items.length && <p class="load"><button type="button" onClick={() => set_all(true)}>Show {node.items.length - items.length} items more</button></p>}
        </div>
      )}
    </section>
  );
}

function Talk({ bus }: { bus: Bus }): JSX.Element | null {
  const names = new Map(bus.nodes.map((node) => [node.address, node.name || node.address]));
  const asked = bus.nodes.filter((node) => node.asked.age_s !== null);
  if (asked.length === 0 && bus.absent.length === 0) return null;
  return (
    <section class="panel scroll" id="asks">
      <h2>Who asks whom</h2>
      <p class="aside">A question on this bus does not say who asks. Only nodes that poll ask, and none asks itself{bus.asks ? "; what Vesta asks is not counted here" : ""}.</p>
      <table class="archive">
        <Head names={[["Asked"], ["By"], ["Values", "right"], ["Facts of items", "right wide"], ["Texts", "right wide"], ["Groups", "right wide"], ["Last", "right"]]} />
        <tbody>
          {asked.map((node) => (
            <tr key={node.address}>
              <td><bdi>{names.get(node.address)}</bdi></td>
              <td><bdi>{node.asked.by.length === 0 ? "not known" : node.asked.by.map((by) => names.get(by) ?? by).join(" or ")}</bdi></td>
              <td class="right digits">{Count(node.asked.values)}</td>
              <td class="right wide digits">{Count(node.asked.items)}</td>
              <td class="right wide digits">{Count(node.asked.properties)}</td>
              <td class="right wide digits">{Count(node.asked.groups)}</td>
              <td class="right digits">{FormatAge(node.asked.age_s!)}</td>
            </tr>
          ))}
          {bus.absent.map((one) => (
            <tr key={one.address}>
              <td class="digits">{one.address}</td>
              <td>no such node ever spoke</td>
              <td class="right digits">{Count(one.requests)}</td>
              <td class="wide" /><td class="wide" /><td class="wide" />
              <td class="right digits">{FormatTime(Date.parse(one.last))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Commands({ bus }: { bus: Bus }): JSX.Element | null {
  if (bus.commands.length === 0) return null;
  const names = new Map(bus.nodes.map((node) => [node.address, node.name || node.address]));
  return (
    <section class="panel scroll" id="commands">
      <h2>Commands that passed by</h2>
      <table class="archive">
        <Head names={[["When"], ["To"], ["Item"], ["Value", "right"], ["From"]]} />
        <tbody>
          {bus.commands.map((one, i) => (
            <tr key={i}>
              <td class="digits">{FormatTime(Date.parse(one.time))}</td>
              <td><bdi>{names.get(one.address) ?? one.address}</bdi></td>
              <td><bdi>{one.label || Hex(one.item)}</bdi></td>
              <td class="right digits">{Plain(one.value)}</td>
              <td><bdi>{one.commander ? names.get(one.commander) ?? one.commander : "not told"}</bdi></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function UnknownFrames({ bus }: { bus: Bus }): JSX.Element | null {
  if (bus.unknown.length === 0) return null;
  return (
    <section class="panel scroll" id="unknown">
      <h2>Frames that nobody understands</h2>
      <p class="aside">Bytes that were not always the same are <mark>marked</mark>.</p>
      <table class="archive">
        <Head names={[["Identifier"], ["Last bytes"], ["Seen", "right"], ["First", "wide"], ["Last", "wide"]]} />
        <tbody>
          {bus.unknown.map((one) => (
            <tr key={one.id + one.remote}>
              <td class="digits">{one.id}{one.remote && <span class="aside"> request</span>}</td>
              <td class="digits">
                {(one.data.match(/../g) ?? []).map((byte, place) => <>{place > 0 && " "}{one.moved.includes(place) ? <mark>{byte}</mark> : byte}</>)}
                {one.size_changed && <span class="aside"> of changing length</span>}
              </td>
              <td class="right digits">{Count(one.count)}</td>
              <td class="wide digits">{FormatTime(Date.parse(one.first))}</td>
              <td class="wide digits">{FormatTime(Date.parse(one.last))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Look({ name }: { name: string }): JSX.Element {
  const { data: bus, error } = useAsk<Bus>("/sources/" + encodeURIComponent(name) + "/bus", kEvery_ms);
  if (!bus) return error ? <p class="error" role="alert"><bdi>{error.message}</bdi></p> : <p class="load aside">Loading</p>;
  const kinds = Object.entries(bus.roles).sort((a, b) => b[1] - a[1]);
  return (
    <>
      {error && <p class="error" role="alert"><bdi>{error.message}</bdi></p>}
      <section class="panel summary" aria-label="The bus">
        <dl class="facts">
          <Fact name="Frames a second">{FormatNumber(bus.frames_per_second, 1)}</Fact>
          <Fact name="Frames">{Count(bus.frames)}</Fact>
          <Fact name="Nodes heard">{Count(bus.nodes.filter((node) => node.online).length)} of {Count(bus.nodes.length)}</Fact>
          <Fact name="Errors on the bus">{Count(bus.error_frames)}</Fact>
          <Fact name="Vesta">{bus.asks ? "asks: " + Count(bus.questions) + " questions" : "only listens"}</Fact>
          {bus.devices_refused > 0 && <Fact name="Nodes without room">{Count(bus.devices_refused)}</Fact>}
        </dl>
        <p class="reasons"><span>Frames by kind</span>{kinds.map(([kind, n]) => <span class="reason" key={kind}>{Words(kind)} <b class="digits">{Count(n)}</b></span>)}</p>
      </section>
      <Talk bus={bus} />
      {bus.nodes.map((node) => <NodePanel key={node.address} node={node} />)}
      <Commands bus={bus} />
      <UnknownFrames bus={bus} />
      {bus.nodes.length === 0 && <p class="empty">Nobody was heard on this bus yet.</p>}
    </>
  );
}

export function BusPage({ route }: { route: Route }): JSX.Element {
  useTopics("sources");
  const names = (hub.sources ?? []).filter((source) => source.protocol === "masterbus").map((source) => source.name);
  const name = route.key || names[0];
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>Bus {name && <bdi>{name}</bdi>}</h1></div>
      {names.length > 1 && <nav class="tabs" aria-label="Buses">{names.map((one) => <a key={one} href={"#/bus/" + encodeURIComponent(one)} aria-current={one === name ? "page" : undefined}><bdi>{one}</bdi></a>)}</nav>}
      {name ? <Look key={name} name={name} /> : <p class="empty">{hub.sources ? "No source listens to a bus." : "Loading"}</p>}
    </>
  );
}
