// What the engine can do.

// (module (func (result v128) (i8x16.splat (i32.const 0))))
const SIMD = [
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f,
  0x0b,
];

// (module (func (result v128) (f32x4.relaxed_madd (i8x16.splat (i32.const 0)) …)))
const RELAXED = [
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  [0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 2, 0x0b],
].flat();

const validates = (bytes: number[]): boolean =>
  globalThis.WebAssembly?.validate(Uint8Array.from(bytes)) ?? false;

export const hasSimd = (): boolean => validates(SIMD);
export const hasRelaxedSimd = (): boolean => validates(RELAXED);

/** Whether nothing forbids WebAssembly to compile. */
export function canCompile(): boolean {
  try {
    const EMPTY = SIMD.slice(0, 8);
    new WebAssembly.Module(Uint8Array.from(EMPTY));
    return true;
  } catch {
    return false;
  }
}
