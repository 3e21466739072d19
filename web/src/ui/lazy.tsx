// A part of the application whose code arrives when it is first shown.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote, Skeleton } from "./states";

/** A component that is loaded on first use; until then a skeleton stands in its place. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let ready: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, redraw] = useState(0);
    const [error, setError] = useState<unknown>(null);
    useEffect(() => {
      if (ready) return;
      load().then((found) => {
        ready = found;
        redraw(1);
      }, setError);
    }, []);
    if (error) return <ErrorNote error={new Error("This screen could not be loaded; reload the page.")} />;
    const Screen = ready;
    return Screen ? <Screen {...props} /> : <Skeleton tall />;
  };
}
