/** Seconds per call. The quartiles are the spread. */
export interface Timing {
  median: number;
  q1: number;
  q3: number;
  min: number;
  samples: number;
}

export function summarize(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    min: sorted[0]!,
    samples: sorted.length,
  };
}

/** Between the two nearest of the sorted numbers, linearly. */
function quantile(sorted: readonly number[], q: number): number {
  const position = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
  return low + (high - low) * (position % 1);
}

/** Half the distance of the quartiles, in percent of the median. */
export function spread({ median, q1, q3 }: Timing): number {
  return (50 * (q3 - q1)) / median;
}
