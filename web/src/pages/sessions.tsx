// Sessions: the list of conversations, or one of them when the URL names it.

import { useUrl } from "../url";
import { Conversation } from "../sessions/conversation";
import { SessionList } from "../sessions/list";

/** The sessions screen. */
export function Sessions() {
  const [params] = useUrl();
  const session = params.get("session");
  return session ? <Conversation key={session} session={session} /> : <SessionList />;
}
