/** A fault as the API answers it. */
export interface WireFault {
  readonly name: string;
  readonly match: object;
  readonly delay?: { readonly percentage: { readonly value: number }; readonly fixedDelay: string };
  readonly abort?: {
    readonly percentage: { readonly value: number };
    readonly httpStatus?: number;
    readonly grpcStatus?: string;
  };
  readonly expires_at: string;
}

/** One fault in one line. */
export function toLine({ name, match, delay, abort, expires_at: end }: WireFault): string {
  const parts = [
    ...(delay === undefined ? [] : [`delay ${delay.fixedDelay} ${delay.percentage.value}%`]),
    ...(abort === undefined
      ? []
      : [`abort ${abort.httpStatus ?? abort.grpcStatus} ${abort.percentage.value}%`]),
  ];
  return `${name}  ${parts.join(", ")}  for ${JSON.stringify(match)}  until ${end}\n`;
}
