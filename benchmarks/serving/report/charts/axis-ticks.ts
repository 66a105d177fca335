/** Round numbers from 0 to at least `max`, about `count` of them, at steps of 1, 2 or 5 times a power of ten. */
export function toLinearTicks(max: number, count: number): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < max) ticks.push(round(step * ticks.length));
  return ticks;
}

/** 1, 2 and 5 times powers of ten that enclose all values; for a logarithmic axis. */
export function toLogarithmicTicks(min: number, max: number): number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++) {
    all.push(...[1, 2, 5, 10].map((factor) => round(factor * 10 ** power)));
  }
  const ticks = [...new Set(all)];
  const first = ticks.findLastIndex((tick) => tick <= min);
  const last = ticks.findIndex((tick) => tick >= max);
  return ticks.slice(Math.max(0, first), last + 1);
}

/** Takes away what adding up fractions leaves behind. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
