// Icons, drawn on a grid of 24 with strokes, so that they follow the text's colour. All are decoration: what they mean
// is always said in words too.

import type { JSX } from "preact";

const kPaths: Record<string, string> = {
  electricity_meter: "M13 2 5 13.5h6L10 22l8.5-12H12.5z",
  gas_meter: "M12 2.5c.5 3.5 5.5 6 5.5 11.5a5.5 5.5 0 0 1-11 0c0-2.5 1.3-4.2 2.6-5.5.2 1.5.8 2.4 1.7 3C10.5 8 11 4.8 12 2.5z",
  water_meter: "M12 3c3.5 4.5 6 7.5 6 11a6 6 0 0 1-12 0c0-3.5 2.5-6.5 6-11zM9 14.5a3 3 0 0 0 3 3",
  heat_meter: "M6 4c2 2-2 4 0 6.5s-2 4 0 6.5M12 4c2 2-2 4 0 6.5s-2 4 0 6.5M18 4c2 2-2 4 0 6.5s-2 4 0 6.5M4 21h16",
  cooling_meter: "M12 2v20M3.5 7l17 10M20.5 7l-17 10M9 3.5l3 2.5 3-2.5M9 20.5l3-2.5 3 2.5",
  battery_monitor: "M3 8h15v9H3zM18 11h3v3h-3M7 12.5h4M9 10.5v4",
  battery: "M3 8h15v9H3zM18 11h3v3h-3M6.5 11v3M10 11v3",
  solar_charger: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5",
  ac_charger: "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v4",
  inverter: "M3 5h18v14H3zM6.5 12c1.5-4 4-4 5.5 0s4 4 5.5 0",
  dc_converter: "M3 5h18v14H3zM7 10h10M7 14h3M12 14h2M16 14h1",
  incubator: "M4 18V11a8 6 0 0 1 16 0v7zM2.5 21h19M8 14h8",
  sensor: "M10 13.5V5a2 2 0 1 1 4 0v8.5a4.5 4.5 0 1 1-4 0zM12 9v8",
  node: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
  gateway: "M4 14h16v6H4zM8 17h.01M12 14V9M8.5 8.5a5 5 0 0 1 7 0M6 6a8.5 8.5 0 0 1 12 0",
  other: "M12 3 20 7.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  no_clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l2.5 2M3.5 3.5l17 17",
  up: "M12 20V5M6 11l6-6 6 6",
  down: "M12 4v15M6 13l6 6 6-6",
  even: "M4 9h16M4 15h16",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  pencil: "M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5 17.5 10",
  warning: "M12 3.5 22 20.5H2zM12 10v5M12 17.8v.2",
  broken: "M9 15l-3 3a3.5 3.5 0 0 1-5-5l3-3M15 9l3-3a3.5 3.5 0 0 1 5 5l-3 3M8 3v3M3 8h3M16 21v-3M21 16h-3",
};

export function Icon({ name, size = 20 }: { name: string; size?: number }): JSX.Element {
  const path = Object.hasOwn(kPaths, name) ? kPaths[name] : kPaths.other;
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path!} />
    </svg>
  );
}

export function Flame(): JSX.Element {
  return (
    <svg class="flame" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="flame-out" d="M16.6 2.5c.9 4.8 8.4 8 8.4 15.5 0 6-4 10-9 10s-9-3.9-9-9.5c0-3.6 2-6 3.8-7.9.4 2.2 1.2 3.5 2.5 4.3-.5-5.2 1-9.5 3.3-12.4z" />
      <path class="flame-in" d="M16.2 16.5c2.8 2.2 3.8 4 3.8 6 0 2.3-1.7 4-4 4s-3.9-1.7-3.9-3.9c0-2.3 2.1-3.7 4.1-6.1z" />
    </svg>
  );
}
