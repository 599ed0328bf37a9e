// What must stand wherever values of an incubator are shown.

import type { JSX } from "preact";
import { Icon } from "./icons.tsx";

const kNotice = "Information only: not for alarming or therapy. Not a medical device.";

export function Notice({ small = false }: { small?: boolean }): JSX.Element {
  return <p class={"notice" + (small ? " small" : "")} role="note">{!small && <Icon name="broken" size={18} />}{kNotice}</p>;
}
