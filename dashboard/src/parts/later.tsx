// A view that few need: its script is loaded when it is shown for the first time.

import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

export function Later<Props extends object>(load: () => Promise<ComponentType<Props>>): (props: Props) => JSX.Element {
  let loaded: ComponentType<Props> | undefined;
  return (props: Props) => {
    const [View, set_view] = useState<ComponentType<Props> | undefined>(() => loaded);
    const [error, set_error] = useState(false);
    useEffect(() => {
      if (loaded) return;
      load().then((view) => {
        loaded = view;
        set_view(() => view);
      }, () => set_error(true));
    }, []);
    if (error) return <p class="error" role="alert">This view could not be loaded. <button type="button" onClick={() => location.reload()}>Try again</button></p>;
    return View ? <View {...props} /> : <p class="load aside">Loading</p>;
  };
}
