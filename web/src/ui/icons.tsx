// The few line icons of the shell, drawn on a 16-pixel grid.

const PATHS: Record<string, string> = {
  health: "M1.5 8.5h3l1.6-4.5 3 8.5 2-4h3.4",
  traces: "M2 3.5h8M4 6.5h8M6 9.5h8M4 12.5h5",
  cost: "M8 1.8v12.4M11 4.6C10.4 3.7 9.400 3.200 8 3.200c-1.800 0-3 .9-3 2.300 0 3.300 6.200 1.600 6.200 5 0 1.500-1.300 2.400-3.200 2.400-1.600 0-2.800-.6-3.300-1.700",
  sessions: "M2.5 3h8v5.500h-4L4 10.800V8.500H2.500zM12.500 6h1v5.500H12v2.200l-2.400-2.200H7.500",
  instrumentation: "M2.500 12a5.500 5.500 0 0 1 11 0M8 12l2.600-3.600M2.500 12h1M12.500 12h1M8 6.500v1",
  incidents: "M8 2.200 14.500 13.500h-13zM8 6.500v3.300M8 11.600v.1",
  slos: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5.500a2.500 2.500 0 1 0 0 5A2.500 2.500 0 0 0 8 5.500z",
  settings: "M2 4.500h7M12 4.500h2M2 11.500h2M7 11.500h7M10.500 3v3M5.500 10v3",
  sun: "M8 5.200a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600zM8 1.500v1.400M8 13.100v1.400M1.500 8h1.400M13.100 8h1.400M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1",
  moon: "M13 9.600A5.500 5.500 0 0 1 6.400 3 5.500 5.500 0 1 0 13 9.600z",
  system: "M2.500 3h11v8h-11zM6 13.500h4",
  refresh: "M13.500 8A5.500 5.500 0 1 1 11.700 3.900M13.500 2v3h-3",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.800V8l2.200 1.500",
  search: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.300 10.300 14 14",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6.300 8 10.300l4-4",
  right: "M6.300 4l4 4-4 4",
  left: "M9.700 4l-4 4 4 4",
  focus: "M2.500 6v-3.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10",
  help: "M6 6a2 2 0 1 1 2.800 1.900c-.6.300-.8.700-.8 1.300M8 11.600v.1M8 1.800a6.200 6.200 0 1 0 0 12.400A6.200 6.200 0 0 0 8 1.800z",
};

/** An icon; decorative, the label stands beside it or on the button. */
export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}
