const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A duration as Istio writes it (that of Go, as far as it is used there): `500ms`, `1.5s`, `1m30s`, `2h`.
 *
 * @returns whole milliseconds; undefined for anything else
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,6})?(ms|s|m|h)){1,4}$/.test(text)) return undefined;
  let sumMs = 0;
  for (const [, amount, , unit = ""] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
    sumMs += Number(amount) * (MILLISECONDS[unit] ?? 0);
  }
  return Math.round(sumMs);
}

/** The other way, with the largest units that fit: `1m30s`. @param ms whole, ≥ 0 */
export function formatDuration(ms: number): string {
  let restMs = ms;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const size = MILLISECONDS[unit] ?? 1;
    const count = Math.floor(restMs / size);
    restMs -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}
