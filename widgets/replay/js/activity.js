/**
 * What an agent did, as lines to read: steps that are much the same are one line. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {object} Line
 * @property {number} from @property {number} to Last step of the line.
 * @property {string} action @property {boolean} failed
 * @property {number} reward Sum over the line; not finite where one is not. @property {string[]} notes Items gained and lost, freezes, death.
 */
import { count, joined, signed } from "../../page/js/format.js";
import { abs, max, min } from "../../page/js/maths.js";
import { rewardText } from "./rewards.js";

/** Rewards of neighbouring steps that differ by less than this part are one trickle. */
const TRICKLE = 0.2;

/** @param {Facts} facts @param {number} object @param {number} from @param {number} to @returns {Line[]} The steps [from, to), in order of time. */
export function activity(facts, object, from, to) {
  /** @type {Line[]} */
  const lines = [];
  let reward = 0;
  for (let step = max(0, from); step < min(facts.replay.steps, to); step++) {
    if (!facts.replay.ready(step)) continue;
    const next = lineAt(facts, object, step);
    const last = lines.at(-1);
    const alike = last && last.to === step - 1 && last.action === next.action && last.failed === next.failed;
    if (alike && !last.notes.length && !next.notes.length && (Object.is(next.reward, reward) || abs(next.reward - reward) <= TRICKLE * abs(reward))) {
      last.to = step;
      last.reward += next.reward;
    } else {
      lines.push(next);
    }
    reward = next.reward;
  }
  return lines;
}

/** @param {Facts} facts @param {number} object @param {number} step @returns {Line} */
export function lineAt(facts, object, step) {
  const { replay } = facts;
  const reward = replay.ready(step) ? replay.at("current_reward", object, step) : 0;
  return { from: step, to: step, action: facts.actionText(object, step), failed: replay.at("action_success", object, step) === 0, reward, notes: notesAt(facts, object, step) };
}

/** @param {Facts} facts @param {number} object @param {number} step @returns {string[]} */
function notesAt(facts, object, step) {
  const { replay } = facts;
  if (step === 0 || !replay.ready(step - 1)) return [];
  const notes = [];
  for (const pair of replay.pairsOf(object)) {
    const change = replay.inventory.at(pair, step) - replay.inventory.at(pair, step - 1);
    if (change) notes.push(`${signed(change)} ${facts.itemName(replay.pairItems[pair])}`);
  }
  const changed = /** @param {string} name */ (name) => replay.at(name, object, step) !== replay.at(name, object, step - 1);
  if (changed("is_frozen")) notes.push(replay.at("is_frozen", object, step) ? "frozen" : "free again");
  if (changed("alive")) notes.push(replay.here(object, step) ? "alive" : "died");
  if (changed("vibe_id")) notes.push(`vibe ${facts.vibeName(replay.at("vibe_id", object, step))}`);
  return notes;
}

/** @param {string} title @param {Line} line @returns {string} Lines for a tooltip. */
export function describeLine(title, line) {
  return joined([`${title}, step ${count(line.from)}`, line.action + (line.failed ? ", failed" : ""), line.reward !== 0 && `reward ${rewardText(line.reward)}`, ...line.notes], "\n");
}
