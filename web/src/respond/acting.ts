// What people do in an incident, with the screen read again after it.

import { call } from "../api/client";
import { useInvalidate } from "../api/queries";
import { type Action, useAction } from "../ui/form";

export interface Acting extends Action {
  act: (method: string, path: string, body: unknown) => Promise<boolean>;
}

/** One act at a time on the incident `id`. */
export function useActing(id: string): Acting {
  const action = useAction();
  const invalidate = useInvalidate();
  const root = `/incidents/${encodeURIComponent(id)}`;
  const act = (method: string, path: string, body: unknown) =>
    action.run(async () => {
      await call(root + path, { method, body });
      await Promise.all([invalidate(root), invalidate("/incidents")]);
    });
  return { ...action, act };
}
