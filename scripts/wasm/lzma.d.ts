declare module "lzma" {
  /** The file of a stream in bytes from −128 to 127, at a level from 1 to 9. */
  export function compress(bytes: Uint8Array, level: number): number[];
}
