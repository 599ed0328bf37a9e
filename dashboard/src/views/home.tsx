// The first page: a card for each device.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { Card } from "../parts/card.tsx";
import { Guard } from "../parts/guard.tsx";
import { InOrder } from "../summary.ts";

// More cards at once help nobody and cost a phone its breath.
const kFirstCards = 48;
const kSearchFrom = 9;

export function Home(): JSX.Element {
  useTopics("devices", "link");
  const [limit, set_limit] = useState(kFirstCards);
  const [search, set_search] = useState("");
  const all = InOrder(hub.devices.values());
  const wanted = search.trim().toLowerCase();
  const found = wanted
    ? all.filter((d) => [d.title, d.place, d.model, d.manufacturer, d.kind, d.serial].some((t) => t.toLowerCase().includes(wanted)))
    : all;
  const silent = all.filter((d) => d.availability === "offline").length;
  const waiting = hub.snapshots === 0;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Devices</h1>
        <p class="aside">
          {waiting ? "" : `${all.length} ${all.length === 1 ? "device" : "devices"}` + (silent ? `, ${silent} offline` : "")}
        </p>
        {all.length >= kSearchFrom && (
          <input class="search" type="search" placeholder="Find a device" aria-label="Find a device" value={search}
            onInput={(e) => set_search(e.currentTarget.value)} />
        )}
      </div>
      {waiting && hub.link !== "lost" && (
        <div class="cards" aria-hidden="true">{[1, 2, 3].map((n) => <div key={n} class="card ghost" />)}</div>
      )}
      {!waiting && all.length === 0 && (
        <div class="empty">
          <h2>No device was heard yet</h2>
          <p>Devices appear here by themselves as soon as a source hears one. See <a href="#/health">what the sources say</a>.</p>
        </div>
      )}
      {!waiting && all.length > 0 && found.length === 0 && <p class="empty">No device matches.</p>}
      <div class="cards">{found.slice(0, limit).map((d) => <Guard key={d.key} what={d.title}><Card device_key={d.key} /></Guard>)}</div>
      {found.length > limit && (
        <p class="load"><button type="button" onClick={() => set_limit(limit + kFirstCards)}>Show more of {found.length} devices</button></p>
      )}
    </>
  );
}
