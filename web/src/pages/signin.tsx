// The way in: a one-time link that the terminal prints.

import { CopyBlock } from "../ui/copy";

/** Shown when the server does not know who is asking. */
export function SignIn() {
  return (
    <main class="signin">
      <div class="signin-card">
        <svg width="40" height="40" viewBox="0 0 32 32" aria-hidden="true" class="brand-mark">
          <rect width="32" height="32" rx="8" />
          <path d="M5 17h5l3-8 5 15 3.5-9 1.5 2h4" />
        </svg>
        <h1>Sign in to Vagus</h1>
        <p>
          The terminal that runs Vagus prints a sign-in link. Each link works once and for a short time; opening it signs this browser in. There is no password.
        </p>
        <p>If the link was used or is too old, start the server again to get a new one:</p>
        <CopyBlock text="vagus serve" />
        <button type="button" class="button primary" onClick={() => window.location.reload()}>
          I have signed in
        </button>
      </div>
    </main>
  );
}
