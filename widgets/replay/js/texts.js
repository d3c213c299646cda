/** Talk, monologue and policy notes: fetched when their panel opens, for the stretch of steps around the current one. */
import { decodeTrack } from "./tracks.js";

/**
 * @import { Chunk, Replay } from "./replay.js"
 * @import { Track } from "./tracks.js"
 * @typedef {{objects: Int32Array, track: Track, table: any[]}} TextField
 */

export class Texts {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
  }

  /** @param {number} step @returns {Chunk | undefined} Fetched on first use. */
  part(step) {
    const part = this.replay.texts.find(({ from, to }) => step >= from && step < to);
    if (part) this.replay.fetch(part);
    return part;
  }

  /** @param {string} name Of the field. @param {number} step @returns {TextField | null} Null when there is none, or it is not there yet. */
  field(name, step) {
    const part = this.part(step);
    if (!part?.columns?.directory[`${name}.i`]) return null;
    const { columns, tracks, from } = part;
    let field = /** @type {any} */ (tracks.get(name));
    if (!field) {
      const objects = columns.sums(`${name}.i`);
      field = { objects, track: decodeTrack(columns, name, "int", objects.length, from), table: columns.json(`${name}.table`) };
      tracks.set(name, field);
    }
    return field;
  }

  /** @param {string} name Of the field. @param {number} object @param {number} step @returns {any} Null when there is none, or it is not there yet. */
  at(name, object, step) {
    const field = this.field(name, step);
    return field?.table[field.track.at(field.objects.indexOf(object), step)] ?? null;
  }

  /** @param {number} object @param {number} step @returns {{x: number, y: number} | null} Cells from an agent to where its policy says that it goes: rows down, then columns right. */
  target(object, step) {
    const [y, x, ...more] = [this.at("policy_infos", object, step)?.target ?? []].flat();
    return Number.isFinite(x) && Number.isFinite(y) && !more.length ? { x, y } : null;
  }

  /** @param {number} step @param {number} limit @returns {{step: number, until: number, object: number, text: string}[]} The latest talk up to a step, latest first. */
  recentTalk(step, limit) {
    const field = this.field("talk_text", step);
    /** @type {{step: number, until: number, object: number, text: string}[]} */
    const lines = [];
    field?.objects.forEach((object, mover) => field.track.runs(mover, field.track.from, step + 1, (start, until, value) => {
      if (field.table[value]) lines.push({ step: start, until, object, text: String(field.table[value]) });
    }));
    return lines.sort((a, b) => b.step - a.step).slice(0, limit);
  }
}
