// What stands below a device's values and few look for: its bed, what became of its readings, its history as a file.

import type { JSX } from "preact";
import type { Device } from "../api.ts";
import { IsIncubator } from "../views/ward.tsx";
import { BedForm } from "./bed_form.tsx";
import { DeviceCountsPanel } from "./counts.tsx";
import { ExportForm } from "./export_form.tsx";

export function DeviceRecords({ device }: { device: Device }): JSX.Element {
  return (
    <>
      {(IsIncubator(device) || device.bed) && <BedForm key={device.key + "/bed"} device={device} />}
      <DeviceCountsPanel device={device} />
      <ExportForm key={device.key + "/export"} device={device} />
    </>
  );
}
