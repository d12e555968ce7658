// The losses to choose from, and how long it goes.

/** Each of one answer a = σ(z) and its target. */
export const LOSSES = ["mse", "l1", "huber", "logCosh", "bce", "bceWithLogits", "focal"] as const;

export type Loss = (typeof LOSSES)[number];

/** Losses that see z, not a. */
export const OF_LOGITS: readonly Loss[] = ["bceWithLogits", "focal"];

export const EPOCHS = 300;

/** Where w and b lie. */
export const REACH = 4;
