// The start of the web UI.

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "preact";
import { ApiError } from "./api/client";
import { App } from "./app";
import { applyTheme } from "./ui/theme";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/content.css";
import "./styles/charts.css";
import "./styles/health.css";
import "./styles/traces.css";
import "./styles/trace.css";
import "./styles/span.css";
import "./styles/cost.css";
import "./styles/incidents.css";
import "./styles/finding.css";
import "./styles/settings.css";
import "./styles/forms.css";
import "./styles/sessions.css";
import "./styles/instrumentation.css";

applyTheme();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      gcTime: 120_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

const root = document.getElementById("app");
if (root) {
  render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
    root,
  );
}
