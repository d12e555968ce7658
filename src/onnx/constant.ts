// The numbers of a TensorProto.
import { show } from "../errors";
import { FormatError } from "../index";
import { BOOL, DOUBLE, FLOAT, INT32, INT64, type TensorProto, typeName } from "./proto";

/** Numbers that are in the file. */
export interface Constant {
  readonly shape: readonly number[];
  readonly isFloat: boolean;
  /** float32, or integers in float64, which has those up to 2^53. */
  readonly data: Float32Array | Float64Array;
}

/** @throws FormatError for another type, values in another file, or as many as the shape does not have */
export function constantOf(t: TensorProto): Constant {
  const { dims: shape = [], dataType: type } = t;
  const refuse = (message: string): never => {
    throw new FormatError(`the tensor "${t.name ?? ""}" ${message}`);
  };
  if (t.dataLocation === 1)
    refuse("is in another file; save it all in one, in PyTorch by external_data=False");
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) refuse(`has the shape ${show(shape)}`);
  const size = shape.reduce((product, n) => product * n, 1);
  const isFloat = type === FLOAT || type === DOUBLE;
  if (!isFloat && type !== INT32 && type !== INT64 && type !== BOOL) {
    return refuse(`is of ${typeName(type)}; float, double, int32, int64 and bool can be read`);
  }
  const values = t.rawData === undefined ? listed(t) : raw(t.rawData, type);
  if (values?.length !== size) refuse(`has ${values?.length ?? "broken"} values for ${show(shape)}`);
  if (values instanceof Float32Array) return { shape, isFloat, data: values };
  return {
    shape,
    isFloat,
    data: isFloat ? Float32Array.from(values!, Number) : Float64Array.from(values!, Number),
  };
}

function listed({ dataType, floatData, doubleData, int32Data, int64Data }: TensorProto): number[] {
  if (dataType === FLOAT) return floatData ?? [];
  if (dataType === DOUBLE) return doubleData ?? [];
  return (dataType === INT64 ? int64Data : int32Data) ?? [];
}

/** Undefined if the bytes are no whole number of values. */
function raw(bytes: Uint8Array, type: number): (Iterable<number | bigint> & { length: number }) | undefined {
  const Type = {
    [FLOAT]: Float32Array,
    [DOUBLE]: Float64Array,
    [INT32]: Int32Array,
    [INT64]: BigInt64Array,
    [BOOL]: Uint8Array,
  }[type]!;
  // A copy begins where typed arrays may; slice() of a Buffer would be none.
  return bytes.length % Type.BYTES_PER_ELEMENT === 0 ? new Type(new Uint8Array(bytes).buffer) : undefined;
}
