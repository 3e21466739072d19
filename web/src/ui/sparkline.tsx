// A line the size of a word.

/** Draw values as a small line with a soft area; gaps stay gaps. */
export function Sparkline({ values, tone = "accent", width = 132, height = 30 }: { values: (number | null)[]; tone?: string; width?: number; height?: number }) {
  const known = values.filter((value): value is number => value != null);
  if (known.length < 2) return <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const top = Math.max(...known);
  const bottom = Math.min(...known, top * 0.5);
  const reach = top - bottom || 1;
  const x = (at: number) => (at / (values.length - 1)) * width;
  const y = (value: number) => height - 2 - ((value - bottom) / reach) * (height - 5);
  const runs: string[] = [];
  let path = "";
  values.forEach((value, at) => {
    if (value == null) {
      if (path) runs.push(path);
      path = "";
    } else path += `${path ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  if (path) runs.push(path);
  const line = runs.join("");
  const isWhole = runs.length === 1 && values[0] != null && values[values.length - 1] != null;
  return (
    <svg class={`sparkline tone-${tone}`} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {isWhole ? <path class="sparkline-area" d={`${line}L${width} ${height}L0 ${height}Z`} /> : null}
      <path class="sparkline-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/** A share of a whole as a bar; the number stands beside it. */
export function Bar({ share, tone = "accent", label }: { share: number; tone?: string; label?: string }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <span class="bar" role={label ? "img" : undefined} aria-label={label}>
      <span class={`bar-fill tone-${tone}`} style={{ width }} />
    </span>
  );
}

/** An interval as a whisker on a scale from 0 to `top`, with its estimate as a dot. */
export function Whisker({ low, value, high, top, tone = "accent" }: { low: number | null; value: number | null; high: number | null; top: number; tone?: string }) {
  const at = (x: number) => `${Math.max(0, Math.min(1, x / (top || 1))) * 100}%`;
  return (
    <span class="whisker" aria-hidden="true">
      {low != null && high != null ? <span class={`whisker-range tone-${tone}`} style={{ left: at(low), width: `calc(${at(high)} - ${at(low)})` }} /> : null}
      {value != null ? <span class={`whisker-dot tone-${tone}`} style={{ left: at(value) }} /> : null}
    </span>
  );
}
