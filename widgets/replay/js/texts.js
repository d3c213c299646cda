/** Talk, monologue and policy notes: fetched when their panel opens, for the stretch of steps around the current one. */
import { reason } from "../../page/js/format.js";
import { decodeTrack } from "./tracks.js";
import { runningSum } from "./wire.js";

/**
 * @import { Replay } from "./replay.js"
 * @import { Track } from "./tracks.js"
 * @typedef {{objects: Int32Array, track: Track, table: any[]}} TextField
 * @typedef {{from: number, to: number, loading: boolean, failed: string, fields: Map<string, TextField> | null}} TextPart
 */

export class Texts {
  /** @param {Replay} replay @param {() => void} onload */
  constructor(replay, onload) {
    this.replay = replay;
    this.onload = onload;
    /** @type {TextPart[]} */
    this.parts = replay.texts.map(({ from, to }) => ({ from, to, loading: false, failed: "", fields: null }));
  }

  /** @param {number} step @returns {TextPart | undefined} Fetched on first use. */
  part(step) {
    const part = this.parts.find(({ from, to }) => step >= from && step < to);
    if (part && !part.fields && !part.loading && !part.failed) this.#load(part);
    return part;
  }

  /** Let failed parts be tried again. */
  retry() {
    for (const part of this.parts) part.failed = "";
  }

  /** @param {TextPart} part */
  async #load(part) {
    part.loading = true;
    try {
      const { header, map, texts } = this.replay;
      const index = this.parts.indexOf(part);
      const columns = await this.replay.columnsOf(texts[index], "the texts");
      part.fields = new Map(texts[index].fields.map((name) => {
        const objects = runningSum(columns.numbers(`${name}.i`), header.objects, name);
        const track = decodeTrack(columns, name, "int", objects.length, part.from, part.to, null, map);
        return [name, { objects, track, table: [columns.json(`${name}.table`)].flat() }];
      }));
    } catch (error) {
      part.failed = reason(error);
    }
    part.loading = false;
    this.onload();
  }

  /** @param {string} name Of the field. @param {number} object @param {number} step @returns {any} Null when there is none, or it is not there yet. */
  at(name, object, step) {
    const field = this.part(step)?.fields?.get(name);
    return field?.table[field.track.at(field.objects.indexOf(object), step)] ?? null;
  }

  /** @param {number} step @param {number} limit @returns {{step: number, object: number, text: string}[]} The latest talk up to a step, latest first. */
  recentTalk(step, limit) {
    const part = this.part(step);
    const field = part?.fields?.get("talk_text");
    /** @type {{step: number, object: number, text: string}[]} */
    const lines = [];
    field?.objects.forEach((object, mover) => field.track.runs(mover, part?.from ?? 0, step + 1, (start, _, value) => {
      if (field.table[value]) lines.push({ step: start, object, text: String(field.table[value]) });
    }));
    return lines.sort((a, b) => b.step - a.step).slice(0, limit);
  }
}
