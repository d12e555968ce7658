// Replays a plan: kernel calls that lie in linear memory as a list.
//
// An entry is a row of 8-byte slots: the kernel's place in the function table (four bytes) and its signature (one), then its
// arguments; the rest is for threads (threads/pool.ts). The letters of a signature are the types of the parameters: i for
// i32 and usize, f for f32, d for f64.

/** The signatures of the kernels. Those in front return where they found something, or −1. */
enum Signature {
  search_ii,
  search_iii,
  search_iiff,
  search_iiiiiii,
  i,
  ii,
  iii,
  iif,
  iiii,
  iiid,
  iiif,
  iiiii,
  iiiif,
  iiidi,
  iiiff,
  iiiiii,
  iiiiid,
  iiiffi,
  iiiidi,
  iiiiff,
  iiiiiii,
  iiiiiid,
  iiiiidi,
  iiiiidd,
  iiiiiff,
  iiiiiiii,
  iiiiiiid,
  iiiiiidi,
  iiiiiidd,
  iiiiidii,
  iiiiiffi,
  iiiiiddd,
  iiiiiiiii,
  iiiiiiidd,
  iiiiiidii,
  iiiiiiddd,
  iiiiiiiiii,
  iiiiiiiidd,
  iiiiiiiidfi,
  iiiiiiiiiiii,
  iiiiiiiiiiiidd,
  iiiiiiiiiiiiii,
}

/** Bytes of an entry, and where in it a search leaves what it finds: searches have few arguments. */
const ENTRY: usize = 128;
const FOUND: usize = 112;

/**
 * Calls the kernels of a list, one after another. Stops at a search that finds something: returns the place of its entry,
 * counted from 1, and leaves what it found in the entry; otherwise returns 0.
 */
export function replay(list: usize, count: i32): i32 {
  for (let n = 1, p = list; n <= count; n++, p += ENTRY) {
    const kernel = load<u32>(p);
    let found = -1;
    switch (<i32>load<u8>(p, 4)) {
      case Signature.search_ii: found = call_indirect<i32>(kernel, i(p, 1), i(p, 2)); break;
      case Signature.search_iii: found = call_indirect<i32>(kernel, i(p, 1), i(p, 2), i(p, 3)); break;
      case Signature.search_iiff: found = call_indirect<i32>(kernel, i(p, 1), i(p, 2), f(p, 3), f(p, 4)); break;
      case Signature.search_iiiiiii: found = call_indirect<i32>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), i(p, 7),
      ); break;
      case Signature.i: call_indirect<void>(kernel, i(p, 1)); break;
      case Signature.ii: call_indirect<void>(kernel, i(p, 1), i(p, 2)); break;
      case Signature.iii: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3)); break;
      case Signature.iif: call_indirect<void>(kernel, i(p, 1), i(p, 2), f(p, 3)); break;
      case Signature.iiii: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4)); break;
      case Signature.iiid: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), d(p, 4)); break;
      case Signature.iiif: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), f(p, 4)); break;
      case Signature.iiiii: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5)); break;
      case Signature.iiiif: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), f(p, 5)); break;
      case Signature.iiidi: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), d(p, 4), i(p, 5)); break;
      case Signature.iiiff: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), f(p, 4), f(p, 5)); break;
      case Signature.iiiiii: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), i(p, 6)); break;
      case Signature.iiiiid: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), d(p, 6)); break;
      case Signature.iiiffi: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), f(p, 4), f(p, 5), i(p, 6)); break;
      case Signature.iiiidi: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), d(p, 5), i(p, 6)); break;
      case Signature.iiiiff: call_indirect<void>(kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), f(p, 5), f(p, 6)); break;
      case Signature.iiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), i(p, 7),
      ); break;
      case Signature.iiiiiid: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), d(p, 7),
      ); break;
      case Signature.iiiiidi: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), d(p, 6), i(p, 7),
      ); break;
      case Signature.iiiiidd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), d(p, 6), d(p, 7),
      ); break;
      case Signature.iiiiiff: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), f(p, 6), f(p, 7),
      ); break;
      case Signature.iiiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), i(p, 7), i(p, 8),
      ); break;
      case Signature.iiiiiiid: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), i(p, 7), d(p, 8),
      ); break;
      case Signature.iiiiiidi: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), d(p, 7), i(p, 8),
      ); break;
      case Signature.iiiiiidd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), i(p, 6), d(p, 7), d(p, 8),
      ); break;
      case Signature.iiiiidii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), d(p, 6), i(p, 7), i(p, 8),
      ); break;
      case Signature.iiiiiffi: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), f(p, 6), f(p, 7), i(p, 8),
      ); break;
      case Signature.iiiiiddd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4),
        i(p, 5), d(p, 6), d(p, 7), d(p, 8),
      ); break;
      case Signature.iiiiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), i(p, 7), i(p, 8), i(p, 9),
      ); break;
      case Signature.iiiiiiidd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), i(p, 7), d(p, 8), d(p, 9),
      ); break;
      case Signature.iiiiiidii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), d(p, 7), i(p, 8), i(p, 9),
      ); break;
      case Signature.iiiiiiddd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), d(p, 7), d(p, 8), d(p, 9),
      ); break;
      case Signature.iiiiiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), i(p, 7), i(p, 8), i(p, 9), i(p, 10),
      ); break;
      case Signature.iiiiiiiidd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5),
        i(p, 6), i(p, 7), i(p, 8), d(p, 9), d(p, 10),
      ); break;
      case Signature.iiiiiiiidfi: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), i(p, 6),
        i(p, 7), i(p, 8), d(p, 9), f(p, 10), i(p, 11),
      ); break;
      case Signature.iiiiiiiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), i(p, 6),
        i(p, 7), i(p, 8), i(p, 9), i(p, 10), i(p, 11), i(p, 12),
      ); break;
      case Signature.iiiiiiiiiiiidd: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), i(p, 6), i(p, 7),
        i(p, 8), i(p, 9), i(p, 10), i(p, 11), i(p, 12), d(p, 13), d(p, 14),
      ); break;
      case Signature.iiiiiiiiiiiiii: call_indirect<void>(
        kernel, i(p, 1), i(p, 2), i(p, 3), i(p, 4), i(p, 5), i(p, 6), i(p, 7),
        i(p, 8), i(p, 9), i(p, 10), i(p, 11), i(p, 12), i(p, 13), i(p, 14),
      ); break;
    }
    if (found < 0) continue;
    store<i32>(p, found, FOUND);
    return n;
  }
  return 0;
}

/** The k-th argument of the entry at p, counted from 1, as i32, f32 or f64. */
@inline
function i(p: usize, k: i32): i32 {
  return load<i32>(p + (<usize>k << 3));
}

@inline
function f(p: usize, k: i32): f32 {
  return load<f32>(p + (<usize>k << 3));
}

@inline
function d(p: usize, k: i32): f64 {
  return load<f64>(p + (<usize>k << 3));
}
