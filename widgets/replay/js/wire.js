/**
 * Read the container of `codec.py`: a checked header and columns of numbers. Nothing here trusts a length,
 * an index or a type; what is wrong becomes a `WireError`.
 */

export const FORMAT = 1;

const MAX_RAW = 1 << 30;
const MAX_HEADER = 1 << 26;
const MAX_SIDE = 65_535;
const MAX_AREA = 1 << 26;
const MAX_OBJECTS = 5_000_000;
const MAX_STEPS = 20_000_000;
/** Deflate cannot shrink below about 1 to 1032, so a larger claim is a lie. */
const MAX_RATIO = 1040;

/** What is wrong with the bytes, in words for the page. */
export class WireError extends Error {}

/**
 * @typedef {{id: string, kind: string, from: number, to: number, size: number, raw: number, offset: number | null,
 *   fields: string[]}} ChunkInfo Offset from the start of the container, null when the chunk must be asked for.
 * @typedef {{kind: string, scalar: number | number[] | null}} FieldInfo
 * @typedef {{path: string, rule: string, count: number, example: string, severity: string}} Issue
 * @typedef {object} Header
 * @property {string} hash @property {number} version @property {string} label
 * @property {number} width @property {number} height @property {number} steps
 * @property {number} objects @property {number} agents @property {number} pairs @property {number} bins
 * @property {string[]} typeNames @property {string[]} actionNames @property {string[]} itemNames
 * @property {string[]} animationNames @property {string[]} capacityNames @property {string[]} groupNames
 * @property {string[]} vibeNames @property {string[]} tags
 * @property {Map<string, FieldInfo>} fields @property {Map<string, number>} movers
 * @property {Map<string, unknown[]>} tables
 * @property {Issue[]} issues @property {number} issuesMore @property {ChunkInfo[]} chunks
 * @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array} Numbers
 */

/** @param {unknown} value @returns {Uint8Array} The bytes of what a model may hold in a bytes trait. */
export function asBytes(value) {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(0);
}

/**
 * Inflate zlib data whose length is known; the output can never grow past it.
 * @param {Uint8Array} bytes @param {number} raw @param {string} what Named in errors.
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(bytes, raw, what) {
  if (typeof DecompressionStream === "undefined") {
    throw new WireError("this browser cannot inflate data (DecompressionStream is missing): use a newer one");
  }
  if (raw > MAX_RAW || raw > bytes.length * MAX_RATIO + 64) throw new WireError(`${what} claims ${raw} bytes, which cannot be`);
  const out = new Uint8Array(raw);
  const reader = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > raw) throw new WireError(`${what} is longer than it says`);
      out.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error instanceof WireError ? error : new WireError(`${what} is damaged and cannot be inflated`);
  }
  if (filled !== raw) throw new WireError(`${what} is shorter than it says`);
  return out;
}

/**
 * Read the container's header.
 * @param {Uint8Array} bytes
 * @returns {Promise<Header>}
 */
export async function readHeader(bytes) {
  if (bytes.length < 16) throw new WireError(`the data is ${bytes.length} bytes long, too short for a replay`);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "RPLW") throw new WireError("the data is not an encoded replay");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint32(4, true);
  if (format !== FORMAT) throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
  const size = view.getUint32(8, true);
  const raw = view.getUint32(12, true);
  if (16 + size > bytes.length || raw > MAX_HEADER) throw new WireError("the header is cut short");
  const json = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"), "the header");
  return checkHeader(json, 16 + size, bytes.length);
}

/** @param {Uint8Array} bytes @param {string} what @returns {any} */
export function parseJson(bytes, what) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new WireError(`${what} is not readable JSON`);
  }
}

/** @param {any} value @param {number} start Where the chunks begin. @param {number} length Of the container. @returns {Header} */
function checkHeader(value, start, length) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new WireError("the header is not an object");
  const [width, height] = Array.isArray(value.map_size) ? value.map_size : [];
  const objects = whole(value.objects, "objects", 0, MAX_OBJECTS);
  const header = {
    hash: text(value.hash),
    version: whole(value.version, "version", 0, 1e6),
    label: text(value.label),
    width: whole(width, "map_size", 1, MAX_SIDE),
    height: whole(height, "map_size", 1, MAX_SIDE),
    steps: whole(value.steps, "steps", 1, MAX_STEPS),
    objects,
    agents: whole(value.agents, "agents", 0, objects),
    pairs: whole(value.pairs ?? 0, "pairs", 0, 50_000_000),
    bins: whole(value.bins ?? 0, "bins", 0, 1_000_000),
    typeNames: texts(value.type_names),
    actionNames: texts(value.action_names),
    itemNames: texts(value.item_names),
    animationNames: texts(value.animation_names),
    capacityNames: texts(value.capacity_names),
    groupNames: texts(value.group_names),
    vibeNames: texts(value.vibe_names),
    tags: texts(value.tags),
    fields: fieldInfos(value.fields),
    movers: moverCounts(value.movers),
    tables: tables(value.tables),
    issues: list(value.issues).map(issue),
    issuesMore: Math.max(0, Number(value.issues_more) || 0),
    chunks: list(value.chunks).map((chunk) => chunkInfo(chunk, start, length)),
  };
  if (header.width * header.height > MAX_AREA) throw new WireError(`the map of ${width} x ${height} cells is too large to show`);
  return header;
}

