/** Talk, monologue and policy notes: fetched when their panel opens, for the stretch of steps around the current one. */
import { PROBLEM } from "./format.js";
import { decodeTrack } from "./tracks.js";
import { runningSum } from "./wire.js";

/**
 * @import { Replay } from "./replay.js"
 * @import { Track } from "./tracks.js"
 * @typedef {{from: number, to: number, loading: boolean, failed: string, fields: Map<string, TextField> | null}} TextPart
 * @typedef {{objects: Int32Array, track: Track, table: unknown[]}} TextField
 */

export class Texts {
  /** @param {Replay} replay @param {() => void} onload */
  constructor(replay, onload) {
    this.replay = replay;
    this.onload = onload;
    /** @type {TextPart[]} */
    this.parts = replay.texts.map((info) => ({ from: info.from, to: info.to, loading: false, failed: "", fields: null }));
  }

  get present() {
    return this.parts.length > 0;
  }

  /** @param {number} step @returns {TextPart | null} Fetched on first use. */
  part(step) {
    const index = this.parts.findIndex((part) => step >= part.from && step < part.to);
    if (index < 0) return null;
    const part = this.parts[index];
    if (!part.fields && !part.loading && !part.failed) this.#load(part, index);
    return part;
  }

  /** Let failed parts be tried again. */
  retry() {
    for (const part of this.parts) part.failed = "";
  }

  /** @param {TextPart} part @param {number} index */
  async #load(part, index) {
    part.loading = true;
    try {
      const columns = await this.replay.textColumns(index);
      const { header, map } = this.replay;
      part.fields = new Map();
      for (const name of this.replay.texts[index].fields) {
        const objects = runningSum(columns.numbers(`${name}.i`), header.objects, name);
        const track = decodeTrack(columns, name, "int", objects.length, part.from, part.to, null, map);
        const table = columns.json(`${name}.table`);
        part.fields.set(name, { objects, track, table: Array.isArray(table) ? table : [] });
      }
    } catch (error) {
      part.fields = null;
      part.failed = error instanceof Error ? error.message : PROBLEM;
    }
    part.loading = false;
    this.onload();
  }

  /**
   * Return an object's text at a step.
   * @param {string} name Of the field. @param {number} object @param {number} step
   * @returns {unknown} Null when there is none, or it is not there yet.
   */
  at(name, object, step) {
    const field = this.part(step)?.fields?.get(name);
    const mover = field ? field.objects.indexOf(object) : -1;
    return field && mover >= 0 ? (field.table[field.track.at(mover, step)] ?? null) : null;
  }

  /**
   * List the latest talk up to a step.
   * @param {number} step @param {number} limit
   * @returns {{step: number, object: number, text: string}[]} Latest first.
   */
  recentTalk(step, limit) {
    const part = this.part(step);
    const field = part?.fields?.get("talk_text");
    if (!part || !field) return [];
    /** @type {{step: number, object: number, text: string}[]} */
    const lines = [];
    field.objects.forEach((object, mover) => {
      field.track.runs(mover, part.from, step + 1, (start, _, value) => {
        const text = field.table[value];
        if (typeof text === "string" && text) lines.push({ step: start, object, text });
      });
    });
    return lines.sort((a, b) => b.step - a.step).slice(0, limit);
  }
}
