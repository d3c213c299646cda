/**
 * What an agent did, as lines to read: equal quiet steps are one line. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {object} Line
 * @property {number} from @property {number} to Last step of the line.
 * @property {string} action @property {number} actionId @property {number} direction
 * @property {boolean} failed @property {number} reward Sum over the line.
 * @property {string[]} notes Items gained and lost, freezes, death.
 */
import { signed } from "./format.js";

/**
 * Describe the steps [from, to) of an agent.
 * @param {Facts} facts @param {number} object @param {number} from @param {number} to
 * @returns {Line[]} In order of time.
 */
export function activity(facts, object, from, to) {
  /** @type {Line[]} */
  const lines = [];
  for (let step = Math.max(0, from); step < Math.min(facts.replay.steps, to); step++) {
    if (!facts.replay.ready(step)) continue;
    const line = lineAt(facts, object, step);
    const last = lines.at(-1);
    if (last && last.to === step - 1 && sameQuietLine(last, line)) last.to = step;
    else lines.push(line);
  }
  return lines;
}

/** @param {Line} a @param {Line} b */
function sameQuietLine(a, b) {
  const quiet = a.notes.length === 0 && b.notes.length === 0 && a.reward === 0 && b.reward === 0;
  return quiet && a.action === b.action && a.failed === b.failed && a.direction === b.direction;
}

/** @param {Facts} facts @param {number} object @param {number} step @returns {Line} */
export function lineAt(facts, object, step) {
  const { replay } = facts;
  const actionId = replay.field("action_id").at(object, step);
  const parameter = replay.field("action_param").at(object, step);
  const known = facts.action(actionId);
  return {
    from: step,
    to: step,
    action: facts.actionText(actionId, parameter),
    actionId,
    direction: known ? facts.direction(object, known, parameter, step) : -1,
    failed: replay.field("action_success").at(object, step) === 0,
    reward: replay.field("current_reward").at(object, step) || 0,
    notes: notesAt(facts, object, step),
  };
}

/** @param {Facts} facts @param {number} object @param {number} step @returns {string[]} */
function notesAt(facts, object, step) {
  const { replay } = facts;
  if (step === 0 || !replay.ready(step - 1)) return [];
  const notes = [];
  const [first, end] = replay.pairsOf(object);
  for (let pair = first; pair < end; pair++) {
    const change = replay.inventory.at(pair, step) - replay.inventory.at(pair, step - 1);
    if (change) notes.push(`${signed(change)} ${facts.itemName(replay.pairItems[pair])}`);
  }
  const frozen = replay.field("is_frozen");
  if (frozen.at(object, step) && !frozen.at(object, step - 1)) notes.push("frozen");
  if (replay.alive.at(object, step) === 0 && replay.alive.at(object, step - 1) !== 0) notes.push("died");
  const vibe = replay.field("vibe_id");
  if (vibe.at(object, step) !== vibe.at(object, step - 1)) notes.push(`vibe ${facts.vibeName(vibe.at(object, step))}`);
  return notes;
}