/** @param {unknown} value @param {string} name @param {number} low @param {number} high @returns {number} */
function whole(value, name, low, high) {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    throw new WireError(`the header's ${name} is not a whole number from ${low} to ${high}`);
  }
  return value;
}

/** @param {unknown} value @returns {string} */
function text(value) {
  return typeof value === "string" ? value : value === null || value === undefined ? "" : String(value);
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {string[]} */
function texts(value) {
  return list(value).map(text);
}

/** @param {unknown} value @returns {[string, any][]} */
function entries(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
}

/** @param {unknown} value @returns {Map<string, FieldInfo>} */
function fieldInfos(value) {
  return new Map(entries(value).map(([name, info]) => {
    const scalar = info?.scalar;
    const fine = typeof scalar === "number" || (Array.isArray(scalar) && scalar.length === 2 && scalar.every((v) => typeof v === "number"));
    return [name, { kind: text(info?.kind), scalar: fine ? scalar : null }];
  }));
}

/** @param {unknown} value @returns {Map<string, number>} */
function moverCounts(value) {
  return new Map(entries(value).map(([name, m]) => [name, whole(m, `movers of ${name}`, 0, 50_000_000)]));
}

/** @param {unknown} value @returns {Map<string, unknown[]>} */
function tables(value) {
  return new Map(entries(value).map(([name, rows]) => [name, list(rows)]));
}

/** @param {any} value @returns {Issue} */
function issue(value) {
  return {
    path: text(value?.path),
    rule: text(value?.rule),
    count: Number(value?.count) || 1,
    example: text(value?.example),
    severity: text(value?.severity) || "note",
  };
}

/** @param {any} value @param {number} start @param {number} length @returns {ChunkInfo} */
function chunkInfo(value, start, length) {
  const size = whole(value?.size, "chunk size", 0, MAX_RAW);
  const offset = value.offset === null || value.offset === undefined ? null : start + whole(value.offset, "chunk offset", 0, length);
  if (offset !== null && offset + size > length) throw new WireError(`the part ${text(value.id)} is cut off`);
  return {
    id: text(value.id),
    kind: text(value.kind),
    from: whole(value.from ?? 0, "chunk start", 0, MAX_STEPS),
    to: whole(value.to ?? 0, "chunk end", 0, MAX_STEPS),
    size,
    raw: whole(value.raw, "chunk length", 0, MAX_RAW),
    offset,
    fields: texts(value.fields),
  };
}

/** @type {Record<string, (new (buffer: ArrayBuffer, offset: number, length: number) => Numbers) & {BYTES_PER_ELEMENT: number}>} */
const DTYPES = {
  i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
};

/** The columns of one inflated chunk, read in place. */
export class Columns {
  /** @param {Uint8Array<ArrayBuffer>} bytes Owning its whole buffer. @param {string} what */
  constructor(bytes, what) {
    this.what = what;
    this.bytes = bytes;
    if (bytes.length < 8) throw new WireError(`${what} is too short`);
    const size = new DataView(bytes.buffer).getUint32(0, true);
    if (8 + size > bytes.length) throw new WireError(`the directory of ${what} is cut short`);
    this.directory = new Map(entries(parseJson(bytes.subarray(8, 8 + size), `the directory of ${what}`)));
  }

  /** @param {string} name @returns {boolean} */
  has(name) {
    return this.directory.has(name);
  }

  /**
   * Return a column's numbers; an absent column is empty.
   * @param {string} name @param {number} [length] What it must be; anything when left out.
   * @returns {Numbers}
   */
  numbers(name, length) {
    const [dtype, size, offset] = this.#entry(name);
    if (length !== undefined && size !== length) throw this.#wrong(name, `${size} values where ${length} belong`);
    if (size === 0) return new Uint8Array(0);
    const Type = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : null;
    if (!Type) throw this.#wrong(name, "an unknown type");
    if (offset % 8 !== 0 || offset + size * Type.BYTES_PER_ELEMENT > this.bytes.length) throw this.#wrong(name, "values outside the data");
    return new Type(this.bytes.buffer, offset, size);
  }

  /** @param {string} name @returns {any} The value of a JSON column. */
  json(name) {
    const [dtype, size, offset] = this.#entry(name);
    if (dtype !== "json" || offset + size > this.bytes.length) throw this.#wrong(name, "no readable JSON");
    return parseJson(this.bytes.subarray(offset, offset + size), `${name} of ${this.what}`);
  }

  /** @param {string} name @returns {[string, number, number]} */
  #entry(name) {
    const entry = this.directory.get(name) ?? ["u1", 0, 0];
    const fine = Array.isArray(entry) && Number.isInteger(entry[1]) && Number.isInteger(entry[2]) && entry[1] >= 0 && entry[2] >= 0;
    if (!fine) throw this.#wrong(name, "an unreadable directory entry");
    return /** @type {[string, number, number]} */ (entry);
  }

  /** @param {string} name @param {string} why */
  #wrong(name, why) {
    return new WireError(`${this.what} is damaged: ${name} has ${why}`);
  }
}

/** @param {Numbers} deltas @param {number} bound Every sum must be below it. @param {string} what @returns {Int32Array} */
export function runningSum(deltas, bound, what) {
  const sums = new Int32Array(deltas.length);
  let sum = 0;
  for (let i = 0; i < deltas.length; i++) {
    sum += deltas[i];
    if (sum < 0 || sum >= bound) throw new WireError(`${what} points outside its list`);
    sums[i] = sum;
  }
  return sums;
}
