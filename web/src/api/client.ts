// One way to the server: JSON in, JSON out, errors as they were said.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly field: string | null = null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** The project in the URL; every call is about one project. */
export function currentProject(): string {
  return new URLSearchParams(window.location.search).get("project") ?? "default";
}

/** The full address of an API path for the current project. */
export function apiUrl(path: string, query: Query = {}): string {
  const params = new URLSearchParams({ project: currentProject() });
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, String(value));
  }
  return `/api/v1${path}?${params}`;
}

interface Call {
  method?: string;
  query?: Query;
  body?: unknown;
  /** Bytes to send as they are, instead of a JSON body. */
  file?: Blob;
  signal?: AbortSignal | undefined;
}

/** Call the API; a refusal becomes an ApiError with the server's own sentence. */
export async function call<T>(path: string, { method = "GET", query, body, file, signal }: Call = {}): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", headers: { accept: "application/json" } };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  if (file) {
    init.body = file;
    init.headers = { ...init.headers, "content-type": "application/octet-stream" };
  }
  const response = await reach(apiUrl(path, query), init);
  const text = await response.text();
  if (response.ok) return (text ? JSON.parse(text) : null) as T;
  throw refusal(response, text);
}

/** The text of an API path that is no JSON. */
export async function callText(path: string): Promise<string> {
  const response = await reach(apiUrl(path), { credentials: "same-origin" });
  const text = await response.text();
  if (response.ok) return text;
  throw refusal(response, text);
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer. It may be restarting; the page tries again by itself.");
  }
}

function refusal(response: Response, text: string): ApiError {
  try {
    const said = JSON.parse(text) as { error?: { message?: string; field?: string } };
    if (said.error?.message) return new ApiError(response.status, said.error.message, said.error.field ?? null);
  } catch {
    // Not JSON: a proxy or a crash answered, the status line is all there is.
  }
  return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}.`);
}
