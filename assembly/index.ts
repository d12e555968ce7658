// The ABI of the kernels: pure functions on pointers into linear memory. They never allocate and hold no state.
//
// * Order of arguments: inputs, saved values, incoming gradient, outputs, sizes, scalar parameters.
//   `d` in front of a name means the gradient of the loss with respect to it.
// * Forward overwrites its outputs. Backward adds to gradients that were zero before the first contribution.
// * Whole tensors start at multiples of 16 bytes and are padded to 16 bytes. Padding may hold anything:
//   elementwise loops run over it, reductions never let it in. 64 bytes behind any tensor can be read.
// * Sizes are in elements, everything is row-major. `M, N, K` belong to matmul; `rows, cols` to row-wise ops;
//   `outer, size, inner` say that a tensor is seen as [outer, size, inner] around the dimension in question.
// * Broadcasting: element (r, c) of operand a is a[r · aRow + c · aCol]; a stride of 0 repeats.
// * `each` says what a loss leaves in y: the total, all values, or the sums of blocks (blocks.ts). A kernel may be cut into
//   calls of itself, between the blocks of its sums; `addBlocks` makes of all sums the very bits of the whole.
// * Scratch memory is an argument; random kernels take a pointer to their counter state (random.ts).
// * Kernels trust: TypeScript has checked shapes, dtypes and life.

/** First byte of linear memory that the static constants leave free. */
export const heapBase = __heap_base;

export * from "./activations";
export * from "./arithmetic";
export * from "./clip";
export * from "./comparison";
export * from "./crossEntropy";
export * from "./gated";
export * from "./health";
export * from "./indexing";
export * from "./layout";
export * from "./likelihoodLosses";
export * from "./losses";
export * from "./marginLosses";
export * from "./matmul/matmul";
export * from "./normalization";
export * from "./optimizers";
export * from "./poissonNllLoss";
export * from "./random";
export * from "./reductions";
export * from "./replay";
export * from "./rowLosses";
export * from "./scaled";
export * from "./scaler";
export * from "./softmax";
