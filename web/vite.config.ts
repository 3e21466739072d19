import { defineConfig } from "vite";

// One bundle, served by the Vagus server itself; absolute paths because routes are deep (/traces/ID).
export default defineConfig({
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: {
    alias: {
      "react/jsx-runtime": "preact/jsx-runtime",
      "react-dom": "preact/compat",
      react: "preact/compat",
    },
  },
  build: {
    outDir: "../src/vagus/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      // "use client" says nothing in a bundle that only ever runs in a browser.
      onwarn: (warning, warn) => (warning.code === "MODULE_LEVEL_DIRECTIVE" ? undefined : warn(warning)),
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/sign-in", "/v1"].map((path) => [path, process.env.VAGUS_DEV_API ?? "http://127.0.0.1:4318"]),
    ),
  },
});
