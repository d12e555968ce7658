/** No binary: `init` gets one. */
export function binary(): undefined {
  return undefined;
}
