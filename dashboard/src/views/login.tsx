// The one question before anything is shown, when the hub has a password.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, Send } from "../api.ts";
import { hub } from "../live.ts";
import { Flame } from "../parts/icons.tsx";

function Explain(error: ApiError): string {
  if (error.status === 401 || error.status === 403) return "That is not the password.";
  if (error.status === 429) return "Too many tries. Wait a little, then try again.";
  return error.message;
}

export function Login(): JSX.Element {
  const [password, set_password] = useState("");
  const [error, set_error] = useState("");
  const [busy, set_busy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    set_busy(true);
    set_error("");
    try {
      await Send("POST", "/login", { password });
      set_password("");
      hub.Reconnect();
    } catch (problem) {
      set_error(Explain(problem as ApiError));
      input.current?.select();
    }
    set_busy(false);
  };
  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <h1><Flame />Vesta</h1>
        <label>Password
          <input ref={input} type="password" autocomplete="current-password" required value={password}
            aria-invalid={error !== ""} aria-describedby="login-error" onInput={(e) => set_password(e.currentTarget.value)} />
        </label>
        <button type="submit" class="main" disabled={busy}>{busy ? "Checking" : "Log in"}</button>
        <p id="login-error" class="error" role="alert">{error}</p>
      </form>
    </main>
  );
}
