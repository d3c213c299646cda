/** Colours for canvases, which the codec's drawn.py lists; the same values stand in viewer.css as variables for the page. Pure. */

/**
 * @typedef {object} Palette
 * @property {string} page @property {string} raised @property {string} text @property {string} muted
 * @property {string} hairline @property {string} accent @property {string} onMark Letters on a coloured mark.
 * @property {string} floor @property {string} wall @property {string} grid
 * @property {string} good @property {string} bad @property {string} cold @property {string} gain @property {string} talk
 * @property {string} fog @property {string} heat
 * @property {string[]} series Eight colours safe for the common colour blindnesses.
 */

/** Turns of the colour circle between two further teams: no two of them come close. */
const GOLDEN = 137.508;

/** @param {Palette} inks @param {number} index Of a team. @returns {string} Never the same for two of them. */
export function teamColour(inks, index) {
  if (index < inks.series.length) return series(inks, index);
  const dark = inks.page < "#8";
  return `hsl(${((index * GOLDEN) % 360).toFixed(1)} ${70 - (index % 3) * 12}% ${(dark ? 62 : 34) + (index % 4) * 4}%)`;
}

/** @param {Palette} inks @param {number} index Of a type's hue or an item. @returns {string} */
export const series = (inks, index) => inks.series[index % 8];
