// The frame around every view: name, ways to go, and whether the page is in touch with the hub.

import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Send } from "./api.ts";
import { ElapsedS } from "./clock.ts";
import { FormatAge } from "./format.ts";
import { useNow, useTopics } from "./hooks.ts";
import { hub } from "./live.ts";
import { Guard } from "./parts/guard.tsx";
import { Later } from "./parts/later.tsx";
import { Flame, Icon } from "./parts/icons.tsx";
import { ParseRoute, type Page, type Route } from "./route.ts";
import { DevicePage } from "./views/device.tsx";
import { Home } from "./views/home.tsx";
import { Login } from "./views/login.tsx";
import { IsIncubator, WardPage } from "./views/ward.tsx";

const AuditPage = Later(() => import("./views/audit.tsx").then((view) => view.AuditPage));
const BusPage = Later(() => import("./views/bus.tsx").then((view) => view.BusPage));
const HealthPage = Later(() => import("./views/health.tsx").then((view) => view.HealthPage));
const NodesPage = Later(() => import("./views/nodes.tsx").then((view) => view.NodesPage));
const KeysPage = Later(() => import("./views/keys.tsx").then((view) => view.KeysPage));
const UnknownPage = Later(() => import("./views/unknown.tsx").then((view) => view.UnknownPage));
const TracePage = Later(() => import("./views/trace.tsx").then((view) => view.TracePage));

const kNav: [Page, string, string][] = [
  ["home", "#/", "Devices"],
  ["ward", "#/ward", "Ward"],
  ["health", "#/health", "Sources and outputs"],
  ["bus", "#/bus", "Bus"],
  ["nodes", "#/nodes", "Nodes"],
  ["keys", "#/keys", "Keys"],
  ["unknown", "#/unknown", "Unknown frames"],
];

function LostBanner(): JSX.Element {
  const now = useNow();
  const since = hub.lost_since ? ElapsedS(hub.lost_since, now) : 0;
  return (
    <div class="lost">
      <Icon name="broken" />
      <p><strong>This page lost contact with the hub: the values are old.</strong> Trying again{since >= 5 ? `, for ${FormatAge(since)} now` : ""}.</p>
      <button type="button" onClick={() => hub.Reconnect()}>Try now</button>
    </div>
  );
}

function LinkState(): JSX.Element {
  const words = { connecting: "connecting", live: "live", lost: "no contact", locked: "locked" }[hub.link];
  return <span class={"link-state " + hub.link}><span class="dot" />{words}</span>;
}

function App(): JSX.Element {
  useTopics("link", "session", "devices", "sources");
  const has_ward = [...hub.devices.values()].some(IsIncubator);
  // Keys are for sources that hear sealed adverts, and for those who may operate the hub.
  const hears = (protocol: string) => (hub.sources ?? []).some((source) => source.protocol === protocol);
  const has_keys = hub.session?.scope === "operate" && hears("victron");
  const shown: Partial<Record<Page, boolean>> = { ward: has_ward, keys: has_keys, bus: hears("masterbus"), nodes: hears("nodes") };
  const [route, set_route] = useState<Route>(() => ParseRoute(location.hash));
  useEffect(() => {
    const on_hash = () => set_route(ParseRoute(location.hash));
    addEventListener("hashchange", on_hash);
    on_hash(); // it may have changed before anybody listened
    return () => removeEventListener("hashchange", on_hash);
  }, []);
  const place = route.page + "/" + route.key;
  const [first_place] = useState(place);
  useEffect(() => {
    if (place === first_place && document.activeElement === document.body) return;
    // A new view starts at its top, and a screen reader at its heading.
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [place]);
  if (hub.link === "locked") return <Login />;
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => {
        e.preventDefault();
        document.querySelector<HTMLElement>("main h1")?.focus();
      }}>To the content</a>
      <header class="top">
        <a class="brand" href="#/" aria-label="Vesta, all devices"><Flame /><span>Vesta</span></a>
        <nav aria-label="Pages">
          {kNav.filter(([page]) => shown[page] !== false || route.page === page).map(([page, href, text]) => (
            <a key={page} href={href} aria-current={route.page === page || (page === "home" && route.page === "device") ? "page" : undefined}>{text}</a>
          ))}
        </nav>
        <LinkState />
        {hub.session?.login_required && (
          <button type="button" class="quiet" onClick={() => void Send("POST", "/logout", {}).finally(() => location.reload())}>Log out</button>
        )}
      </header>
      <div role="status" aria-live="polite">{hub.link === "lost" && <LostBanner />}</div>
      <main id="main">
        <Guard key={place} what="this view">
          {route.page === "home" && <Home />}
          {route.page === "device" && <DevicePage key={route.key} route={route} />}
          {route.page === "health" && <HealthPage />}
          {route.page === "unknown" && <UnknownPage />}
          {route.page === "ward" && <WardPage />}
          {route.page === "trace" && <TracePage route={route} />}
          {route.page === "bus" && <BusPage route={route} />}
          {route.page === "keys" && <KeysPage />}
          {route.page === "nodes" && <NodesPage may={hub.session?.scope === "operate"} />}
          {route.page === "audit" && <AuditPage />}
        </Guard>
      </main>
    </>
  );
}

hub.Start();
const root = document.getElementById("app")!;
root.textContent = "";
render(<App />, root);
